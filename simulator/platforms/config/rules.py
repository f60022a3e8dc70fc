"""The exact arithmetic of drift: how long a change by hand stays, and how much of a fleet has one.

Source: AWS Config developer guide (commit 572f3077, 2023).

No simulation calls them: they are for readers, and the tests hold documented examples and simulated
figures against them.
"""

from __future__ import annotations

import math

PERIODS = tuple(3600.0 * hours for hours in (1, 3, 6, 12, 24))  # of a periodic rule, seconds


def found_by_period(period: float, fix: float = 0.0) -> float:
    """Mean seconds a change stays under a rule that looks each `period`: half of it, and a fix.

    The same holds for an association of State Manager that is applied each `period`. Proactive
    evaluation changes nothing about it: it neither blocks nor fixes.
    """
    return period / 2 + fix


def found_on_change(delay: float, fix: float = 0.0) -> float:
    """Seconds a change stays under a rule that is evaluated on change: delay and fix."""
    return delay + fix


def with_retries(found: float, success: float, again: float) -> float:
    """Mean seconds a change stays when a remediation works with probability `success`.

    It is tried again after `again` seconds: found + again (1 - s) / s. Raises ValueError when it
    never works.
    """
    if not 0 < success <= 1:
        raise ValueError("a remediation that never works leaves every change for ever")
    return found + again * (1 - success) / success


def drifted(edits: float, stays: float) -> float:
    """The share of instances that somebody has changed by hand at a moment.

    Each is edited `edits` times a second, and an edit `stays` so many seconds in the mean: edits
    are Poisson, so that none is there with probability exp(-edits x stays) (M/G/infinity).
    """
    return -math.expm1(-edits * stays)
