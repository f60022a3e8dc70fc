"""A rollout: its life from the decision to deploy, through detection and response, to its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy
from simpy.events import NORMAL, URGENT

from simulator.play.counts import Counts
from simulator.play.fault import GOOD, Fault
from simulator.play.fleet import NEW, OLD, Fleet
from simulator.play.luck import Luck, Purpose
from simulator.play.pool import PoolVerbs
from simulator.play.respond import delay_to_decision
from simulator.play.router import Router
from simulator.play.stretch import Stretch
from simulator.play.verbs import geometric
from simulator.play.watch import Watch

if TYPE_CHECKING:
    from simulator.play.plan import Plan

ALL_TRAFFIC = 0.999
NO_TRAFFIC = 0.001


class Entry(NamedTuple):
    """One line of the journal: seconds since the decision to deploy, the verb, its detail."""

    time: float
    verb: str
    detail: Any


class Rollout(PoolVerbs):
    """One release of one service: what a strategy is handed, and everything that happens to it.

    Times are seconds since the decision to deploy; NaN means that it has not happened.
    """

    def __init__(self, env: simpy.Environment, plan: Plan, luck: Luck, fault: Fault) -> None:
        self.env = env
        self.plan = plan
        self.luck = luck
        self.fault = fault
        self.strategy = plan.strategy
        self.pace = plan.strategy.pace
        self.fleet = Fleet(plan.size)
        self.router = Router(plan.scenario.router.propagation)
        sticky = plan.traffic.sticky or self.strategy.always_sticky
        self.counts = Counts(plan, fault, luck, sticky)
        self.journal: list[Entry] = []
        self.phase = "start"
        self.announced = False
        self.incident = 0.0
        self.starts = [0, 0]
        self.base, self.span = 0.0, 1.0
        self.tripped = False
        self.watching = True
        self.watched = True
        self.holding = False
        self.ended = False
        self.limit = plan.limit
        self.full_at = self.last_watch = self.script_end = math.nan
        self.detected_at = self.decided_at = math.nan
        self.caught_by, self.caught_at, self.weight_when_caught = "", "never", math.nan
        self.share_90 = self.restored_at = math.nan
        self.weight_to_undo = 0.0
        self.outage_before = 0.0
        self.finished = False
        self.parallel_since, self.double_work, self.double_work_price = math.nan, 0.0, 0.0
        self.judging, self.baseline = None, 0
        self.stretch: Stretch | None = None
        self.watch = Watch(self, self.counts)

    def note(self, verb: str, detail: Any = None) -> None:
        """Append an entry to the journal."""
        self.journal.append(Entry(self.env.now, verb, detail))

    def at(self, when: float, call: Callable[[], None], urgent: bool = False) -> None:
        """Let `call` happen at the moment `when` (seconds), whatever becomes of the script."""
        env = self.env
        event = simpy.Event(env)
        event._ok = True
        event._value = None
        assert event.callbacks is not None
        event.callbacks.append(lambda _: call())
        env.schedule(event, URGENT if urgent else NORMAL, max(when - env.now, 0.0))

    def advance(self, a: float, b: float) -> float:
        """Count from a to b, or to the first moment at which a detector has something to say."""
        fleet, router = self.fleet, self.router
        self.tripped = False
        while a < b:
            stretch = self.stretch
            if stretch is None or fleet.changed or router.changed or a >= stretch.until:
                fleet.changed = router.changed = False
                stretch = Stretch(self.plan, fleet, router, self.fault, a, self.incident)
                self.stretch = stretch
                if self._begin(stretch, a):
                    self._first_harm(a)
                    return a
            end = min(b, stretch.until)
            if self.watch.active:
                reached = self.watch.observe(stretch, a, end)
                if reached < end or self.tripped:
                    return reached
            else:
                self.counts.add(stretch, a, end, None, self.announced)
            a = end
        return b

    def _begin(self, stretch: Stretch, now: float) -> bool:
        weight = stretch.weight
        if not self.decided_at <= now:
            if weight >= ALL_TRAFFIC and self.full_at != self.full_at:
                self.full_at = now
        elif not stretch.nobody:
            back = weight <= 0.1 * self.weight_to_undo + 1e-12 and not self.router.coming
            if self.share_90 != self.share_90 and back:
                self.share_90 = now
            if self.restored_at != self.restored_at and self._restored(weight):
                self.restored_at = now
        return self.counts.begin(stretch, now)

    def _restored(self, weight: float) -> bool:
        return (
            weight <= NO_TRAFFIC
            and not self.router.coming
            and self.fleet.drift is None
            and self.fleet.up[OLD] >= self.fleet.size
        )

    def _first_harm(self, now: float) -> None:
        """Start the detectors that count from the first harm by the defect."""
        if not self.watch.active:
            return
        detection, luck = self.plan.scenario.detection, self.luck
        if detection.noticed is not None:
            after = detection.noticed.after.sample(luck.uniform(Purpose.NOTICED))
            self.trip("noticed", now + after)
        audit = detection.audit
        if audit is not None and self.fault.corrupt > 0 and audit.coverage > 0:
            rounds = geometric(audit.coverage, luck.uniform(Purpose.AUDIT_FINDS))
            phase = luck.uniform(Purpose.AUDIT_PHASE) * audit.every
            first = math.ceil((now - phase) / audit.every) * audit.every + phase
            self.trip("audit", first + (rounds - 1) * audit.every)

    def trip(self, by: str, when: float) -> None:
        """A detector will have something to say at the moment `when` (seconds)."""
        if self.watch.active and when < math.inf:
            self.tripped = True
            self.at(when, lambda: self.abort(by), urgent=True)

    def abort(self, by: str) -> None:
        """Something was detected now: note it once, and have the response decided."""
        if self.caught_by or self.ended:
            return
        now = self.env.now
        self.caught_by, self.detected_at = by, now
        self.watch.active = False
        self.caught_at = self.phase if self.watched else "after"
        self.weight_when_caught = self.weight()
        self.note("detect", by)
        if self.watched and self.plan.scenario.response.hold:
            self.holding = True
        self.at(now + delay_to_decision(self, by), self._decide, urgent=True)

    def weight(self) -> float:
        """The share of the traffic on the new version now."""
        if self.fleet.drift is not None:
            return Stretch(self.plan, self.fleet, self.router, self.fault, self.env.now, 0.0).weight
        weight = self.router.share(self.fleet)
        return weight if weight == weight else 0.0

    def _decide(self) -> None:
        if self.ended:
            return
        self.decided_at = self.env.now
        self.weight_to_undo = self.weight()
        self.outage_before = self.counts.outage
        self.note("decide", "roll back")
        self.process.interrupt(self.caught_by)

    def live(self) -> Generator[simpy.Event, Any, None]:
        """The whole life: release, watch, follow up; or, once something is decided, roll back."""
        response = self.plan.scenario.response
        env = self.env
        try:
            yield from self.strategy.release(self)
            self._script_done()
            if self.watching:
                yield env.timeout(response.watch)
                self.watched = False
                self.counts.failed_before = self.counts.failed
                self.note("watched phase over")
                if self.fault is not GOOD or response.automatic == "always":
                    start = self.full_at if self.full_at == self.full_at else env.now
                    yield env.timeout(max(start + self.plan.scenario.follow_up - env.now, 0.0))
                if self.caught_by:
                    yield env.event()
        except simpy.Interrupt:
            self.fleet.settle(env.now)
            self.holding = False
            yield from self._roll_back()
        self.ended = True

    def _script_done(self) -> None:
        self.script_end = self.env.now
        self.phase = "watch"
        self.finished = True
        if self.full_at != self.full_at and self.weight() >= ALL_TRAFFIC:
            self.full_at = self.env.now
        self.note("deployed")

    def _roll_back(self) -> Generator[simpy.Event, Any, None]:
        self.phase = "roll back"
        self.note("roll back")
        self.fleet.cancel(self.env.now)
        self.base, self.span, self.pace = 0.0, 1.0, self.strategy.pace
        yield from self.strategy.roll_back(self)
        self.note("rolled back")

    def begin_life(self) -> None:
        """Start the process; the loop in `replication` does the rest."""
        self.process = self.env.process(self.live())


__all__ = ["ALL_TRAFFIC", "NEW", "NO_TRAFFIC", "Entry", "Rollout"]
