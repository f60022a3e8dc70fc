"""Work that waits in a queue, as a fluid: consumers pull it, the oldest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from simulator.play.plan import Plan

_NOTHING: Final = 1e-6
_INSTANT: Final = 1e-9
_PIECE: Final = 60.0


class Flow(NamedTuple):
    """What a queue does until `until` (seconds): `served` times what arrives is worked on, and
    whether that is `late`.
    """

    served: float
    late: bool
    until: float


class Backlog:
    """The requests that wait: r - c more a second while c of the r that come are worked on.

    The oldest is as old as the time in which as many have come as wait, because it is the first to
    be pulled; work is late while that is above the deadline. No backlog is worked off in less than
    a second. Where the traffic varies, rates are means over pieces of a minute.
    """

    __slots__ = ("_level", "_net", "_plan", "_since")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._level = self._net = self._since = 0.0

    def waiting(self, now: float) -> float:
        """How many requests wait at a moment up to the next change."""
        level = self._level + self._net * (now - self._since)
        return level if level > _NOTHING + _INSTANT * abs(self._net) else 0.0

    def left(self, now: float) -> float:
        """Seconds until none waits, if nothing changes; those of a piece while they become more."""
        level = self.waiting(now)
        if not level:
            return 0.0
        return max(level / -self._net, _NOTHING) if self._net < 0 else _PIECE

    def flow(self, now: float, capacity: float) -> Flow:
        """From now on consumers work on so many requests/s."""
        plan, level = self._plan, self.waiting(now)
        rate, until = plan.rate, math.inf
        if not plan.steady:
            until = now + _PIECE if level or plan.peak > capacity else math.inf
            rate = plan.requests_between(now, now + _PIECE) / _PIECE
        capacity = min(capacity, rate + level) if level else capacity
        self._level, self._since = level, now
        self._net = rate - capacity if level or rate > capacity else 0.0
        if not self._net and not level:  # everything is pulled as it comes
            return Flow(1.0, False, until)
        most = plan.requests_between(now - plan.deadline, now)
        near = abs(level - most) <= _NOTHING * max(most, 1.0) + _INSTANT * abs(self._net)
        late = self._net > 0 if near else level > most
        if self._net < 0:
            end = most if late and not near else 0.0
            until = min(until, now + (level - end) / -self._net)
        elif self._net > 0 and not late:
            until = min(until, now + (most - level) / self._net)
        until = max(until, now + _NOTHING)
        return Flow(capacity / rate if rate > 0 else 1.0, late, until)
