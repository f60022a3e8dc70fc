"""Playing both models, and when two samples of a figure agree."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.play.luck import Luck
from simulator.play.outcome import Outcome
from simulator.play.plan import Plan
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.play.request_level import PlainOutcome, play_plainly
from simulator.words.change import Defect
from simulator.words.scenario import Scenario

FIGURES = ("failed_requests", "users_harmed", "exposure_time", "time_to_detect", "rolled_back")
SIGMAS, WIDEST = 4.0, 0.10


def seed() -> int:
    """The seed of all drawn parameters: AGREEMENT_SEED, a number or `random`; printed."""
    wanted = os.environ.get("AGREEMENT_SEED", "1")
    number = random.SystemRandom().randrange(10**6) if wanted == "random" else int(wanted)
    print(f"AGREEMENT_SEED={number}")
    return number


def watched(scenario: Scenario, after: str = "0s") -> Scenario:
    """The same, rolled back by itself only while it is watched: so long after its script."""
    return scenario.with_("response.automatic", "watched").with_("response.watch", after)


class Figure(NamedTuple):
    """Means of one figure in the request-level model (a) and the engine (b), with their errors."""

    name: str
    a: float
    b: float
    error_a: float
    error_b: float

    @property
    def bound(self) -> float:
        """Four standard errors of the difference."""
        return SIGMAS * math.hypot(self.error_a, self.error_b)

    @property
    def width(self) -> float:
        """The bound as a share of the value."""
        return self.bound / abs(self.a) if self.bound else 0.0

    @property
    def sharp(self) -> bool:
        """Whether the bound is at most 10 % of the value."""
        return self.width <= WIDEST

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the bound."""
        return abs(self.a - self.b) <= self.bound + 1e-6 * abs(self.a)

    def __str__(self) -> str:
        """One line of a table."""
        return (
            f"{self.name:18}{self.a:12.5g} +- {self.error_a:<10.3g}{self.b:12.5g} +- "
            f"{self.error_b:<10.3g} difference {self.a - self.b:+.3g}, bound {self.bound:.3g}"
        )


def values(outcomes: Sequence[PlainOutcome] | Sequence[Outcome], name: str) -> list[float]:
    """A figure of every replication where it is applicable and not censored.

    `rolled_back` and `restored` are 1 where it was rolled back, and where all was back in the end.
    """
    if name == "rolled_back":
        return [float(o.outcome in ("rolled_back", "false_alarm")) for o in outcomes]
    if name == "restored":
        return [float(math.isfinite(o.rollback_time)) for o in outcomes]
    found = [float(getattr(o, name)) for o in outcomes]
    return [value for value in found if math.isfinite(value)]


def compare(
    plain: Sequence[PlainOutcome], engine: Sequence[Outcome], names: Sequence[str] = FIGURES
) -> list[Figure]:
    """Both models' means of every figure that exists in either."""
    found = []
    for name in names:
        a, b = values(plain, name), values(engine, name)
        if any(a) or any(b):
            found.append(Figure(name, *_mean(a, b)))
    return found


def _mean(a: list[float], b: list[float]) -> tuple[float, float, float, float]:
    means = [float(np.mean(x)) if x else math.nan for x in (a, b)]
    errors = [float(np.std(x, ddof=1)) / math.sqrt(len(x)) if len(x) > 1 else 0.0 for x in (a, b)]
    return means[0], means[1], errors[0], errors[1]


class Case(NamedTuple):
    """A scenario with one strategy; `figures` are compared, given its first defect or none.

    The request-level model is played `chunk` times more until every bound is at most `widest` (a
    share of the value), at most `most` times; the engine `ratio` times as often.
    """

    scenario: Scenario
    figures: tuple[str, ...] = FIGURES
    bad: bool = True
    chunk: int = 80
    most: int = 1200
    widest: float = WIDEST
    ratio: int = 4

    def plain(self, numbers: range, seed: int) -> list[PlainOutcome]:
        """Replications request by request."""
        words, name = self.scenario, next(iter(self.scenario.strategies))
        return [
            play_plainly(words, name, self.defect, seed * 1_000_003 + number) for number in numbers
        ]

    def plan(self) -> Plan:
        """The engine's preparation."""
        return prepare(self.scenario, next(iter(self.scenario.strategies)))

    def engine(self, plan: Plan, numbers: range, seed: int) -> list[Outcome]:
        """Replications of the engine."""
        luck, outcomes = Luck(seed), []
        for number in numbers:
            luck.rekey(number)
            outcomes.append(replicate(plan, luck, self.defect, "bad" if self.bad else "good"))
        return outcomes

    @property
    def defect(self) -> Defect | None:
        """The defect of every replication."""
        return self.scenario.change.defects[0] if self.bad else None


def confront(case: Case, seed: int) -> list[Figure]:
    """Play both models until each figure's bound is sharp; prints the table."""
    plain: list[PlainOutcome] = []
    engine: list[Outcome] = []
    figures: list[Figure] = []
    plan = case.plan()
    while len(plain) < case.most and not (figures and all(f.width <= case.widest for f in figures)):
        done = len(plain)
        plain += case.plain(range(done, done + case.chunk), seed)
        numbers = range(case.ratio * done, case.ratio * (done + case.chunk))
        engine += case.engine(plan, numbers, seed + 1)
        figures = compare(plain, engine, case.figures)
    print(f"{len(plain)} replications request by request, {len(engine)} of the engine")
    for figure in figures:
        print(figure)
    return figures
