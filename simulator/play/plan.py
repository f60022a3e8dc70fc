"""What is the same in every replication of one strategy, worked out once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.alarm import Rule
from simulator.play.fleet import StartLaw
from simulator.play.latency import Latency
from simulator.play.lead import search
from simulator.play.load import Load
from simulator.play.quiet import quiet_from
from simulator.play.scaling import Scaler
from simulator.play.tides import tides
from simulator.play.users import Arrivals
from simulator.words.detection import Alarm, Detection

if TYPE_CHECKING:
    from simulator.play.fault import Fault
    from simulator.words.change import Change
    from simulator.words.router import Throttle
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Strategy
    from simulator.words.traffic import Traffic

Array = NDArray[np.float64]

_UNBOUND: Final = 30 * 86_400.0


class Plan:
    """A scenario and one of its strategies, prepared for many replications.

    An `elastic` service counts as one instance that runs both versions and never starts. `alarms`
    are the alarms with the scope that the strategy leaves them, `burns` the burn-rate rows that are
    watched together, `response` what is done then, `budget` the failed requests that the objective
    allows in its window (`budget_left`: still), `stall` how the tool stalls if it does, `migration`
    what happens to the schema if anything (`coupled`: at one moment), `routine` what the first new
    instance does to the store, `lag` the seconds that its replica is behind, `adoption` the mean
    seconds in which users install a version that nothing takes back (none: something does),
    `tenants` who the users belong to if that is known, `analyses` what its scripts measure,
    `collapses` tells what an overload does, `cached` is the cache in front and `misses` the share
    of requests that pass it when it is warm, `capacity` is requests/s of one instance,
    `full_capacity` of the whole fleet, `rate` the constant arrival rate (the long-run mean when it
    varies: `steady` tells), `lingers` the mean seconds of long connections (0: each request is
    routed by itself), `deadline` how old a message in a queue may become (0: there is no queue),
    `retries` how often a bad request is tried again (`sticky`: on the same version), `audience` the
    share of the users who get the new version first and keep it, `calendar` what forbids steps at
    some hours if anything does (`work_only`: outside working hours), `office` the one that says
    when people approve, if any does, `clock` what the wall clock shows, `tides` the curves of waves
    of cells with busy hours of their own, `start_rate` the most starts per second (infinite unless
    it is stated), `ungraceful` the seconds of its traffic that a stopping instance loses, `noise`
    the mean share of baseline errors with `noise_cv` over blocks of `noise_block` seconds,
    `tolerated` the bad share that the availability objective allows, `scaling` what adds and
    removes instances if anything does, `latency` what makes answers late if that counts (`plain`:
    neither does), `usual_bad` the share of bad requests with nothing deployed, `limit` the seconds
    after which a replication is cut off, `throttle` what limits the requests if it ever can,
    `drifted` the share of instances that somebody changed by hand, `rehearsed` the least duration
    of the deployment, `script` that of one release of several and `search` that of looking for the
    culprit after a rollback (seconds).
    """

    def __init__(self, scenario: Scenario, strategy: Strategy, name: str) -> None:
        self.scenario, self.strategy, self.name = scenario, strategy, name
        service, traffic = scenario.service, scenario.traffic
        self.traffic = traffic
        self.elastic = service.elastic
        self.size = 1 if service.elastic else service.instances
        self._of_traffic(traffic)
        self.tides = tides(scenario, strategy)
        self.work_only, self.clock = strategy.waits_for_work, scenario.clock
        self.calendar = scenario.calendar if scenario.calendar.freeze or self.work_only else None
        self.office = scenario.calendar if scenario.calendar.work is not None else None
        self.drain, self.ungraceful = service.drain, service.ungraceful or 0.0
        self.sessions, self.start_rate = service.sessions, service.start_rate or math.inf
        self.capacity, self.cached = scenario.capacity_per_instance, scenario.router.cache
        self.misses = 1.0 - self.cached.hits if self.cached else 1.0
        self.scaling = self._scaler()
        if self.scaling is not None:
            self.size = math.ceil(float(self.scaling.usual(np.zeros(1))[0]) - 1e-9)
        self.full_capacity = self.capacity * self.size
        self.throttle = self._throttle()
        self._errors()
        self.latency = self._latency()
        self.plain = self.latency is None and self.scaling is None
        fixed = self.cached is None and self.throttle is None and self.tides is None
        self.lasting = self.plain and fixed and not self.elastic and not self.deadline
        self.single_writer = scenario.change.single_writer
        self.collapses = service.overload == "collapse" and not service.elastic
        warm = None if service.elastic else service.warm_up
        self.warm_for = warm.duration if warm else 0.0
        self.warm_share = warm.capacity if warm else 1.0
        self.tolerated = 1.0 - scenario.slo.availability
        self.budget = traffic.mean * scenario.slo.window * self.tolerated
        self.budget_left = self.budget * scenario.slo.budget_left
        self._who_watches(scenario.detection)
        self._of_store(scenario.change)
        self.adoption = strategy.unrecalled
        self.response, self.stall = scenario.response, scenario.failures.tool_stall
        self.rehearsed = self.script = 0.0
        self.search = search(self)
        self.bound(_UNBOUND)
        self.reasons: tuple[str, ...] = ()
        failure = service.start_failure
        self._streams: dict[tuple[float, ...], tuple[Array, Array]] = {}
        self.request_price = service.cost_per_request or 0.0
        self._start = StartLaw(service.startup, failure.probability, failure.timeout)
        self._install = StartLaw(service.install, failure.probability, failure.timeout)
        self.drifted = 0.0 if service.elastic else service.drifted or 0.0
        self._update = StartLaw(
            service.install, failure.probability, failure.timeout, once=self.drifted
        )

    def _who_watches(self, detection: Detection) -> None:
        """What looks at the requests, and from how many on it cannot err."""
        self.quiet: dict[tuple[float, ...], float] = {}
        alarms = _pooled(detection.alarms, self.strategy.pooled)
        self.alarms = tuple(Rule(alarm) for alarm in alarms)
        self.quiet_from = tuple(quiet_from(self, alarm) for alarm in self.alarms)
        self.burns, self.people = detection.burn_groups, detection.people
        delay = self.people.delay if self.people is not None else None
        self.arrivals = None if delay is None or delay.constant else Arrivals(delay)
        self.judges = self.strategy.judges(detection.judge)
        self.analyses = self.strategy.analyses

    def _of_store(self, change: Change) -> None:
        """What a release does to the data store."""
        self.lag = change.replication_lag or 0.0
        self.migration, self.routine = change.migration, change.upgrade_routine
        self.coupled = self.migration.coupled if self.migration is not None else None

    def _throttle(self) -> Throttle | None:
        """What limits the requests, if that can ever be."""
        throttle = self.scenario.router.throttle
        most = self.peak * (1.0 if self.cached and not self.cached.shared else self.misses)
        most += self.peak * self.misses  # were everything copied
        return throttle if throttle is not None and throttle.rate < most else None

    def _scaler(self) -> Scaler | None:
        words = self.scenario.service.scaling
        return None if words is None or self.elastic else Scaler(self, words)

    def _errors(self) -> None:
        """Errors that nobody has deployed."""
        errors = self.scenario.service.errors
        self.noise = self.usual_bad = errors.mean if errors else 0.0
        self.noise_cv = errors.cv if errors and errors.mean > 0 else 0.0
        self.noise_block = errors.block if errors else 300.0

    def _latency(self) -> Latency | None:
        """What makes answers late, if that counts; with nothing deployed that is usual as well."""
        objective = self.scenario.slo.latency
        if objective is None:
            return None
        latency = Latency(self, self.scenario.service, objective)
        self.usual_bad += float(latency.usual(self.rate * self.misses, self.full_capacity))
        return latency

    def _of_traffic(self, traffic: Traffic) -> None:
        """How much comes, and what users, their retries, connections and queues are like."""
        self.retries = traffic.retries
        self.deadline = traffic.deadline or 0.0 if traffic.queue else 0.0
        self.sticky = (traffic.sticky or self.strategy.always_sticky) and not traffic.queue
        self.tenants = traffic.tenants
        self.steady, self.rate, self.peak = traffic.constant, traffic.mean, traffic.peak
        self.users, self.writes = traffic.users, traffic.writes
        first = self.strategy.admits
        self.audience = first.share(self.users) if first is not None else 0.0
        links = traffic.connections
        self.lingers = links.mean if links is not None else 0.0

    def start_law(self, fault: Fault | None = None) -> StartLaw:
        """The law of a start from nothing, seconds; with a fault, of the new version."""
        return self._crashing(self._start, fault)

    def install_law(self, fault: Fault | None = None) -> StartLaw:
        """The law of an installation in place, without draining, seconds; with a fault, of the new
        version, which fails at first on what somebody changed by hand.
        """
        return self._crashing(self._install if fault is None else self._update, fault)

    @staticmethod
    def _crashing(law: StartLaw, fault: Fault | None) -> StartLaw:
        if fault is None or not fault.crash:
            return law
        failing = 1 - (1 - law.failing) * (1 - fault.crash)
        return StartLaw(law.law, failing, law.timeout, law.once)

    def requests_between(self, a: float, b: float) -> float:
        """Expected requests in [a, b] seconds."""
        if self.steady:
            return self.rate * (b - a)
        return self.load.between(a, b)

    def requests_of(self, users: float, a: float, b: float) -> float:
        """Expected requests in [a, b] seconds of the users that are moved first, a share of all."""
        if self.tides is not None:
            return self.tides.requests(users, a, b)
        return users * self.requests_between(a, b)

    def bound(self, limit: float) -> None:
        """Cut replications off at `limit` seconds, and table the traffic up to there."""
        self.limit = limit
        self.load = Load(self.traffic, limit)

    def requests(self, edges: Array) -> Array:
        """Expected requests of each cell between neighbouring edges (seconds)."""
        if self.steady:
            constant: Array = self.rate * (edges[1:] - edges[:-1])
            return constant
        return self.traffic.integral(edges)

    def stream(
        self, law: StartLaw, todo: int, flight: int, in_place: bool, pause: float = 0.0
    ) -> tuple[Array, Array]:
        """Mean course of a window of `flight` slots over `todo` starts, each of which frees its
        slot `pause` seconds after it serves: (seconds, slots freed).
        """
        drain = self.scenario.service.drain if in_place else 0.0
        rate = math.inf if in_place else self.start_rate
        key = (law.failing, law.once, law.timeout, todo, flight, in_place, pause)
        if key not in self._streams:
            if rate < math.inf and (rate * (law.mean() + pause) <= flight or flight >= todo):
                self._streams[key] = _trickle(law, todo, pause, rate)
            else:
                self._streams[key] = _stream(law, todo, flight, drain + pause, rate)
        return self._streams[key]


def _pooled(alarms: Iterable[Alarm], pooled: bool) -> Iterator[Alarm]:
    """The alarms as they see it: metrics of both versions make the new one the service."""
    for alarm in alarms:
        blind = pooled and alarm.watch == "new"
        said = {key: getattr(alarm, key) for key in Alarm.model_fields}
        yield Alarm(**{**said, "watch": "service"}) if blind else alarm


def _trickle(law: StartLaw, todo: int, pause: float, rate: float) -> tuple[Array, Array]:
    """The mean course when nothing but `rate` (starts per second) holds them back: the k-th begins
    at (k - 1) / rate, so that C(t) = rate (I(t) - I(t - todo / rate)), I being the integral of F.
    """
    begun, mean = todo / rate, law.mean() + pause
    reach = max(8 * mean + float(law.survivor(1e-9 / todo)) + pause, 1.0)
    fine = np.linspace(0.0, reach, 20_001)
    area = np.cumsum(law.cdf((fine[1:] + fine[:-1]) / 2 - pause)) * fine[1]
    span = begun + reach
    times = np.linspace(0.0, span, int(min(max(60 * span / max(mean, 1.0), 2000), 20_000)))
    late = times + 0.5 / rate

    def integral(t: Array) -> Array:
        inside: Array = np.interp(t, fine[1:], area, left=0.0) + np.maximum(t - reach, 0.0)
        return inside

    done = rate * (integral(late) - integral(late - begun))
    done *= todo / done[-1]
    return times, done


def _stream(
    law: StartLaw, todo: int, flight: int, drain: float, rate: float
) -> tuple[Array, Array]:
    """The fluid limit of a sliding window: C(t) = integral of F(t - s) dS(s), where the starts are
    S(t) = min(flight + C(t), todo), on a grid of about 60 points per mean start. No more than
    `rate` begin per second.
    """
    mean = law.mean() + drain
    span = 1.2 * (todo / flight + 1) * mean + 8 * mean
    times = np.linspace(0.0, span, int(60 * span / mean) + 1)
    passed = law.cdf(times + times[1] / 2 - drain)
    density = np.diff(np.concatenate([[0.0], passed]))
    density[1] += density[0]  # a start is over in the next cell at the earliest
    reach = min(int(np.searchsorted(passed, 1 - 1e-12)) + 2, len(times))
    started, done = np.zeros(len(times)), np.zeros(len(times))
    most = rate * times[1]
    started[0] = begun = float(min(flight, todo, most))
    for index in range(1, len(times)):
        low = max(index - reach + 1, 0)
        done[index] = done[index - 1] + float(
            np.dot(started[low:index], density[1 : index - low + 1][::-1])
        )
        started[index] = min(max(min(flight + done[index], todo) - begun, 0.0), most)
        begun += started[index]
    done *= todo / done[-1]
    return times, done
