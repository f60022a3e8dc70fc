"""Users, mixing, money; and what was counted against what was integrated."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

from simulator.play.outcome import Outcome
from simulator.words.reading import loads
from tests.answers import oracles
from tests.validation import checks
from tests.validation.checks import Array
from tests.validation.harm import SWITCH, decided, errors, noticed
from tests.validation.rows import Row, row
from tests.validation.times import exponential, takes

NAN = float("nan")


def users() -> list[Row]:
    """Users with at least one failure: sticky or not, few or many, confined or not."""
    found = []
    for strategy, weight, share, requests, sticky in (
        ("canary: {steps: [{weight: 5%, bake: 5h}]}", 0.05, 0.2, 10, "true"),
        ("canary: {steps: [{weight: 5%, bake: 5h}]}", 0.05, 0.2, 10, "false"),
        ("canary: {steps: [{weight: 5%, bake: 5h}]}", 0.05, 1.0, 10, "true"),
        ("canary: {steps: [{weight: 5%, bake: 5h}]}", 0.05, 1.0, 10, "false"),
        ("ab_test: {share: 20%, duration: 5h}", 0.2, 0.1, 4, "false"),
        ("phased: {waves: [30%, 70%], bake: 5h}", 0.3, 0.02, 50, "false"),
        (SWITCH, 1.0, 0.05, 2, "false"),
    ):
        stays = sticky == "true" or not strategy.startswith("canary")
        exact = oracles.users_harmed(requests, weight, share, stays)
        found.append(
            row(
                "users_harmed",
                "w (1 - exp(-k p))" if stays else "1 - exp(-k w p)",
                exact,
                20,
                strategy=strategy,
                users="100k",
                traffic=f"sticky: {sticky}",
                defect=errors(share),
                detection=noticed(f"{requests * 100}s"),
                detector="noticed",
            )
        )
    for share, requests in ((0.05, 6), (0.4, 1)):
        found.append(
            row(
                "users_harmed",
                "g (1 - exp(-k p))",
                0.05 * oracles.users_harmed(requests, 1, share, True),
                20,
                strategy=SWITCH,
                users="100k",
                defect=f"{{kind: errors, rate: {100 * share:g}%, users: 5%}}",
                detection=noticed(f"{requests * 100}s"),
                detector="noticed",
            )
        )
    return [*found, *few_users()]


def few_users() -> list[Row]:
    """Below ten thousand users the number harmed is binomial; exposures of random length."""
    harmed = oracles.users_harmed(10, 0.05, 0.2, True)
    words = {
        "strategy": "canary: {steps: [{weight: 5%, bake: 5h}]}",
        "rate": "rate: 10 rps",
        "users": "1k",
        "traffic": "sticky: true",
        "detection": noticed("1000s"),
        "detector": "noticed",
    }

    def number(outcome: Outcome) -> float:
        return outcome.users_harmed * 1000

    law = checks.counts(partial(_binomial, 1000, harmed))
    found = [
        row("users harmed", "U w (1 - exp(-k p))", 1000 * harmed, 1000, value=number, **words),
        row(
            "users harmed", "Bin(U, w (1 - exp(-k p)))", NAN, 1000, value=number, check=law, **words
        ),
    ]
    for strategy, rate, share, mean, count in (
        (SWITCH, 1000, 0.2, 500, 100_000),
        (SWITCH, 100, 0.01, 3600, 20_000),
    ):
        found.append(
            row(
                "users_harmed",
                "h m / (1 + h m)",
                oracles.harmed_by_exponential(rate * share / count, mean),
                1500,
                strategy=strategy,
                rate=f"rate: {rate} rps",
                users=count,
                defect=errors(share),
                detection=noticed(exponential(mean)),
                detector="noticed",
            )
        )
    return found


def _binomial(count: int, chance: float, number: Array) -> Array:
    return np.asarray(stats.binom.pmf(number, count, chance))


def mixing() -> list[Row]:
    """Both versions at once, and how long the new one is exposed."""
    found = [
        row("mixing", "T / 3", exact, 10, bad=False, strategy=strategy)
        for strategy, exact in (
            ("linear: {step: 0.1%, every: 3.6s}", oracles.mixing_of_steps(1000, 3.6)),
            ("linear: {step: 10%, every: 10m}", oracles.mixing_of_steps(10, 600)),
        )
    ]
    for mean, count in ((60, 10), (20, 50)):
        found.append(
            row(
                "mixing",
                "m (n - 1/n) / 3",
                oracles.mixing_of_joins(mean, count),
                400,
                bad=False,
                strategy="rolling: {batch: 1, surge: 1}",
                instances=count,
                service=takes(exponential(mean)),
            )
        )
    uneven = [(0.01, 300.0), (0.05, 600.0), (0.25, 900.0), (0.5, 900.0)]
    steps = ", ".join(f"{{weight: {100 * w:g}%, bake: {d:g}s}}" for w, d in uneven)
    for strategy, plan, seen in (
        (f"canary: {{steps: [{steps}]}}", uneven, 2700),
        ("phased: {waves: [25%, 75%], bake: 20m}", [(0.25, 1200.0), (1.0, 1200.0)], 1500),
    ):
        words = {"strategy": strategy, "detection": noticed(f"{seen}s"), "detector": "noticed"}
        exact = oracles.weighted_steps(1, 1, plan, seen)
        found += [
            row("exposure_time", "Σ wᵢ dᵢ", exact, 20, **words),
            row("exposed_requests", "r Σ wᵢ dᵢ", 1000 * exact, 20, **words),
        ]
    return found


def money() -> list[Row]:
    """What more instances cost."""
    found = []
    for strategy, part, hours, formula in (
        ("blue_green: {smoke: none, bake: 1h, keep_old: 2h}", 1.0, 3, "n c L"),
        ("big_bang: {in_place: false, keep_old: 30m}", 1.0, 0.5, "n c L"),
        ("parallel_adoption: {overlap: 48h, keep_old: 24h}", 1.0, 72, "n c L"),
        (
            "canary: {steps: [{weight: 10%, bake: 4h}, {weight: 20%, bake: 1h}]}",
            0.12,
            5,
            "n c Σ wᵢ dᵢ",
        ),
    ):
        found.append(
            row(
                "extra_cost",
                formula,
                part * oracles.second_fleet(10, 0.25, hours * 3600),
                20,
                bad=False,
                strategy=strategy,
                service="cost: 0.25/h",
            )
        )
    for strategy, mean, keep in (
        ("blue_green: {smoke: none, keep_old: 1h}", 300, 3600),
        (SWITCH, 600, 0),
    ):
        found.append(
            row(
                "extra_cost",
                "n c (m Hₙ + L)",
                oracles.second_fleet(10, 1, oracles.slowest_exponential(mean, 10) + keep),
                800,
                bad=False,
                strategy=strategy,
                service=f"cost: 1/h, {takes(exponential(mean))}",
            )
        )
    return found


def budgets() -> list[Row]:
    """What failures do to an error budget."""
    found = []
    for strategy, weight in ((SWITCH, 1.0), ("canary: {steps: [{weight: 5%, bake: 1h}]}", 0.05)):
        failed = oracles.atomic_switch(1000, 0.2 * weight, 300, 120)
        found.append(
            row(
                "budget_spent",
                "r p w (D + R) / (r W (1 - SLO))",
                oracles.budget_spent(failed, 1000, 30 * 86_400, 0.999),
                400,
                strategy=strategy,
                detection=noticed("300s"),
                response=decided("120s"),
                detector="noticed",
            )
        )
    return found


REAL = """
version: 1
profile: ec2-ami
service: {{instances: 12, utilisation: 60%, errors: {{mean: 0.3%, cv: 1, for: 5m}}}}
traffic: {{{traffic}, users: 30k, sticky: true}}
change: {{defect_probability: 50%, defects: [{defect}]}}
detection:
  alarms:
    - {{watch: new, above: 1%, datapoints: 2 of 3, minimum_requests: 20, delay: 45s}}
    - {{name: all, watch: service, metric: bad, above: 2%, period: 5m, delay: 10s}}
  people: {{report_rate: 0.5%}}
