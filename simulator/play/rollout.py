"""A rollout: its life from the decision to deploy, through detection and response, to its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import simpy

from simulator.play.analyses import AnalysisVerbs
from simulator.play.analysing import AnalysingWatch
from simulator.play.backlog import Backlog
from simulator.play.counts import Counts
from simulator.play.fault import GOOD, Fault
from simulator.play.fleet import NEW, OLD, Fleet
from simulator.play.holders import replaced_after
from simulator.play.lead import before, geometric
from simulator.play.luck import Luck, Purpose
from simulator.play.pacing import Pacing
from simulator.play.pressure import Bucket
from simulator.play.respond import delay_to_decision
from simulator.play.router import Router
from simulator.play.situation import Situation
from simulator.play.stretch import Stretch
from simulator.play.trouble import Stalls
from simulator.play.verbs import NO_TRAFFIC
from simulator.play.visits import Visits
from simulator.play.watch import Watch

if TYPE_CHECKING:
    from simulator.play.plan import Plan

ALL_TRAFFIC: Final = 0.999
_HARMLESS: Final = 0.01


class Entry(NamedTuple):
    """One line of the journal: seconds since the decision to deploy, the verb, its detail."""

    time: float
    verb: str
    detail: Any


class Rollout(AnalysisVerbs):
    """One release of one service: what a strategy is handed, and everything that happens to it.

    Times are seconds since the deployment began; NaN means that it has not happened. `redeploy`
    gives the time of another deployment with the same draws, `lead` how long merging and testing
    took before (seconds), and `releases` how many releases it is in all. With `alone` nobody
    watches, and the tool does not stall; unless it is `billed`, nobody asks how many instances are
    held.
    """

    __deletable__ = ("process",)

    def __init__(
        self,
        env: simpy.Environment,
        plan: Plan,
        luck: Luck,
        fault: Fault,
        alone: bool = False,
    ) -> None:
        self.env, self.plan, self.luck, self.solo = env, plan, luck, None
        self.fault = fault = fault.without_starts() if plan.elastic else fault
        self.strategy = plan.strategy
        self.pace = plan.strategy.pace
        self.fleet = Fleet(plan.size, plan.elastic)
        self.router = Router(plan.scenario.router, plan.lag, plan.lingers, self.fleet)
        if (sessions := plan.sessions) is not None:
            self.router.visits = Visits(sessions.mean, plan.size)
        self.situation = Situation(fault)
        self._hold_back()
        sticky = plan.sticky or plan.lingers > 0
        self.counts = Counts(plan, fault, luck, sticky)
        self._noted: list[tuple[float, str, Any]] = []
        self.phase, self.wave, self.group = "start", "", plan.size
        self.announced = False
        self.incident = self.dim = 0.0
        self.handed = []
        self.standing_by = self.beside = 0
        self.by_hand, self.slips, self.covered = False, 0, True
        self.migrated_at, self.routine_runs = math.nan, 0
        stall = plan.stall
        self.stalls = Stalls(stall, luck) if stall is not None and not alone else None
        self.redeploy: Callable[[], float] = float
        self.lead, self.releases = before(plan, luck), 1
        self.starts = [0, 0]
        self.arriving = []
        self.pacing = Pacing(plan.start_rate) if plan.start_rate < math.inf else None
        self.base, self.span = 0.0, 1.0
        self.tripped = False
        self.watching, self.billed = not alone, True
        self.watched, self.holding, self.ended = True, False, False
        self.limit = plan.limit
        self.full_at = self.last_watch = self.script_end = math.nan
        self.finished = False
        self._nothing_found()
        self._no_controller()
        self.parallel_since, self.double_work, self.double_work_price = math.nan, 0.0, 0.0
        self.judging, self.seen, self.baseline = None, None, 0
        self.stretch: Stretch | None = None
        self.watch = (AnalysingWatch if plan.analyses else Watch)(self, self.counts, not alone)

    def _hold_back(self) -> None:
        """What refuses requests, or lets them wait."""
        plan, situation = self.plan, self.situation
        if plan.throttle is not None:
            situation.bucket = Bucket(plan.throttle, plan.rate * plan.misses)
        self.router.pulls = plan.deadline > 0
        if plan.deadline:
            situation.backlog = Backlog(plan)
            if plan.peak > plan.full_capacity:
                situation.usual_backlog = Backlog(plan)

    def _no_controller(self) -> None:
        """No controller has said what it waits for, and when it gives up."""
        self.progress_deadline = self.command_limit = self.start_deadline = math.inf
        self.breaker, self._beside = None, ()
        self.failed_hosts = self.ended_hosts = self.canaries = 0
        self.answers_at, self.grows, self.reach = -math.inf, False, 1.0

    def _nothing_found(self) -> None:
        """Nothing is detected, decided or undone yet."""
        self.detected_at = self.decided_at = math.nan
        self.caught_by, self.caught_at, self.weight_when_caught = "", "never", math.nan
        self.share_90 = self.restored_at = math.nan
        self.weight_to_undo = self.outage_before = 0.0
        self.repaired_at = self.mended_at = math.nan
        self.wrong_way = False

    @property
    def journal(self) -> list[Entry]:
        """What has happened so far, in order."""
        return [Entry(*one) for one in self._noted]

    def advance(self, a: float, b: float) -> float:
        """Count from a to b, or to the first moment at which a detector has something to say."""
        fleet, router = self.fleet, self.router
        self.tripped = False
        while a < b:
            stretch = self.stretch
            if stretch is None or fleet.changed or router.changed or a >= stretch.until:
                if router.cut:
                    router.begin_anew(fleet, a)
                if stretch is None or router.changed or not stretch.again(a):
                    stretch = Stretch(self.plan, fleet, router, self.situation, a, self._marks)
                    self.stretch = stretch
                fleet.changed = router.changed = False
                if self._begin(stretch, a):
                    self._first_harm(a)
                    return a
            end = b if b < stretch.until else stretch.until
            if self.watch.active:
                reached = self.watch.observe(stretch, a, end)
                if reached < end or self.tripped:
                    return reached
            else:
                self.counts.add(stretch, a, end, None, self.announced)
            a = end
        return b

    def _marks(self) -> tuple[float, ...]:
        """Weights at which something is decided, for one that moves slowly."""
        if self.decided_at != self.decided_at:
            return (ALL_TRAFFIC,)
        least = _HARMLESS * self.counts.peak_weight
        return (0.5, 0.1 * self.weight_to_undo, least, NO_TRAFFIC)

    def _begin(self, stretch: Stretch, now: float) -> bool:
        weight = stretch.weight
        if not self.decided_at <= now:
            full = weight >= ALL_TRAFFIC and not self.situation.dark
            if full and self.full_at != self.full_at:
                self.full_at = now
        elif not stretch.nobody:
            back = weight <= 0.1 * self.weight_to_undo + 1e-12 and not self.router.coming
            if self.share_90 != self.share_90 and back:
                self.share_90 = now
            if self.restored_at != self.restored_at and self._restored(weight):
                self.restored_at = now
            if self.fault.mixed:
                self._remember_mixing(weight, now)
        return self.counts.begin(stretch, now)

    def _remember_mixing(self, weight: float, now: float) -> None:
        """Data written while both versions served stay, until they are repaired."""
        situation = self.situation
        situation.highest = max(situation.highest, 2 * weight * (1 - weight))
        gone = weight <= NO_TRAFFIC and not self.router.coming
        if gone and self.repaired_at != self.repaired_at and self.fault.repair is not None:
            takes = self.fault.repair.sample(self.luck.uniform(Purpose.REPAIR))
            self.repaired_at = now + takes
            self.at(self.repaired_at, self._repaired)

    def _repaired(self) -> None:
        if self.situation.repaired:
            return
        self.situation.repaired = self.router.changed = True
        self.note("data repaired")

    def _restored(self, weight: float) -> bool:
        scaling, stretch = self.plan.scaling, self.stretch
        return (
            self.all_back(weight)
            and not self.router.coming
            and self.fleet.drift is None
            and self.fleet.up[OLD] >= self.fleet.size
            and (scaling is None or stretch is None or scaling.full(stretch, self.now))
        )

    def all_back(self, weight: float) -> bool:
        """Whether at most a thousandth of the traffic is on the new version; where nothing takes it
        back, at most a tenth of what was to be undone as well.
        """
        if self.plan.adoption is not None:
            return weight <= min(NO_TRAFFIC, 0.1 * self.weight_to_undo + 1e-12)
        return weight <= NO_TRAFFIC

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
        now = self.now
        self.caught_by, self.detected_at = by, now
        self.watch.close()
        self.caught_at = (self.wave or self.phase) if self.watched else "after"
        self.weight_when_caught = self.weight()
        self.note("detect", by)
        if self.watched and self.plan.response.hold:
            self.holding = True
            self.fleet.changed |= self.fleet.drift is not None
        self.at(now + delay_to_decision(self, by), self._decide, urgent=True)

    def weight(self) -> float:
        """The share of the traffic on the new version now."""
        fleet, router, now = self.fleet, self.router, self.now
        if fleet.drift is not None:
            return Stretch(self.plan, fleet, router, self.situation, now).weight
        if router.pool and router.lingers:
            router.remember(router.share(fleet), now)
            weight = router.followed(now)
        else:
            weight = router.share(fleet) if router.pool else router.followed(now)
        if self.plan.tides is not None:
            weight = float(self.plan.tides.share(weight, now))
        return weight if weight == weight else 0.0

    def _decide(self) -> None:
        if self.ended:
            return
        self.decided_at = self.now
        self.counts.look_at = self.decided_at + self.plan.response.back_within
        self.weight_to_undo = self.weight()
        self.outage_before = self.counts.outage
        situation, weight = self.situation, self.weight_to_undo
        situation.rolling_back = self.router.changed = True
        situation.highest = 2 * weight * (1 - weight)
        forward = self.plan.response.point_of_no_return == "fix_forward"
        self.note("decide", "fix forward" if self.past_return and forward else "roll back")
        self.process.interrupt(self.caught_by)

    def live(self) -> Generator[simpy.Event, Any, None]:
        """The whole life: release, watch, follow up; or, once something is decided, roll back."""
        try:
            yield from self.prepare_store()
            yield from self.strategy.release(self)
            yield from self.finish_store()
            self._script_done()
            if self.watching:
                yield from self._follow()
        except simpy.Interrupt:
            self.fleet.settle(self.now)
            self.holding = False
            if self.past_return:
                yield from self._without_return()
            else:
                yield from self._roll_back()
            yield from self._wait_for_repairs()
        self.ended = True

    def _follow(self) -> Generator[simpy.Event, Any, None]:
        """The watched phase, and what is found later."""
        response, env = self.plan.response, self.env
        yield env.timeout(response.watch)
        yield from self._reconnect()
        self.watched = False
        self.counts.failed_before = self.counts.failed
        self.note("watched phase over")
        if self.full_at != self.full_at and self.router.moving(self.now):
            full = self.router.course.crosses((ALL_TRAFFIC,), self.now)
            if full < math.inf:
                yield env.timeout(full - self.now + 1e-3)
        if self.fault is not GOOD or response.automatic == "always":
            start = self.full_at if self.full_at == self.full_at else self.now
            yield env.timeout(max(start + self.plan.scenario.follow_up - self.now, 0.0))
        yield from self._work_off()
        if self.caught_by:
            yield env.event()

    def _script_done(self) -> None:
        self.script_end = self.now
        self.phase, self.wave = "watch", ""
        self.finished = True
        if self.full_at != self.full_at and self.weight() >= ALL_TRAFFIC:
            self.full_at = self.now
        self.note("deployed")

    def _roll_back(self) -> Generator[simpy.Event, Any, None]:
        self.phase = "roll back"
        yield from self._failed_attempts()
        yield from self._gate()
        self.note("roll back")
        self._cancel_starts()
        yield from self.undo_store()
        self.base, self.span, self.pace = 0.0, 1.0, self.strategy.pace
        self.group = self.fleet.size
        yield from self.strategy.roll_back(self)
        self.note("rolled back")

    def _failed_attempts(self) -> Generator[simpy.Event, Any, None]:
        """Attempts to roll back that do nothing, until somebody has noticed."""
        plan, luck, index = self.plan, self.luck, 0
        chance, page = plan.scenario.failures.rollback, plan.response.page
        while chance and luck.uniform(Purpose.ROLLBACK_FAILS, index) < chance:
            index += 1
            takes = page.acknowledge.sample(luck.uniform(Purpose.PAGE_ACKNOWLEDGE, index))
            takes += page.decide.sample(luck.uniform(Purpose.PAGE_DECIDE, index))
            self.note("rollback fails", takes)
            yield self.env.timeout(takes)

    def _without_return(self) -> Generator[simpy.Event, Any, None]:
        """Past the point of no return: wait for the fix, or roll back the wrong way meanwhile."""
        plan, luck, env = self.plan, self.luck, self.env
        takes = replaced_after(plan, luck, good=False)
        if plan.response.point_of_no_return == "roll_back":
            self.wrong_way = True
            self.mended_at = self.now + takes
            self.at(self.mended_at, self._mended)
            yield from self._roll_back()
            return
        self.phase = "fix forward"
        self._cancel_starts()
        again = self.redeploy()
        self.note("fix forward", takes + again)
        yield env.timeout(takes + again)
        self.mended_at = self.now
        self._mended()
        fleet = self.fleet
        fleet.join(NEW, fleet.size - fleet.up[NEW], self.now)
        fleet.leave(OLD, fleet.up[OLD])
        fleet.ask(fleet.size - fleet.held, self.now)
        self.router.leave_pool(self.now)
        self.router.publish(1.0)
        self.router.take_effect(1.0, self.now)

    def _mended(self) -> None:
        self.situation.misfit, self.situation.fault = None, GOOD
        self.router.changed = True
        self.note("mended")

    def _wait_for_repairs(self) -> Generator[simpy.Event, Any, None]:
        """What was harmed in the data, or by the wrong way back, goes on until it is mended."""
        if any(self.fleet.finishing):
            yield self.env.timeout(self.plan.drain)
        yield from self._reconnect()
        if self.fault.mixed and self.fault.persists:
            yield self.env.timeout(1e-3)
        stale = math.nan
        if self.fault is not GOOD and self.plan.cached is not None:
            stale = self.router.forgotten()
        scaled = math.nan if self.plan.scaling is None else self.now + self.plan.scaling.up
        for until in (self.repaired_at, self.mended_at, stale, scaled + 1e-3):
            while until > self.now:  # once more where adding up seconds fell short of it
                yield self.env.timeout(until - self.now)
        if self.repaired_at <= self.now:
            self._repaired()
        yield from self._work_off()

    def _reconnect(self) -> Generator[simpy.Event, Any, None]:
        """Connections that are cut at this very moment have begun anew an instant later."""
        if self.router.cut:
            yield self.env.timeout(1e-3)

    def _work_off(self) -> Generator[simpy.Event, Any, None]:
        """What waits in a queue is worked off before it is over."""
        backlog, now = self.situation.backlog, self.now
        while backlog is not None and (left := backlog.left(now)) > 0:
            yield self.env.timeout(left)
            now = self.now

    @property
    def fixed_forward(self) -> bool:
        """Whether the response is a fix, because there is no way back."""
        return self.past_return and self.caught_by != "" and not self.wrong_way

    def begin_life(self) -> None:
        """Start the process; the loop in `replication` does the rest."""
        if self.lead:
            self.note("merge and tests", self.lead)
        self.process = self.env.process(self.live())

    def take_apart(self) -> None:
        """Undo the circles of a rollout that nobody needs any longer, so that its memory is free at
        once: the next replication finds it still in the processor's cache.
        """
        if self.solo is None:
            self.env._queue.clear()
            vars(self.env).clear()  # SimPy's environment keeps its own methods
        else:
            self.solo.leave()
        del self.fleet, self.process, self.stretch, self.watch


__all__ = ["ALL_TRAFFIC", "NEW", "NO_TRAFFIC", "Entry", "Rollout"]
