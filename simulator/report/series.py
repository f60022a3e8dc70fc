"""What pictures of a comparison show, as rows: intervals, curves, shares and parts of a bill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.quantiles import exceedance
from simulator.findings.study import strata
from simulator.report import wording
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.decide.advice import Comparison
    from simulator.findings.means import Interval
    from simulator.findings.results import StrategyRisk

STAGES = ("before full exposure", "at full exposure, watched", "after it was watched", "never")
BILL = (
    *("loss_failed_requests", "loss_corrupt_writes", "loss_outage", "loss_sla_credit"),
    *("loss_responders", "loss_extra_cost", "loss_release", "loss_delay"),
)
_POINTS = 60
_LOOKS = (20, 60, 180, 540, 1620)


class Point(NamedTuple):
    """A strategy in the plane of time (s, given a good release) and users harmed (share, given a
    defect), each with its interval; `unbeaten`: none is better in time, harm and extra cost.
    """

    strategy: str
    time: float
    time_low: float
    time_high: float
    harm: float
    harm_low: float
    harm_high: float
    unbeaten: bool
    deploys_in: str
    harmed: str


class PaceRow(NamedTuple):
    """A strategy at another pace: time (s) and users harmed (share)."""

    strategy: str
    pace: float
    time: float
    harm: float


class Stage(NamedTuple):
    """The share of a strategy's bad releases that are detected at a stage."""

    strategy: str
    stage: str
    order: int
    share: float
    text: str


class Exceeds(NamedTuple):
    """The chance (0..1, with its band) that a bad release harms more than `x` of the users."""

    strategy: str
    x: float
    share: float
    low: float
    high: float


class Part(NamedTuple):
    """A part of the expected bill of a release, in money."""

    strategy: str
    part: str
    order: int
    amount: float
    text: str


class Total(NamedTuple):
    """The expected bill of a release, in money, and as text with its interval."""

    strategy: str
    amount: float
    text: str
    interval: str


class Look(NamedTuple):
    """An interval as it was after so many replications."""

    replications: int
    value: float
    low: float
    high: float
    text: str


def points(comparison: Comparison) -> list[Point]:
    """Every strategy in the plane of time and harm, where it has both."""
    found = []
    for name, risk in comparison.risk.items():
        time = risk.given_good.time_to_deploy.mean
        harm = risk.given_defect.users_harmed.mean
        if time.value is None or harm.value is None:
            continue
        found.append(
            Point(
                name,
                *_ends(time),
                *_ends(harm),
                name in comparison.front,
                f"{wording.length(time.value)} ({wording.between(time, 's')})",
                f"{wording.share(harm.value)} ({wording.between(harm, 'share')})",
            )
        )
    return found


def paces(comparison: Comparison) -> list[PaceRow]:
    """The curves of pace, where strategies have one."""
    return [
        PaceRow(name, point.pace, point.time_to_deploy.value, point.users_harmed.value)
        for name, curve in comparison.pace.items()
        for point in curve
        if len(curve) > 1
        and point.time_to_deploy.value is not None
        and point.users_harmed.value is not None
    ]


def stages(comparison: Comparison) -> list[Stage]:
    """When the bad releases of every strategy are detected."""
    found = []
    for name, risk in comparison.risk.items():
        for order, (stage, share) in enumerate(zip(STAGES, _shares(risk), strict=True)):
            found.append(Stage(name, stage, order, share, wording.share(share)))
    return found


def _shares(risk: StrategyRisk) -> tuple[float, ...]:
    where = {key: p.value or 0.0 for key, p in risk.given_defect.shares("caught_at").items()}
    before = risk.given_defect.chance("caught_before_full").value or 0.0
    after, never = where.get("after", 0.0), where.get("never", 0.0)
    return before, max(1.0 - before - after - never, 0.0), after, never


def exceedances(comparison: Comparison) -> list[Exceeds]:
    """The curves of exceedance of users harmed, given a defect."""
    found = []
    for name, risk in comparison.risk.items():
        given = risk.given_defect
        curve = exceedance(given.values("users_harmed"), given.strata, _POINTS)
        found += [Exceeds(name, *row) for row in zip(*curve, strict=True)]
    return found


PLANE = ("strategy", "its waits", "deploys in, mean", "users harmed, mean")


def plane(comparison: Comparison) -> list[tuple[str, ...]]:
    """Every strategy as it is, then at its other paces: mean time and harm as text."""
    rows: list[tuple[str, ...]] = [
        (p.strategy, "as they are", p.deploys_in, p.harmed) for p in points(comparison)
    ]
    for name, along in comparison.pace.items():
        for point in along:
            if point.pace != 1:
                time = wording.figure(point.time_to_deploy.value, "s")
                harm = wording.figure(point.users_harmed.value, "share")
                rows.append((name, f"{point.pace:g} times as long", time, harm))
    return rows


EXCEEDED = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5)


def exceeded(comparison: Comparison) -> list[tuple[str, ...]]:
    """For each strategy the chances of harming more than each share of `EXCEEDED`, as text."""
    curves: dict[str, list[Exceeds]] = {}
    for row in exceedances(comparison):
        curves.setdefault(row.strategy, []).append(row)
    return [
        (name, *(wording.share(_beyond(curve, share)) for share in EXCEEDED))
        for name, curve in curves.items()
    ]


def _beyond(curve: Sequence[Exceeds], share: float) -> float:
    """The chance at the last point that is not beyond a share of the users."""
    reached = [row.share for row in curve if row.x <= share]
    return reached[-1] if reached else curve[0].share


def bill(comparison: Comparison) -> list[Part]:
    """The expected loss of one release, good or bad, by what it is made of."""
    currency = comparison.scenario.costs.currency
    return [
        Part(
            name,
            FIGURES[key].meaning.partition(": ")[2],
            order,
            amount,
            wording.money(amount, currency),
        )
        for name, risk in comparison.risk.items()
        for order, key in enumerate(BILL)
        if (amount := risk.all.mean(key) or 0.0) > 0
    ]


def totals(comparison: Comparison) -> list[Total]:
    """The expected loss of one release, good or bad, under every strategy that has one."""
    currency = comparison.scenario.costs.currency
    return [
        Total(name, loss.value, wording.money(loss.value, currency), wording.between(loss, "money"))
        for name, risk in comparison.risk.items()
        if (loss := risk.all.loss.mean).value is not None
    ]


def narrowing(comparison: Comparison, name: str) -> list[Look]:
    """Users harmed by a bad release of a strategy, as known after ever more replications."""
    results = comparison.results
    most = results.replications["good"]
    sizes = [size for size in _LOOKS if size < most]
    found = []
    for size in sizes:
        lengths = {g.number: g.replications for g in strata(results.scenario, size, 1)}
        part = results.first(lengths, [name])
        found.append((size, part.risk()[name].given_defect.users_harmed.mean))
    found.append((most, comparison.risk[name].given_defect.users_harmed.mean))
    return list(_looks(found))


def _looks(found: list[tuple[int, Interval]]) -> Iterator[Look]:
    for size, mean in found:
        if mean.value is not None:
            value, low, high = _ends(mean)
            text = f"{wording.share(value)} ({wording.between(mean, 'share')})"
            yield Look(size, value, low, high, text)


def _ends(interval: Interval) -> tuple[float, float, float]:
    """Value, low and high; where an end is unknown or not finite, the value."""
    value = interval.value or 0.0
    low = value if interval.low is None else interval.low
    high = value if interval.high is None else interval.high
    return value, low, high if math.isfinite(high) else value
