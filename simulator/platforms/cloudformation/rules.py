"""What CloudFormation works out when it replaces instances: batches, signals, and its triggers.

Source: AWS CloudFormation user guide of 2023 (UpdatePolicy, CreationPolicy, rollback triggers).
No simulation calls `created`; the tests hold documented examples against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.words.units import exact

LONGEST_PAUSE = 3600.0
SIGNALS_WITHIN = 300.0
LONGEST_CREATION = 12 * 3600.0
LONGEST_MONITORING = 180 * 60.0
MOST_TRIGGERS = 5


class Batch(NamedTuple):
    """A rolling update's limits: instances replaced at a time, taken away first, added first."""

    size: int
    leaving: int
    added: int


def batch(size: int, most: int, least: int) -> Batch:
    """The batch for a group of `size` that keeps `least` in service.

    What may not be taken away is added before. The guide does not say what happens when `least`
    leaves nothing to take away; adding is what the group's larger MaxSize, which it asks for, is
    there for (inference).
    """
    count = min(most, size)
    leaving = max(min(count, size - least), 0)
    return Batch(count, leaving, count - leaving)


def signals_needed(size: int, successful: float) -> int:
    """How many instances of an update have to signal success: 5 at 50 % are 3.

    The share counts to a tenth of a per cent.
    """
    return math.ceil(size * round(1000 * exact(successful)) / 1000)


def created(signals: Sequence[tuple[float, bool]], count: int, timeout: float) -> bool:
    """Whether a resource with a CreationPolicy comes to be: (seconds, success) of each signal.

    One failure, or fewer than `count` successes within `timeout` seconds, and its creation fails.
    """
    heard = sorted(signal for signal in signals if signal[0] <= timeout)
    for number, (_, success) in enumerate(heard, 1):
        if not success:
            return False
        if number == count:
            return True
    return count <= 0


def refuse_triggers(alarms: int, monitoring: float) -> str:
    """Why rollback triggers are refused, or nothing; `monitoring` is in seconds."""
    if alarms > MOST_TRIGGERS:
        return f"{alarms} rollback triggers: CloudFormation watches {MOST_TRIGGERS} alarms at most"
    if not 0 <= monitoring <= LONGEST_MONITORING:
        return f"monitoring for {monitoring / 60:g} min: it lasts from 0 to 180 minutes"
    return ""
