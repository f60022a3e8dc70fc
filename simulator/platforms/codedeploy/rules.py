"""What CodeDeploy works out: hosts at a time, when a deployment has failed, and how traffic shifts.

Source: the CodeDeploy API of August 2026 (botocore) and the user guide of 2023. SAM documents
Linear10PercentEvery10Minutes as 100 minutes; the API says that a step comes at the start of each
interval, so that the tenth comes after 90, and that is what is done here. No simulation calls
`deploy`; the tests hold the simulated hosts against it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from simulator.words.units import Portion, exact

HOSTS = ("AllAtOnce", "HalfAtATime", "OneAtATime")
_STEPS = (
    *("ECSLinear10PercentEvery1Minutes", "ECSLinear10PercentEvery3Minutes"),
    *("ECSCanary10Percent5Minutes", "ECSCanary10Percent15Minutes"),
    *("LambdaCanary10Percent5Minutes", "LambdaCanary10Percent10Minutes"),
    *("LambdaCanary10Percent15Minutes", "LambdaCanary10Percent30Minutes"),
    *("LambdaLinear10PercentEvery1Minute", "LambdaLinear10PercentEvery2Minutes"),
    *("LambdaLinear10PercentEvery3Minutes", "LambdaLinear10PercentEvery10Minutes"),
)
SHIFTS = ("ECSAllAtOnce", "LambdaAllAtOnce", *_STEPS)
_STEP = re.compile(r"(?:ECS|Lambda)(Linear|Canary)(\d+)Percent(?:Every)?(\d+)Minutes?")


LONGEST_SHIFT = 2880  # minutes from the first to the last increment


class Shift(NamedTuple):
    """A weight of the new version, and how long it stays until the next one (seconds)."""

    weight: float
    wait: float


class Verdict(NamedTuple):
    """What became of a deployment: hosts on which it was tried, and those of them that failed."""

    success: bool
    tried: int
    failed: int


def minimum_of(config: str, size: int) -> int:
    """Hosts that have to stay healthy under a published configuration.

    Half of them, rounded up, or all but one; always fewer than there are, so that one host, too,
    can be deployed to.
    """
    wanted = {"AllAtOnce": 0, "HalfAtATime": math.ceil(size / 2), "OneAtATime": size - 1}
    return min(wanted[config], size - 1)


def minimum(size: int, healthy: Portion) -> int:
    """Hosts that have to stay healthy: a count, or a share rounded up (9 at 40 % are 4)."""
    if healthy.is_share:
        return math.ceil(size * exact(healthy.number))
    return int(healthy.number)


def deploy(results: Sequence[bool], least: int) -> Verdict:
    """How a deployment goes whose hosts come to these results, in this order.

    Hosts are taken as long as `least` stay healthy; one that has failed is not healthy. It stops
    when none may be taken any more, and has failed then, or when no host at all has succeeded.
    """
    size, started, failed = len(results), 0, 0
    for finished, success in enumerate(results):
        started = max(started, min(size, finished + size - failed - least))
        if started <= finished:
            return Verdict(False, finished, failed)
        failed += not success
    return Verdict(failed < size, size, failed)


def zones(size: int, number: int) -> tuple[int, ...]:
    """Hosts of each zone, spread evenly; the first ones have one more."""
    return tuple(size // number + (zone < size % number) for zone in range(number))


def is_shift(config: str | None) -> bool:
    """Whether a configuration shifts traffic: a published one, or one's own in the same words."""
    return config is not None and (config in SHIFTS or _STEP.fullmatch(config) is not None)


def refuse_shift(config: str) -> str:
    """Why CodeDeploy refuses a configuration of one's own, or nothing."""
    found = _STEP.fullmatch(config)
    if found is None:
        return ""
    kind, percent, minutes = found[1], int(found[2]), int(found[3])
    if not 1 <= percent <= 99:
        return f"an increment is {percent}%: it is from 1% to 99%"
    steps = 1 if kind == "Canary" else math.ceil(100 / percent) - 1
    if not 1 <= minutes * steps <= LONGEST_SHIFT:
        return f"its shift takes {minutes * steps} minutes: it takes from 1 to {LONGEST_SHIFT}"
    return ""


def shifts(config: str) -> tuple[Shift, ...]:
    """The weights of a published configuration of ECS or Lambda; the first one comes at once."""
    found = _STEP.fullmatch(config)
    if found is None:
        return (Shift(1.0, 0.0),)
    kind, percent, minutes = found[1], int(found[2]), 60.0 * int(found[3])
    if kind == "Canary":
        return Shift(percent / 100, minutes), Shift(1.0, 0.0)
    steps = range(percent, 100, percent)
    return (*(Shift(weight / 100, minutes) for weight in steps), Shift(1.0, 0.0))
