"""A second, slow model of a release: every request an event, every instance a server.

It exists to be compared with the engine: plain SimPy over the same scenarios and the same scripts,
every start a process of its own, every alarm polled, nothing integrated. It is the specification
by example and shares no code with the engine. Use it for services with few requests.

Not modelled: costs, autoscaling of a pool, late answers beside autoscaling, burn-rate alarms,
judges other than a threshold, slips, upgrade routines, what is done past a point of no return,
hosts of CodeDeploy, command timeouts, and maintenance windows.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import simpy

from simulator.play.request_level_controllers import ControllerScript
from simulator.play.request_level_latency import PunctualService
from simulator.play.request_level_limits import LimitedService
from simulator.play.request_level_queue import QueueService
from simulator.play.request_level_scaling import ScaledService
from simulator.play.request_level_service import (
    OLD,
    DrawnDefect,
    Process,
    draw_defect,
    sample,
)
from simulator.play.request_level_traffic import INSTANT
from simulator.play.request_level_watch import PlainWatch

if TYPE_CHECKING:
    from simulator.words.change import Defect
    from simulator.words.scenario import Scenario

ALL_TRAFFIC, NO_TRAFFIC = 0.999, 0.001
_FOUND_BY_PEOPLE = ("people", "noticed", "audit")


class PlainOutcome(NamedTuple):
    """The figures of one replication, with the engine's names and meanings.

    Times are seconds: NaN when not applicable, infinite when begun and not ended. Shares are
    0..1, requests and writes are counts. `rollback_time` runs from the decision until the old
    version serves everything with all instances; `ended` is when the replication was over.
    """

    outcome: str
    caught_by: str
    time_to_deploy: float
    time_to_detect: float
    rollback_time: float
    failed_requests: int
    users_harmed: float
    corrupt_writes: int
    exposure_time: float
    exposed_requests: int
    peak_exposure: float
    mixed_time: float
    ended: float


class Numbers(NamedTuple):
    """What a script may ask about the traffic: users, and requests/s in the long run."""

    users: int
    rate: float


def _kind(scenario: Scenario) -> type[LimitedService]:
    """Which service a scenario has; raises ValueError for two that are not modelled together."""
    if scenario.traffic.queue:
        return QueueService
    timed = scenario.slo.latency is not None and not scenario.service.elastic
    if scenario.service.scaling is not None:
        if timed:
            raise ValueError("the request-level model has late answers or autoscaling, not both")
        return ScaledService
    return PunctualService if timed else LimitedService


class PlainRollout(ControllerScript):
    """One release: runs the script, watches, follows up, and rolls back when that is decided."""

    def __init__(self, scenario: Scenario, name: str, defect: DrawnDefect, rng: Random) -> None:
        periods = [alarm.period for alarm in scenario.detection.alarms]
        self.env = simpy.Environment(initial_time=-max(periods, default=1.0))
        self.scenario, self.rng = scenario, rng
        self.strategy = scenario.strategies[name]
        self.base, self.span, self.pace = 0.0, 1.0, self.strategy.pace
        self.plan = Numbers(scenario.traffic.users, scenario.traffic.mean)
        sticky = scenario.traffic.sticky or self.strategy.always_sticky
        self.service: LimitedService = _kind(scenario)(self.env, rng, scenario, sticky)
        self.service.carry(defect)
        self.service.when_changed = self._look
        self.watch = PlainWatch(self, rng.random())
        self.holding, self.watched = False, True
        self.caught_by, self.caught_while_watched = "", False
        self.last_watch = self.script_end = self.full_at = math.nan
        self.gone_at = math.nan
        self.detected_at = self.decided_at = self.restored_at = math.nan
        self.ended_at = math.inf
        self.prepare()

    def run(self, limit: float) -> None:
        """Play it to its end, or up to `limit` seconds after the decision to deploy."""
        self.service.start()
        self.env.run(until=0.0)
        self.life = self.env.process(self._live())
        until: simpy.Event = self.life
        if limit < math.inf:
            until = self.life | self.env.timeout(limit)
        self.env.run(until=until)
        self.env.run(until=self.env.now + 2 * INSTANT)  # a drain may end with the script
        self.service.refresh()
        self.ended_at = self.env.now

    def _live(self) -> Process:
        """Release, watch, follow up; when a rollback is decided, the script backwards."""
        response, env = self.scenario.response, self.env
        try:
            yield from self.strategy.release(self)  # type: ignore[arg-type]
            self.script_end = env.now
            yield env.timeout(response.watch)
            self.watched = False
            if self.service.defect.kind != "none" or response.automatic == "always":
                start = env.now if math.isnan(self.full_at) else self.full_at
                yield env.timeout(max(start + self.scenario.follow_up - env.now, 0.0))
            yield from self._work_off()
            if self.caught_by:
                yield env.event()
        except simpy.Interrupt:
            self.holding = False
            self.give_up_starting()
            yield env.timeout(0.0)
            yield from self._back()
            yield from self._work_off()

    def _work_off(self) -> Process:
        """Until nothing waits in a queue."""
        while self.service.waiting:
            yield self.env.timeout(1.0)

    def _back(self) -> Process:
        """The way back: attempts that fail, the store, the script, and what stays in the data."""
        env, page, service = self.env, self.scenario.response.page, self.service
        while self.rng.random() < self.scenario.failures.rollback:
            yield env.timeout(sample(page.acknowledge, self.rng) + sample(page.decide, self.rng))
        yield from self._gate()
        yield from self.undo_store()
        self.base, self.span, self.pace = 0.0, 1.0, self.strategy.pace
        self.group = service.size
        yield from self.strategy.roll_back(self)  # type: ignore[arg-type]
        if service.defect.persists:
            yield env.timeout(max(self.gone_at + service.defect.repair - env.now, 0.0))
        if service.cache is not None:
            yield env.timeout(service.cache.ttl)
        links = service.connected
        while service.growing or (links is not None and links.closing):
            yield env.timeout(1.0)

    def _repair(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        self.service.repaired = True

    def abort(self, by: str, said: float = math.nan) -> None:
        """Something was detected: the first detector counts, and a decision follows.

        Somebody may have decided already, about what was `said` some time ago (seconds).
        """
        if self.caught_by:
            return
        self.caught_by, self.caught_while_watched = by, self.watched
        self.holding = self.watched and self.scenario.response.hold
        decided = not math.isnan(said)
        self.detected_at = said if decided else self.env.now
        self.env.process(self._decide(0.0 if decided else self._until_decided(by)))

    def _until_decided(self, by: str) -> float:
        """Seconds until somebody or something has decided to roll back."""
        response, page = self.scenario.response, self.scenario.response.page
        by_itself = response.automatic == "always" or (
            response.automatic == "watched" and self.watched
        )
        strategy = self.handed[-1] if self.handed else self.strategy
        if by not in _FOUND_BY_PEOPLE and by_itself and strategy.undoes(by):
            return sample(response.decide, self.rng)
        seconds = sample(page.decide, self.rng)
        if by not in _FOUND_BY_PEOPLE:
            seconds += sample(page.acknowledge, self.rng)
        weekday, hour = self.scenario.traffic.clock(self.env.now)
        at_work = weekday < 5 and 9 <= hour < 17
        return seconds if at_work else seconds * page.off_hours

    def _decide(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        if self.life.is_alive:
            self.decided_at = self.env.now
            service = self.service
            service.rolling_back = True
            service.highest = 2 * service.weight * (1 - service.weight)
            self.life.interrupt(self.caught_by)
            self._look()

    def _look(self) -> None:
        """Note when all traffic has come to the new version, and when all is back."""
        service, now = self.service, self.env.now
        gone = service.rolling_back and service.weight <= NO_TRAFFIC and not self.publishing
        if gone and math.isnan(self.gone_at):
            self.gone_at = now
            self.env.process(self._repair(service.defect.repair))
        if math.isnan(self.decided_at):
            if math.isnan(self.full_at) and service.weight >= ALL_TRAFFIC:
                self.full_at = now
        elif (
            len(service.serving[OLD]) < service.size
            or service.growing
            or service.weight > NO_TRAFFIC
        ):
            self.restored_at = math.nan
        elif math.isnan(self.restored_at):
            self.restored_at = now

    def outcome(self) -> PlainOutcome:
        """The figures, once it has ended."""
        service, good = self.service, self.service.defect.kind == "none"
        return PlainOutcome(
            outcome=self._result(good),
            caught_by=self.caught_by or "nobody",
            time_to_deploy=self._deployed(),
            time_to_detect=self._detection(),
            rollback_time=self._rollback(),
            failed_requests=service.failed,
            users_harmed=len(service.harmed) / service.users,
            corrupt_writes=service.corrupt,
            exposure_time=0.0 if good else service.exposure,
            exposed_requests=service.exposed,
            peak_exposure=0.0 if good else service.peak_weight,
            mixed_time=service.mixed,
            ended=self.ended_at,
        )

    def _result(self, good: bool) -> str:
        if self.caught_by:
            if good:
                return "false_alarm"
            return "rolled_back" if self.caught_while_watched else "escaped"
        if math.isnan(self.script_end):
            return "stuck"
        return "deployed" if good else "escaped"

    def _deployed(self) -> float:
        if math.isnan(self.script_end):
            return math.nan if self.caught_by else math.inf
        watched = self.full_at if math.isnan(self.last_watch) else self.last_watch
        return max(self.full_at, watched)

    def _detection(self) -> float:
        if math.isnan(self.service.first_harm):
            return math.nan
        if not self.caught_by:
            return math.inf
        return max(self.detected_at - self.service.first_harm, 0.0)

    def _rollback(self) -> float:
        if math.isnan(self.decided_at):
            return math.nan
        return math.inf if math.isnan(self.restored_at) else self.restored_at - self.decided_at


def play_plainly(
    scenario: Scenario, name: str, defect: Defect | None, seed: int, limit: float = math.inf
) -> PlainOutcome:
    """One replication, request by request; None is a good release.

    It is cut off `limit` seconds after the decision to deploy if it has not ended by itself.
    Raises ValueError for detectors that it does not know, and for what it does not model of latency
    and autoscaling.
    """
    rng = Random(seed)
    rollout = PlainRollout(scenario, name, draw_defect(defect, rng), rng)
    rollout.run(limit)
    return rollout.outcome()


__all__ = ["PlainOutcome", "PlainRollout", "play_plainly"]
