"""Groups that follow their load in the request-level model: looked at every second.

Part of `request_level`: what each group had to carry is written down second by second, and read
again when it decides; nothing is worked out beforehand.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

import simpy

from simulator.play.request_level_limits import LimitedService
from simulator.play.request_level_service import NEW, OLD, Instance, Process

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

LOOK = 1.0


class ScaledService(LimitedService):
    """A service with a group of instances for each version, where weights move the traffic.

    A group has what the greatest load between `down` and `up` seconds ago needs, a slow version's
    counted `factor` times, from `min` to `max`; what a script adds stays for `down`. Numbers are
    not rounded, so that the instances of the file must be those that the load needs.
    """

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        words = scenario.service.scaling
        assert words is not None
        self._words = words
        self._loads = deque[tuple[float, float, float]]()
        self._asked: list[list[tuple[float, int]]] = [[], []]
        self._held = [float(scenario.service.instances), 0.0]
        super().__init__(env, rng, scenario, sticky)
        needed = self.rate(0.0) / (self.each * words.target)
        if abs(needed - self.size) > 1e-6 or not words.least <= needed <= words.most:
            raise ValueError("the request-level model needs as many instances as the load does")

    @property
    def growing(self) -> bool:
        """Whether the old version's group has still to grow before it can carry everything."""
        return self._held[OLD] < self.size - 1e-9

    def start(self) -> None:
        """Let requests come, and the groups look at their load."""
        super().start()
        self.env.process(self._scale())

    def _scale(self) -> Process:
        """Write the loads down and follow them; before the first look all is as usual."""
        env, words, factor = self.env, self._words, self.defect.factor
        while True:
            rate, weight = self.rate(env.now), self.weight
            self._loads.append((env.now, rate * (1 - weight), rate * factor * weight))
            while self._loads[0][0] < env.now - words.down - LOOK / 2:
                self._loads.popleft()
            self._held = [self._needed(version) for version in (OLD, NEW)]
            self.refresh()
            yield env.timeout(LOOK)

    def _needed(self, version: int) -> float:
        """How many instances the group of this version has now."""
        now, words = self.env.now, self._words
        if self.pool:
            raise ValueError("the request-level model scales groups, not parts of a pool")
        seen = [one[1 + version] for one in self._loads if one[0] <= now - words.up + LOOK / 2]
        if self._loads[0][0] > now - words.down + LOOK / 2:
            seen.append((self.rate(now), 0.0)[version])
        held = max(seen, default=0.0) / (self.each * words.target)
        held = min(max(held, words.least), words.most)
        lasting = [count for since, count in self._asked[version] if now < since + words.down]
        held = max([held, *map(float, lasting)])
        return min(held, self.size) if version == OLD else min(held, words.most)

    def join(self, version: int) -> None:
        """One more instance of this version serves from now on, for a while at least."""
        super().join(version)
        self._asked[version].append((self.env.now, len(self.serving[version])))
        self._held[version] = self._needed(version)
        self.refresh()

    def leave(self, version: int) -> Instance:
        """The instance of this version that has served longest gets no more requests."""
        self._asked[version].clear()
        return super().leave(version)

    def _capacity(self, version: int) -> float:
        """Requests/s that the group of this version can serve now."""
        if not self.serving[version]:
            return 0.0
        return self._held[version] * self.each / (self.defect.factor if version == NEW else 1.0)
