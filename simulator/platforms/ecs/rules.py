"""What ECS works out for a service deployment: limits of running tasks, and failures it accepts.

Source: the ECS API of August 2026 (botocore) and the developer guide of 2023. Where the two
disagree the newer holds: the least threshold of the circuit breaker is 3, it was 10 in 2023.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulator.words.units import Portion, exact

FEWEST_FAILURES, MOST_FAILURES = 3, 200


class Limits(NamedTuple):
    """Tasks that have to run, and tasks that may run or start, during a deployment."""

    lower: int
    upper: int


def limits(desired: int, minimum: float, maximum: float) -> Limits:
    """The lower limit is rounded up, the upper one down; both shares of the desired tasks."""
    return Limits(math.ceil(desired * exact(minimum)), math.floor(desired * exact(maximum)))


def startable(bounds: Limits, running: int, pending: int = 0) -> int:
    """How many tasks may be started now."""
    return max(bounds.upper - running - pending, 0)


def stoppable(bounds: Limits, running: int) -> int:
    """How many running tasks may be stopped now."""
    return max(running - bounds.lower, 0)


def stuck(desired: int, bounds: Limits) -> bool:
    """Whether no task may be started and none stopped: the deployment never begins."""
    return not startable(bounds, desired) and not stoppable(bounds, desired)


def failures(desired: int, threshold: Portion) -> int:
    """Failed tasks at which the circuit breaker says that the deployment has failed.

    A count is taken as it is; a share of the desired tasks is rounded up and kept within 3 to 200.
    """
    if not threshold.is_share:
        return int(threshold.number)
    wanted = math.ceil(desired * exact(threshold.number))
    return min(max(wanted, FEWEST_FAILURES), MOST_FAILURES)


def weights(step: float) -> tuple[float, ...]:
    """The weights of equal steps: the last one is 1."""
    part = exact(step)
    return tuple(min(float(part * k), 1.0) for k in range(1, math.ceil(1 / part) + 1))
