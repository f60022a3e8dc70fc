"""What is the same in every replication of one strategy, worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import StartLaw
from simulator.play.load import Load
from simulator.play.quiet import quiet_from

if TYPE_CHECKING:
    from simulator.play.fault import Fault
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Strategy

Array = NDArray[np.float64]

_UNBOUND = 30 * 86_400.0


class Plan:
    """A scenario and one of its strategies, prepared for many replications.

    `cached` is the cache in front and `misses` the share of requests that pass it when it is warm,
    `capacity` is requests/s of one instance, `full_capacity` of the whole fleet, `rate` the
    constant arrival rate (the long-run mean when it varies: `steady` tells), `noise` the mean
    share of baseline errors with `noise_cv` over blocks of `noise_block` seconds, `tolerated` the
    bad share that the availability objective allows, `limit` the seconds after which a
    replication is cut off, `rehearsed` the least duration of the deployment and
    `script` that of one release of several (seconds).
    """

    def __init__(self, scenario: Scenario, strategy: Strategy, name: str) -> None:
        self.scenario = scenario
        self.strategy = strategy
        self.name = name
        service, traffic = scenario.service, scenario.traffic
        self.traffic = traffic
        self.size = service.instances
        self.steady = traffic.constant
        self.rate = traffic.mean
        self.peak = traffic.peak
        self.drain, self.sessions = service.drain, service.sessions
        self.users = traffic.users
        self.writes = traffic.writes
        self.capacity = scenario.capacity_per_instance
        self.full_capacity = self.capacity * self.size
        self.cached = scenario.router.cache
        self.misses = 1.0 - self.cached.hits if self.cached else 1.0
        self.single_writer = scenario.change.single_writer
        errors = service.errors
        self.noise = errors.mean if errors else 0.0
        self.noise_cv = errors.cv if errors and errors.mean > 0 else 0.0
        self.noise_block = errors.block if errors else 300.0
        warm = service.warm_up
        self.warm_for = warm.duration if warm else 0.0
        self.warm_share = warm.capacity if warm else 1.0
        self.people = scenario.detection.people
        self.tolerated = 1.0 - scenario.slo.availability
        self.quiet: dict[tuple[float, ...], float] = {}
        self.quiet_from = tuple(quiet_from(self, alarm) for alarm in scenario.detection.alarms)
        self.judges = strategy.judges(scenario.detection.judge)
        self.rehearsed = self.script = 0.0
        self.bound(_UNBOUND)
        self.reasons: tuple[str, ...] = ()
        failure = service.start_failure
        self._streams: dict[tuple[float, ...], tuple[Array, Array]] = {}
        self._start = StartLaw(service.startup, failure.probability, failure.timeout)
        self._install = StartLaw(service.install, failure.probability, failure.timeout)

    def start_law(self, fault: Fault | None = None) -> StartLaw:
        """The law of a start from nothing, seconds; with a fault, of the new version."""
        return self._crashing(self._start, fault)

    def install_law(self, fault: Fault | None = None) -> StartLaw:
        """The law of an installation in place, without draining, seconds."""
        return self._crashing(self._install, fault)

    @staticmethod
    def _crashing(law: StartLaw, fault: Fault | None) -> StartLaw:
        if fault is None or not fault.crash:
            return law
        return StartLaw(law.law, 1 - (1 - law.failing) * (1 - fault.crash), law.timeout)

    def requests_between(self, a: float, b: float) -> float:
        """Expected requests in [a, b] seconds."""
        if self.steady:
            return self.rate * (b - a)
        return self.load.between(a, b)

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

    def stream(self, law: StartLaw, todo: int, flight: int, in_place: bool) -> tuple[Array, Array]:
        """Mean course of a window of `flight` slots over `todo` starts: (seconds, completions)."""
        drain = self.scenario.service.drain if in_place else 0.0
        key = (law.failing, law.timeout, todo, flight, in_place)
        if key not in self._streams:
            self._streams[key] = _stream(law, todo, flight, drain)
        return self._streams[key]


def _stream(law: StartLaw, todo: int, flight: int, drain: float) -> tuple[Array, Array]:
    """The fluid limit of a sliding window: C(t) = integral of F(t - s) dS(s), where the starts are
    S(t) = min(flight + C(t), todo), on a grid of about 60 points per mean start.
    """
    mean = law.mean() + drain
    span = 1.2 * (todo / flight + 1) * mean + 8 * mean
    times = np.linspace(0.0, span, int(60 * span / mean) + 1)
    passed = law.cdf(times + times[1] / 2 - drain)
    density = np.diff(np.concatenate([[0.0], passed]))
    density[1] += density[0]  # a start is over in the next cell at the earliest
    reach = min(int(np.searchsorted(passed, 1 - 1e-12)) + 2, len(times))
    started, done = np.zeros(len(times)), np.zeros(len(times))
    started[0] = begun = float(min(flight, todo))
    for index in range(1, len(times)):
        low = max(index - reach + 1, 0)
        done[index] = done[index - 1] + float(
            np.dot(started[low:index], density[1 : index - low + 1][::-1])
        )
        started[index] = max(min(flight + done[index], todo) - begun, 0.0)
        begun += started[index]
    done *= todo / done[-1]
    return times, done
