"""What Elastic Beanstalk works out for a deployment: batches, capacity, and health.

Source: AWS Elastic Beanstalk developer guide of 2023. How a batch in per cent is rounded is not
documented there. It is rounded up here, as the guide says of configuration updates, and is one
instance at least. A simulation calls `batch` alone; the rest is for readers, and the tests hold
documented examples and simulated capacity against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from simulator.words.units import Portion, exact

Policy = Literal[
    "all_at_once", "rolling", "rolling_with_additional_batch", "immutable", "traffic_splitting"
]
CHECKS, CHECK_EVERY = 12, 10.0
WORKER_CHECKS = 18
COMMAND_TIMEOUT, COMMAND_GRACE = 600.0, 240.0
SHORTEST_COMMAND, LONGEST_COMMAND = 1.0, 3600.0
SHORTEST_EVALUATION, LONGEST_EVALUATION = 3 * 60.0, 600 * 60.0


class Capacity(NamedTuple):
    """The fewest instances that serve while a good version is deployed, and the most there are."""

    least: int
    most: int


def batch(size: int, portion: Portion) -> int:
    """Instances of a batch: a count, or a share rounded up, from one to all."""
    wanted = size * exact(portion.number) if portion.is_share else int(portion.number)
    return min(max(math.ceil(wanted), 1), size)


def batches(size: int, each: int) -> int:
    """How many batches there are; the last one may be smaller."""
    return -(-size // each)


def capacity(policy: Policy, size: int, each: int) -> Capacity:
    """Capacity during a deployment of an environment of `size` in batches of `each`."""
    match policy:
        case "all_at_once":
            return Capacity(0, size)
        case "rolling":
            return Capacity(size - each, size)
        case "rolling_with_additional_batch":
            return Capacity(size, size + each)
    return Capacity(size, 2 * size)


def configuration_batch(least: int) -> int:
    """Instances of a batch of a configuration update: a third of the group's minimum, rounded up.

    A configuration update replaces instances; it is no deployment of a version.
    """
    return math.ceil(least / 3)


def healthy_after(checks: Sequence[bool], needed: int = CHECKS) -> int | None:
    """The check with which so many in a row have passed, counted from 1; None if there is none.

    A miss starts the count again. A web server needs 12 in two minutes, a worker 18 in three.
    """
    passed = 0
    for number, success in enumerate(checks, 1):
        passed = passed + 1 if success else 0
        if passed == needed:
            return number
    return None
