"""What a script waits for before a step: a stalled tool, working hours, a person's approval."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

import simpy
from simpy.events import NORMAL, URGENT

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.solo import Solo
    from simulator.play.trouble import Stalls
    from simulator.words.calendar import Calendar
    from simulator.words.distributions import Distribution

_INSTANT: Final = 1e-3  # seconds; dates are not told more finely

Script = Generator[simpy.Event, Any, None]


class Waits:
    """The waiting verbs of a rollout, its journal and calendar, and the gate that steps pass.

    With `solo` the script has a clock of its own, and nothing else happens.
    """

    env: simpy.Environment
    solo: Solo | None
    plan: Plan
    luck: Luck
    stalls: Stalls | None
    billed: bool
    by_hand: bool
    caught_by: str
    holding: bool
    last_watch: float
    _noted: list[tuple[float, str, Any]]

    @property
    def now(self) -> float:
        """What time it is, seconds: SimPy's clock without the call of its own property."""
        return self.env._now

    def note(self, verb: str, detail: Any = None) -> None:
        """Append an entry to the journal."""
        self._noted.append((self.now, verb, detail))

    def at(self, when: float, call: Callable[[], None], urgent: bool = False) -> None:
        """Let `call` happen at the moment `when` (seconds), whatever becomes of the script."""
        if self.solo is not None:
            self.solo.at(when, call, urgent)
            return
        env = self.env
        event = simpy.Event(env)
        event._ok = True
        event._value = None
        assert event.callbacks is not None
        event.callbacks.append(lambda _: call())
        wait = when - self.now
        env.schedule(event, URGENT if urgent else NORMAL, wait if wait > 0.0 else 0.0)

    def _gate(self, begins: bool = True) -> Script:
        """No step starts while the tool stalls, when the calendar forbids it, nor while a response
        is being decided. Watching begins nothing that a calendar could forbid.
        """
        if self.stalls is not None:
            yield from self._wait_for_tool(self.stalls)
        if begins and self.plan.calendar is not None and self.billed and not self.caught_by:
            yield from self._wait_for_calendar(self.plan.calendar)
        if self.holding:
            yield self.env.event()

    def _wait_for_tool(self, stalls: Stalls) -> Script:
        until = stalls.until(self.now)
        if until > self.now:
            self.note("tool stalled", until - self.now)
            yield self.env.timeout(until - self.now)

    def _wait_for_calendar(self, calendar: Calendar) -> Script:
        clock, now = self.plan.clock, self.now
        moment = clock.wall(now)
        opens = calendar.opens(moment, self.plan.work_only)
        if opens - moment > _INSTANT:
            wait = clock.until(opens, now)
            self.note("wait for hours", wait)
            yield self.env.timeout(wait)

    def _answered_after(self, answering: Distribution) -> float:
        """Seconds until a person who is asked now has answered; in working hours if they are
        stated.
        """
        clock, now = self.plan.clock, self.now
        takes = answering.sample(self.luck.uniform(Purpose.APPROVE, int(now)))
        if self.plan.office is None or not self.billed:
            return takes
        return clock.until(self.plan.office.worked(clock.wall(now), takes), now)

    def approve(self, waiting: Distribution | None) -> Script:
        """Wait for a person's approval, if the step asks for one."""
        if waiting is None:
            return
        yield from self._gate()
        takes = self._answered_after(waiting)
        self.note("ask for approval", takes)
        yield self.env.timeout(takes)
        self.note("approved")
        self.by_hand = True
        self.last_watch = self.now
