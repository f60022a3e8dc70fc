"""Answers that come too late in the request-level model: every request waits for a server.

Part of `request_level`: first come, first served, each server known by when it will be free (Kiefer
and Wolfowitz 1955); no formula of a queue is used.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import simpy

from simulator.play.request_level_limits import LimitedService
from simulator.play.request_level_service import NEW, Instance

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

ANYWAY = "late anyway"
Servers = list[float]
"""When each of the servers will be free, seconds."""


class PunctualService(LimitedService):
    """A service whose answers have to come within the objective's latency.

    An instance has capacity x service time servers, which must be whole, and a queue of its own, or
    all instances of a version share one, in a pool all of both. The same request, as long, also
    comes to the fleet as it would be with nothing deployed: if it is late there it is late anyway,
    seen but no harm.
    """

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        super().__init__(env, rng, scenario, sticky)
        words = scenario.service
        assert words.service_time is not None
        self._takes, self._limit = words.service_time, scenario.slo.latency or 0.0
        each = round(self.each * self._takes)
        if abs(each - self.each * self._takes) > 1e-9:
            raise ValueError("the request-level model needs whole servers: capacity x service time")
        self._each, self._shared = each, words.queueing == "shared"
        self._busy: dict[Instance, Servers] = {}
        self._null = [[0.0] * each for _ in range(self.size)]

    def _fate(self, version: int, user: int, rate: float) -> str:
        fate = super()._fate(version, user, rate)
        if fate == "rejected" or not self.serving[version]:
            return fate
        luck, now = self.rng.expovariate(1.0), self.env.now
        factor = self.defect.factor if version == NEW else 1.0
        takes = luck * self._takes
        late = self._answered(self._servers(version), takes * factor) - now > self._limit
        usually = self._null if self._shared else [self.rng.choice(self._null)]
        anyway = self._answered(usually, takes) - now > self._limit
        if fate != "fine" or not late:
            return fate
        return ANYWAY if anyway else "late"

    def _servers(self, version: int) -> list[Servers]:
        """The servers for which this request may wait, by instances."""
        group = self.serving[version]
        if self.pool:
            group = [one for version_of in self.serving for one in version_of]
        chosen = group if self._shared else [self.rng.choice(group)]
        return [self._busy.setdefault(one, [0.0] * self._each) for one in chosen]

    def _answered(self, groups: list[Servers], takes: float) -> float:
        """When a request is answered that takes so long, by the server that is free first."""
        servers = min(groups, key=min)
        place = servers.index(min(servers))
        servers[place] = max(servers[place], self.env.now) + takes
        return servers[place]

    def _tell(self, version: int, fate: str) -> None:
        super()._tell(version, "late" if fate == ANYWAY else fate)

    def _harm(self, user: int, fate: str) -> None:
        if fate != ANYWAY:
            super()._harm(user, fate)
