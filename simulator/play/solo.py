"""A clock for one script with nothing beside it: SimPy's order of events at a third of the cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.events import NORMAL, URGENT


class Awaited:
    """Something that a script waits for, and that may never happen."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Solo) -> None:
        self._clock = clock

    def succeed(self) -> None:
        """It happens now; only the script that waits for it may be there."""
        self._clock.wake(0.0)


class Solo:
    """What a rollout asks of `simpy.Environment`, for a single process.

    Events are handled by time, then urgency, then in the order in which they were asked for, as
    SimPy does, so that a script takes the same time to the last digit. Seconds.
    """

    __slots__ = ("_asked", "_now", "_queue", "_script", "_waits")

    def __init__(self) -> None:
        self._now = 0.0
        self._queue: list[tuple[float, int, int, Callable[[], object] | int]] = []
        self._asked = self._waits = 0
        self._script: Generator[Any, Any, None] | None = None

    @property
    def now(self) -> float:
        """What time it is, seconds."""
        return self._now

    def _ask(self, when: float, urgency: int, what: Callable[[], object] | int) -> None:
        self._asked += 1
        heappush(self._queue, (when, urgency, self._asked, what))

    def process(self, script: Generator[Any, Any, None]) -> Solo:
        """The one process, which this clock stands for as well."""
        self._script = script
        self._ask(self._now, URGENT, self._waits)
        return self

    def wake(self, delay: float) -> None:
        """Let the script go on in so many seconds, unless it waits for something else then."""
        self._asked += 1
        heappush(self._queue, (self._now + delay, NORMAL, self._asked, self._waits))

    def timeout(self, delay: float) -> None:
        """The same, as a rollout's scripts say it."""
        self.wake(delay)

    def event(self) -> Awaited:
        """Something that may never happen."""
        return Awaited(self)

    def interrupt(self, cause: object) -> None:
        """Give up what the script waits for, and tell it why."""
        self._waits += 1
        self._ask(self._now, URGENT, lambda: self._go_on(simpy.Interrupt(cause)))

    def _go_on(self, reason: simpy.Interrupt) -> None:
        assert self._script is not None
        try:
            self._script.throw(reason)
        except StopIteration:
            self._script = None

    def at(self, when: float, call: Callable[[], None], urgent: bool = False) -> None:
        """Let `call` happen at the moment `when` (seconds)."""
        wait = when - self._now
        self._ask(self._now + (wait if wait > 0.0 else 0.0), URGENT if urgent else NORMAL, call)

    def leave(self) -> None:
        """Forget the script, which may hang, and whatever was to come."""
        self._queue.clear()
        self._script = None

    def peek(self) -> float:
        """When something happens next, seconds; infinite if nothing does."""
        return self._queue[0][0] if self._queue else math.inf

    def step(self) -> None:
        """Let the next event happen."""
        self._now, _, _, what = heappop(self._queue)
        if not isinstance(what, int):
            what()
        elif what == self._waits and self._script is not None:
            next(self._script, None)


__all__ = ["Awaited", "Solo"]
