"""What Spinnaker works out for a canary: its analysis runs, their verdicts, and how scores add up.

Source: spinnaker/spinnaker at 1c0cda3, orca-kayenta (RunCanaryIntervalsStage,
MonitorKayentaCanaryTask, AggregateCanaryResultsTask) and kayenta-judge; spinnaker.io at 3bc6188.
The documentation calls both thresholds inclusive; the code that runs the stage fails a run whose
score is not above the marginal one, and that is what is done here. A simulation calls `schedule`,
`above`, `of_seen` and `canary_share`; the rest is for readers and tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from simulator.words.units import Portion, exact

MINUTE = 60.0
STEP = 60.0  # seconds between two values of a metric
LIFETIME, INTERVAL = 3 * 3600.0, 3600.0
PASSING, MARGINAL = 0.95, 0.75
_HALF_A_DIGIT = 0.5e-4  # scores are rounded to hundredths of a point


class Run(NamedTuple):
    """One analysis run: when it is made, and since when it looks, seconds of the stage."""

    start: float
    end: float


class Ended(NamedTuple):
    """How a canary stage went: whether it passed, and how many runs it took."""

    passed: bool
    runs: int


def interval_of(lifetime: float, interval: float) -> float:
    """The interval that is in effect, seconds: none, or one above the lifetime, is the lifetime."""
    return lifetime if interval == 0 or interval > lifetime else interval


def schedule(
    lifetime: float, interval: float = 0.0, lookback: float = 0.0, delay: float = 0.0
) -> tuple[Run, ...]:
    """The analysis runs of a canary stage, seconds from its start.

    As many as whole intervals fit into the lifetime, in whole minutes: what is left over is not
    waited for. Each looks back to the end of the delay (growing), or over `lookback` seconds when
    that is not 0 (sliding), which may reach into the delay.
    ValueError for a lifetime below a minute.
    """
    if lifetime < MINUTE:
        raise ValueError("a canary's lifetime must be at least a minute")
    each = interval_of(lifetime, interval)
    minutes = max(int(each // MINUTE), 1)
    ends = [delay + each * (number + 1) for number in range(int(lifetime // MINUTE) // minutes)]
    return tuple(Run(end - lookback if lookback > 0 else delay, end) for end in ends)


def fails(score: float, marginal: float) -> bool:
    """Whether a run's score (0 to 100) fails the whole canary at once: it is not above marginal."""
    return score <= marginal


def judged(scores: Sequence[float], passing: float = 95.0, marginal: float = 75.0) -> Ended:
    """How a canary ends whose runs come to these scores (0 to 100).

    A run that is not above `marginal` ends it at once; the last one has to reach `passing`.
    ValueError without any run.
    """
    if not scores:
        raise ValueError("a canary without a run has no verdict")
    for number, score in enumerate(scores, 1):
        if fails(score, marginal):
            return Ended(False, number)
    return Ended(scores[-1] >= passing, len(scores))


def above(marginal: float) -> float:
    """The least score (0..1) that is above `marginal`, as scores are rounded."""
    return min(marginal + _HALF_A_DIGIT, 1.0)


def weights(groups: Sequence[Sequence[str]], given: Mapping[str, float]) -> tuple[float, ...]:
    """The part of the score (0..1) that each metric carries, by the groups it is in.

    `given` are weights of groups in per cent; groups without one share what is left to 100. The
    metrics of a group share its weight evenly, as long as all of them have data.
    """
    names = sorted({name for own in groups for name in own})
    rest = [name for name in names if name not in given]
    left = (100 - sum(map(exact, given.values()))) / len(rest) if rest else Fraction(0)
    whole = {name: exact(given[name]) if name in given else left for name in names}
    members = {name: sum(name in own for own in groups) for name in names}
    return tuple(float(sum(whole[name] / members[name] for name in own) / 100) for own in groups)


def of_seen(threshold: float, unseen: float) -> float:
    """The score (0..1) that the other metrics have to reach when those that carry `unseen` pass.

    0 where they cannot fail the canary, whatever they say.
    """
    if unseen >= 1 or threshold <= unseen:
        return 0.0
    return min((threshold - unseen) / (1 - unseen), 1.0)


def canary_share(production: int, canary: int, baseline: int = 0) -> float:
    """The canary's share of the traffic where every instance gets as many requests."""
    every = production + canary + baseline
    return canary / every if every else 0.0


def surge(size: int, above: Portion) -> int:
    """Pods of a rolling update above the wanted number: a share is rounded up."""
    return math.ceil(exact(above.number) * size) if above.is_share else int(above.number)


def missing(size: int, below: Portion, surge: int) -> int:
    """Pods of a rolling update that may be missing: rounded down; one where nothing could move."""
    count = math.floor(exact(below.number) * size) if below.is_share else int(below.number)
    return min(max(count, 0 if surge else 1), size)