strategies: {{{strategy}}}
"""


def surplus(outcome: Outcome) -> float:
    """Counted less integrated failures."""
    return outcome.failed_requests - outcome.expected_failed_requests


def counted() -> list[Row]:
    """Counts less their integrated intensity up to a random end have mean 0, whatever happens."""
    constant, daily = "rate: 300 rps", "daily: {mean: 250 rps, peak: 400 rps, peak_at: 11:00}"
    wrong = "{kind: errors, rate: {lognormal: {median: 3%, p95: 50%}}}"
    mixed = "{kind: mixed_versions, rate: 10%}"
    slow = "{kind: slow, factor: 2, rate: 5%}"
    leak = "{kind: leak, onset: 20m, ramp: 30m, rate: 20%}"
    found = []
    for strategy, traffic, defect in (
        ("big_bang: {}", constant, wrong),
        ("big_bang: {in_place: false}", daily, slow),
        ("rolling: {}", constant, mixed),
        ("rolling: {in_place: true, mode: batch, batch: 3}", daily, wrong),
        ("phased: {bake: 10m}", constant, mixed),
        (
            "parallel_adoption: {overlap: 1d, reconcile: {every: 2h}, sync_error: 0.01%}",
            constant,
            wrong,
        ),
        ("canary: {judge: {above: 2%}}", constant, wrong),
        ("canary: {judge: {above: 2%}}", daily, leak),
        ("linear: {}", constant, slow),
        ("linear: {growth: exponential, step: 1%}", constant, wrong),
        ("blue_green: {}", daily, leak),
        ("immutable: {bake: 10m}", constant, mixed),
        ("ab_test: {duration: 1h}", constant, wrong),
    ):
        text = REAL.format(traffic=traffic, defect=defect, strategy=strategy)
        found.append(
            Row(
                figure="failed - expected",
                formula="0",
                exact=0.0,
                strategy=strategy,
                given=f"a noisy service with alarms and people; {traffic}; {defect}",
                scenario=loads(text),
                value=surplus,
                replications=250,
            )
        )
    return found


def rows() -> list[Row]:
    """Rows about users, mixing, money and counts."""
    return [*users(), *mixing(), *money(), *budgets(), *counted()]
