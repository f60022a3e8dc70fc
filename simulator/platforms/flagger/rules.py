"""What Flagger's control loop does with a canary: one tick after the other, and nothing between.

Source: fluxcd/flagger, pkg/controller/scheduler.go, scheduler_metrics.go, pkg/canary/
deployment_ready.go and pkg/apis/flagger/v1beta1/canary.go. Weights are shares of the traffic; the
controller has whole per cent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import Literal, NamedTuple

SHORTEST_INTERVAL, USUAL_INTERVAL = 10.0, 60.0
USUAL_WINDOW = 60.0
KUBERNETES_ITERATIONS = 10
_ALL, _NOTHING = Fraction(1), Fraction(0)


class Analysis(NamedTuple):
    """How a canary is analysed.

    `threshold` failed checks are too many; `step` or else `steps` lead to `highest` or to the last
    of the steps; `back` is the step in which traffic leaves the canary after the promotion (0: all
    at once). `iterations` above 0 checks as often without steps: of `matched` users, or, without
    them, of a canary that no user sees. `mirror` copies requests beforehand; without a `mesh`
    (provider kubernetes) no traffic can be shifted.
    """

    threshold: int = 1
    highest: Fraction = _ALL
    step: Fraction = _NOTHING
    steps: tuple[Fraction, ...] = ()
    back: Fraction = _NOTHING
    iterations: int = 0
    matched: bool = False
    mirror: bool = False
    mesh: bool = True

    @property
    def target(self) -> Fraction:
        """The weight at which the canary is promoted; the last of the steps wins over `highest`."""
        return min(self.steps[-1], _ALL) if self.steps else self.highest or _ALL

    @property
    def checks(self) -> int:
        """Iterations; without a mesh there are 10 of them where none is asked for."""
        if self.mesh or self.iterations > 0:
            return self.iterations
        return KUBERNETES_ITERATIONS

    @property
    def by_match(self) -> bool:
        """Whether it is an A/B test."""
        return self.matched and self.mesh and self.checks > 0


Phase = Literal["progressing", "promoting", "finalising", "succeeded", "failed"]


class Status(NamedTuple):
    """A canary between two ticks: its phase, its weight, and what has been counted."""

    phase: Phase = "progressing"
    weight: Fraction = _NOTHING
    mirrored: bool = False
    iterations: int = 0
    failed: int = 0


class Stage(NamedTuple):
    """A weight that holds for so many good checks, with requests mirrored or not."""

    weight: Fraction
    mirrored: bool
    checks: int


def interval(seconds: float | None) -> float:
    """The time between two ticks (seconds): 60 where it is not said, 10 at least."""
    return USUAL_INTERVAL if seconds is None else max(seconds, SHORTEST_INTERVAL)


def threshold(count: int) -> int:
    """The failed checks that are too many: one where none is said."""
    return count if count > 0 else 1


def next_step(analysis: Analysis, weight: Fraction) -> Fraction:
    """What is added to the weight after a good check; 0 or less: the canary never moves."""
    if analysis.step > 0 or not analysis.steps:
        return analysis.step
    room = _ALL - weight
    if not room:
        return _ALL
    if not weight:
        return min(room, analysis.steps[0])
    for this, following in zip(analysis.steps, analysis.steps[1:], strict=False):
        if this == weight:
            return min(room, following - weight)
    return room


def tick(analysis: Analysis, now: Status, good: bool = True, ready: bool = True) -> Status:
    """One turn of the control loop.

    `good` says what hooks and metrics come to; at weight 0 without mirroring only the pre-rollout
    hooks are asked. Until the pods of both versions are `ready` nothing happens. Too many failed
    checks are found at the start of a turn, before anything is checked.
    """
    if not ready or now.phase in ("succeeded", "failed"):
        return now
    if now.phase == "promoting":
        return _back(analysis, now)
    if now.phase == "finalising":
        return now._replace(phase="succeeded")
    if now.failed >= threshold(analysis.threshold):
        return now._replace(phase="failed", weight=_NOTHING, mirrored=False)
    if not good:
        return now._replace(failed=now.failed + 1)
    if analysis.by_match:
        return _iterated(analysis, now, _ALL)
    if analysis.checks > 0:
        return _blue_green(analysis, now)
    return _stepped(analysis, now)


def _iterated(analysis: Analysis, now: Status, weight: Fraction) -> Status:
    """One of the iterations, or the promotion after them."""
    if now.iterations < analysis.checks:
        return now._replace(weight=weight, iterations=now.iterations + 1)
    return now._replace(phase="promoting")


def _blue_green(analysis: Analysis, now: Status) -> Status:
    """After the iterations all traffic goes to the canary for one more check."""
    count = now.iterations
    if count < analysis.checks:
        mirrored = now.mirrored or (analysis.mirror and analysis.mesh)
        return now._replace(mirrored=mirrored, iterations=count + 1)
    if count == analysis.checks:
        weight = _ALL if analysis.mesh else now.weight
        return now._replace(weight=weight, mirrored=False, iterations=count + 1)
    return now._replace(phase="promoting")


def _stepped(analysis: Analysis, now: Status) -> Status:
    step = next_step(analysis, now.weight)
    if step <= 0:
        return now
    if now.weight >= analysis.target:
        return now._replace(phase="promoting")
    if analysis.mirror and not now.weight and not now.mirrored:
        return now._replace(mirrored=True)
    return now._replace(weight=min(now.weight + step, _ALL), mirrored=False)


def _back(analysis: Analysis, now: Status) -> Status:
    """The primary runs the new version by now: traffic leaves the canary."""
    weight = max(now.weight - analysis.back, _NOTHING) if analysis.back > 0 else _NOTHING
    if not analysis.mesh:
        weight = now.weight
    return now._replace(phase="promoting" if weight > 0 else "finalising", weight=weight)


def course(analysis: Analysis, results: Iterable[bool]) -> Iterator[Status]:
    """The status after each tick, given whether its checks were good."""
    now = Status()
    for good in results:
        now = tick(analysis, now, good)
        yield now


@cache
def stages(analysis: Analysis) -> tuple[Stage, ...]:
    """The weights up to the promotion and the good checks that each needs; none if it is stuck.

    The first is in force from the first tick at which the canary is ready, the promotion begins
    with the tick of the last check.
    """
    passed = list[Status]()
    now, after = Status(), tick(analysis, Status())
    while after.phase == "progressing":
        if after == now:
            return ()
        now = after
        passed.append(now)
        after = tick(analysis, now)
    pairs = groupby(passed, key=lambda status: (status.weight, status.mirrored))
    return tuple(Stage(*pair, checks=len(list(same))) for pair, same in pairs)


@cache
def ticks_back(analysis: Analysis) -> int:
    """The ticks that it takes until no traffic is left on the canary, once it is promoted."""
    held = stages(analysis)
    now, count = Status("promoting", held[-1].weight if held else _NOTHING), 0
    while now.phase == "promoting":
        now, count = tick(analysis, now), count + 1
    return count


def least_time(analysis: Analysis, every: float) -> float:
    """The least seconds from the first weight to the promotion: interval x max weight / step
    weight, or interval x iterations, as it is documented.
    """
    return every * sum(stage.checks for stage in stages(analysis))


def rollback_time(analysis: Analysis, every: float) -> float:
    """The seconds from the first weight of a canary whose checks all fail to its rollback.

    One interval more than the documented interval x threshold: the next tick finds out.
    """
    return every * (threshold(analysis.threshold) + 1)


class Limit(NamedTuple):
    """A metric: the share of `bad` requests above which a check fails, over so many `ticks`."""

    bad: Literal["errors", "late", "bad"]
    above: Fraction
    ticks: int


class Checks(NamedTuple):
    """What has been checked: failed checks so far, and what the last ticks counted.

    `seen` are (failed, late, all) requests of the canary, tick by tick, the newest last; `good` is
    what the last check came to.
    """

    failed: int = 0
    seen: tuple[tuple[int, int, int], ...] = ()
    good: bool = True

    def after(
        self,
        seen: tuple[int, int, int] | None,
        limits: tuple[Limit, ...],
        no_data_fails: bool,
        tested: int = 0,
    ) -> Checks:
        """The next check, with what this tick has counted; nobody looking (None) is no failure.

        So many good requests of a load test are `tested` beside it. A failed check is never
        forgotten.
        """
        if seen is None:
            return Checks(self.failed)
        most = max((limit.ticks for limit in limits), default=1)
        failed, late, every = seen
        rows = (*self.seen, (failed, late, every + tested))[-most:]
        good = not any(exceeded(rows, limit, no_data_fails) for limit in limits)
        return Checks(self.failed + (not good), rows, good)


def exceeded(
    rows: tuple[tuple[int, int, int], ...], limit: Limit, no_data_fails: bool = True
) -> bool:
    """Whether a metric fails its check: above its limit, not at it; or without any requests."""
    failed, late, every = (sum(column) for column in zip(*rows[-limit.ticks :], strict=True))
    if not every:
        return no_data_fails
    bad = {"errors": failed, "late": late, "bad": failed + late}[limit.bad]
    return Fraction(bad, every) > limit.above


def window_ticks(window: float, every: float) -> int:
    """Whole ticks that cover the window of a metric (both in seconds)."""
    return max(math.ceil(Fraction(window) / Fraction(every)), 1)
