"""Answers that come too late: waiting for a free server, slow code, environments that are cold."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.state import State
    from simulator.words.service import Service

Array = NDArray[np.float64]


def erlang_c(servers: Any, load: Any) -> Any:
    """The chance to wait in M/M/c, for any positive number of servers, whole or not.

    `load` is offered, in servers; below `servers`. Erlang's B through the incomplete gamma
    function, 1 / B = integral of e^-u (1 + u / load)^servers du (Jagerman 1974, Bell System
    Technical Journal 53), and C = B / (1 - load / servers (1 - B)).
    """
    from scipy.special import gammaincc, gammaln

    servers, load = np.asarray(servers, dtype=float), np.maximum(load, 1e-300)
    log = servers * np.log(load) - load - gammaln(servers + 1)
    blocked = np.exp(log) / gammaincc(servers + 1, load)
    return blocked / (1 - load / servers * (1 - blocked))


def later_than(limit: float, takes: Any, servers: Any, busy: Any) -> Any:
    """P(wait + service > limit) of M/M/c: services of mean `takes` (seconds), `busy` below 1 is the
    load as a share of the `servers`; all of them where it is not.

    With x = limit / takes and y = x servers (1 - busy): e^-x + C x (e^-y - e^-x) / (x - y).
    """
    busy = np.asarray(busy, dtype=float)
    load = np.minimum(busy, 1 - 1e-9)
    x = limit / takes
    y = x * servers * (1 - load)
    apart = np.where(np.abs(x - y) > 1e-7 * (x + y), x - y, 1.0)
    waits = np.where(apart == x - y, (np.exp(-y) - np.exp(-x)) / apart, np.exp(-x))
    late = np.exp(-x) + erlang_c(servers, load * servers) * x * waits
    return np.where(busy < 1, np.clip(late, 0.0, 1.0), 1.0)


@lru_cache(maxsize=4096)
def _later(limit: float, takes: float, servers: float, busy: float) -> float:
    return float(later_than(limit, takes, servers, busy))


class Latency:
    """The latency objective of a service: which share of its answers comes later than `limit`.

    An instance has capacity x service time servers, real numbers; each instance has a queue of its
    own, or all of a version share one. An elastic service has no queue, but cold environments: a
    share `cold` of the calls meets one, which takes `lasts` seconds more.
    """

    __slots__ = ("_each", "_elastic", "_plan", "_shared", "_takes", "cold", "lasts", "limit")

    def __init__(self, plan: Plan, service: Service, limit: float) -> None:
        assert service.service_time is not None
        self._plan, self.limit, self._takes = plan, limit, service.service_time
        self._elastic = service.elastic
        self._each = plan.capacity * service.service_time
        self._shared = service.queueing == "shared"
        words = service.cold_start
        self.cold, self.lasts = (words.share, words.lasts) if words is not None else (0.0, 0.0)

    @property
    def colds(self) -> bool:
        """Whether environments have to start."""
        return self._elastic and self.lasts > 0

    def cold_for(self, factor: float) -> float:
        """How long calls meet cold environments after a shift, seconds: those that come until the
        first ones are free.
        """
        return self._takes * factor + self.lasts

    def share(
        self, offered: Any, capacity: Any, factor: float, fresh: Any = 0.0, beside: Any = 0.0
    ) -> Any:
        """The share of the answers of one version that are late.

        `offered` and `capacity` in requests/s; the version takes `factor` times as long, and a
        share `fresh` of its calls meets environments that are new. What may share its queue could
        carry `beside` requests/s if it took as long as usual.
        """
        takes = self._takes * factor
        if self._elastic:
            warm = math.exp(-self.limit / takes)
            left = self.limit - self.lasts
            cold = math.exp(-left / takes) if left > 0 else 1.0
            return warm + (cold - warm) * (1 - (1 - self.cold) * (1 - fresh))
        if self._each == math.inf:
            return math.exp(-self.limit / takes) + 0.0 * offered
        servers = self._each
        if self._shared:
            servers = capacity * takes + beside * self._takes
        if isinstance(offered, float) and isinstance(capacity, float):
            busy = offered / capacity if capacity > 0 else 1.0
            return _later(self.limit, takes, max(servers, 1e-9), min(busy, 1.0))
        busy = offered / np.maximum(capacity, 1e-300)
        return later_than(self.limit, takes, np.maximum(servers, 1e-9), np.minimum(busy, 1.0))

    def usual(self, offered: Any, capacity: Any) -> Any:
        """The same with nothing deployed."""
        return self.share(offered, capacity, 1.0)

    def usually(self, edges: Array) -> Array:
        """Expected answers that are late with nothing deployed, in each cell between neighbouring
        edges (seconds).
        """
        plan, middles = self._plan, (edges[1:] + edges[:-1]) / 2
        offered = plan.rate * plan.misses * np.ones_like(middles)
        if not plan.steady:
            offered = np.asarray(plan.traffic.at(middles), dtype=float) * plan.misses
        capacity = np.full_like(offered, plan.full_capacity)
        if plan.scaling is not None:
            capacity = plan.capacity * plan.scaling.usual(middles)
        late = self.usual(offered, capacity)
        expected: Array = plan.requests(edges) * plan.misses * late
        return expected


def look_for_cold(state: State, now: float) -> tuple[float, float]:
    """The share of the new version's requests that meets cold environments from now on, if clients
    do not follow a weight, and until when (seconds).
    """
    latency, situation = state.plan.latency, state.situation
    assert latency is not None
    if not latency.colds:
        return 0.0, state.until
    if state.moving:
        situation.following()
        return 0.0, state.until
    lasts = latency.cold_for(state.fault.factor)
    fresh, turns = situation.starting(now, state.weight + state.mirror, lasts)
    return fresh, min(state.until, turns)


def cold_at(state: State, t: Array, weight: Any) -> Any:
    """The same at t seconds, while clients follow a weight: who comes on top of those before."""
    latency = state.plan.latency
    if latency is None or not latency.colds:
        return 0.0
    before = state.weights(t - latency.cold_for(state.fault.factor))
    before = np.maximum(before, state.situation.known or 0.0)
    return np.maximum(weight - before, 0.0) / np.maximum(weight, 1e-300)
