"""The exact arithmetic of rate control and maintenance windows.

Sources: AWS Systems Manager user guide (commit dd495cca, 2023) and the API model of botocore
(0e6e2404, 2026).

No simulation calls them: they are for readers, and the tests hold documented examples and simulated
figures against them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

RUN_COMMAND_CONCURRENCY = 50
APPROVED_AFTER = 7 * 86_400.0  # the predefined patch baselines of AWS, seconds after the release


class Worst(NamedTuple):
    """The most targets a command that always fails may break, and how many had to fail for it."""

    broken: int
    errors: int


def groups(targets: int, concurrency: int) -> tuple[int, ...]:
    """Sizes of the groups of an automation, one after the other: 1, 2, 4 ... up to `concurrency`.

    Raises ValueError unless concurrency is at least 1.
    """
    if concurrency < 1:
        raise ValueError("concurrency must be at least 1")
    found, size = [], 1
    while targets > 0:
        found.append(min(size, concurrency, targets))
        targets -= found[-1]
        size *= 2
    return tuple(found)


def accepted(max_errors: int | float, targets: int) -> int:
    """Errors that do not stop a command yet: a count, or a share (a float) of the targets.

    3 stops at the 4th error, 0 at the first; 10 % of 50 at the sixth, as the API says (the guide of
    2023 once says fifth).
    """
    return math.floor(max_errors * targets + 1e-9) if isinstance(max_errors, float) else max_errors


def worst(targets: int, concurrency: int, max_errors: int | float = 0) -> Worst:
    """What a command breaks that fails on every target: those under way finish.

    The error above the accepted ones is the last of the first accepted + 1; all others of a full
    window are under way: concurrency + accepted in all.
    """
    most = accepted(max_errors, targets)
    return Worst(min(concurrency + most, targets), min(most + 1, targets))


def time_for_all(targets: int, concurrency: int, run: float, ramp: bool = False) -> float:
    """Seconds until a command that takes `run` seconds on a target has succeeded on all."""
    rounds = len(groups(targets, concurrency)) if ramp else math.ceil(targets / concurrency)
    return rounds * run


def patched_in_window(duration: float, cutoff: float, run: float, concurrency: int) -> int:
    """Targets of one maintenance window: none begins in the last `cutoff` seconds, and those that
    began are finished (`CutoffBehavior: CONTINUE_TASK`). All times are seconds.
    """
    return math.ceil((duration - cutoff) / run - 1e-9) * concurrency


def windows_needed(
    targets: int, duration: float, cutoff: float, run: float, concurrency: int
) -> int:
    """Maintenance windows until all targets are patched; what is unfinished waits for the next."""
    return math.ceil(targets / patched_in_window(duration, cutoff, run, concurrency))


def in_order(tasks: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    """The tasks of a window by priority: the lowest number first, equal numbers in parallel."""
    return tuple(
        tuple(sorted(name for name in tasks if tasks[name] == level))
        for level in sorted(set(tasks.values()))
    )
