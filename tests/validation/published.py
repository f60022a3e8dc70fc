"""Published results that the simulator reproduces, and one that it is known not to."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from simulator.play.outcome import Outcome
from tests.play.playing import bare, play
from tests.validation.harm import SWITCH, errors, noticed
from tests.validation.rows import SEED, Row, row
from tests.validation.times import lognormal

CANARYING = "https://sre.google/workbook/canarying-releases/"
ALERTING = "https://sre.google/workbook/alerting-on-slos/"
METRICS = "https://sre.google/resources/practices-and-processes/incident-metrics-in-sre/"

POOL, TRIALS = 20_000, 20_000
ALLOWED = 0.02
_NEVER_CUT = {"follow_up": "365d"}


def workbook() -> list[Row]:
    """The arithmetic of the SRE Workbook's chapters on canaries and on alerting."""
    five = "canary: {steps: [{weight: 5%, bake: 1h}]}"
    found = [
        row(
            "errors of the whole service",
            "5% × 20% = 1%",
            0.05 * 0.2,
            400,
            value=_overall,
            strategy=five,
            defect=errors(0.2),
            detection=noticed("1h"),
        ),
        row(
            "errors of the whole service",
            "100% × 20% = 20%",
            0.2,
            400,
            value=_overall,
            strategy=SWITCH,
            defect=errors(0.2),
            detection=noticed("1h"),
        ),
        row(
            "budget_spent",
            "(A - SLO) × 1 / (1 - SLO): a canary of 0.05% of the users can go on for ever",
            0.0005 / 0.001,
            100,
            strategy="canary: {steps: [{weight: 0.05%, bake: 30d}]}",
            defect=errors(1),
            detection=noticed("30d"),
            also=_NEVER_CUT,
        ),
    ]
    for burn, days in ((1, 30.0), (2, 15.0), (10, 3.0), (1000, 0.03)):
        found.append(
            row(
                "budget_spent",
                f"table 5-4: {burn} × the tolerated errors spend it all in {_span(days)}",
                1.0,
                200,
                strategy=SWITCH,
                defect=errors(0.001 * burn),
                detection=noticed(f"{days * 86_400:.0f}s"),
                also=_NEVER_CUT,
            )
        )
    return found


def _overall(outcome: Outcome) -> float:
    return outcome.failed_requests / (1000 * 3600)


def _span(days: float) -> str:
    return f"{days:g} days" if days >= 1 else f"{days * 1440:.0f} minutes"


class Company(NamedTuple):
    """Incident metrics of one company: mean time to recover (min), the half-width of the 90 %
    interval of a difference of means over 1 000 incidents (min), incidents in 2019, and the
    published probabilities of `Said`.
    """

    name: str
    mean: float
    half_width: float
    incidents: int
    published: tuple[float, float, float]

    @property
    def law(self) -> tuple[float, float]:
        """Median (min) and sigma of the log-normal law with that mean and scatter."""
        spread = self.half_width / 1.645 / math.sqrt(4 / 1000)
        sigma = math.sqrt(math.log1p((spread / self.mean) ** 2))
        return self.mean * math.exp(-(sigma**2) / 2), sigma


COMPANIES = (
    Company("A", 146, 33, 173, (0.38, 0.49, 0.19)),
    Company("B", 151, 31, 103, (0.40, 0.50, 0.23)),
    Company("C", 271, 43, 609, (0.20, 0.64, 0.10)),
)
SAID = (
    "seems worse though 10% shorter",
    "seems 15 min better, 10% shorter",
    "seems 30 min better, no change",
)


def recoveries(company: Company) -> NDArray[np.float64]:
    """Simulated times to recover (min) when incidents are noticed after that law."""
    median, sigma = company.law
    scenario = bare(detection=noticed(lognormal(60 * median, sigma))).with_("follow_up", "365d")
    found = [o.time_to_recover for o in play(scenario, POOL, SEED)]
    return np.array(found) / 60


def splits(company: Company) -> tuple[float, float, float]:
    """The experiment: split a year's incidents in two at random, again and again."""
    pool = recoveries(company)
    generator = np.random.default_rng(SEED)
    half = company.incidents // 2
    hits = np.zeros(3)
    for _ in range(20):
        before, after = generator.choice(pool, (2, TRIALS // 20, half)).mean(axis=2)
        gain = before - 0.9 * after
        hits += [(gain < 0).sum(), (gain >= 15).sum(), (before - after >= 30).sum()]
    worse, better, lucky = (hits / TRIALS).tolist()
    return worse, better, lucky


def recovery_table(jobs: int = 2) -> tuple[str, list[str]]:
    """The table of recovery times, and what does not agree in its first two probabilities."""
    work = Parallel(n_jobs=jobs)(delayed(splits)(company) for company in COMPANIES)
    lines = [
        "| company | log-normal law | incidents | " + " | ".join(SAID) + " |",
        "|---|---|---:|---:|---:|---:|",
    ]
    failures = []
    for company, found in zip(COMPANIES, work, strict=True):
        median, sigma = company.law
        cells = [
            f"{mine:.3f} ({theirs:.2f})"
            for mine, theirs in zip(found, company.published, strict=True)
        ]
        lines.append(
            f"| {company.name} | median {median:.0f} min, σ {sigma:.2f} | {company.incidents} | "
            + " | ".join(cells)
            + " |"
        )
        for said, mine, theirs in zip(SAID[:2], found, company.published, strict=False):
            if abs(mine - theirs) > ALLOWED + 4 * math.sqrt(0.25 / TRIALS):
                failures.append(f"company {company.name}, {said}: {mine:.3f}, published {theirs}")
    return "\n".join(lines), failures
