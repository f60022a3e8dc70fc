"""What fails by itself in the request-level model: instances, zones, and sessions that end early.

Part of `request_level`: plain SimPy, one process for each failure.
"""

from __future__ import annotations

import math

from simulator.play.fleet import NEW, OLD
from simulator.play.request_level_service import Instance, PlainService, Process, sample


class FailingService(PlainService):
    """A service whose instances and zones fail now and then, and whose sessions die with them."""

    _left_at, _shared_by = (math.nan, 0), 1

    def start(self) -> None:
        """Let requests come, and things fail."""
        super().start()
        failures = self.scenario.failures
        if failures.instance is not None:
            self.env.process(self._failures())
        if failures.zone is not None:
            self.env.process(self._zone_failures())
        if self.scenario.service.sessions is not None:
            self.when_leaving = self._end_sessions

    def _failures(self) -> Process:
        """Instances fail by themselves, one of those that serve, and are mended after a while."""
        words, rng, env = self.scenario.failures.instance, self.rng, self.env
        assert words is not None
        yield env.timeout(-env.now)
        while True:
            yield env.timeout(rng.expovariate(self.size / words.mtbf.mean()))
            fit = [i for group in self.serving for i in group if not i.broken]
            if fit:
                env.process(self._broken(rng.choice(fit), sample(words.repair, rng)))

    def _broken(self, instance: Instance, seconds: float) -> Process:
        instance.broken = True
        self.refresh()
        yield self.env.timeout(seconds)
        instance.broken = False
        self.refresh()

    def _zone_failures(self) -> Process:
        """A zone is lost now and then, with its part of both versions, and comes back."""
        words, rng, env = self.scenario.failures.zone, self.rng, self.env
        assert words is not None
        yield env.timeout(-env.now)
        while True:
            yield env.timeout(rng.expovariate(self.zones / words.mtbf.mean()))
            env.process(self._zone_dark(sample(words.repair, rng)))

    def _zone_dark(self, seconds: float) -> Process:
        self.dark_zones += 1
        self.refresh()
        yield self.env.timeout(seconds)
        self.dark_zones -= 1
        self.refresh()

    def _end_sessions(self, version: int, beside: int) -> None:
        """Those who leave at the same moment have shared the sessions until then."""
        now, others = self.env.now, len(self.serving[1 - version]) if self.pool else 0
        if self._left_at != (now, version):
            self._left_at, self._shared_by = (now, version), beside + others + 1
        self.env.process(self._sessions_end(version, self._shared_by))

    def _sessions_end(self, version: int, shared_by: int) -> Process:
        """An instance leaves with its part of the sessions; some outlive the drain and are lost.

        In a pool sessions lie evenly on all instances; with weights each lies where it was sent
        when it began.
        """
        words, rng, drain = self.scenario.service.sessions, self.rng, self.scenario.service.drain
        assert words is not None
        now = self.env.now
        mean = self.rate(now) * words.mean / words.requests / shared_by
        count, left = 0, rng.expovariate(1)
        while left < mean:
            began = now - rng.expovariate(1 / words.mean)
            there = NEW if rng.random() < self.weights.at(began) else OLD
            count += self.pool or there == version
            left += rng.expovariate(1)
        lost = sum(rng.expovariate(1 / words.mean) > drain for _ in range(count))
        yield self.env.timeout(drain)
        for _ in range(lost):
            self.failed += 1
            self.harmed.add(int(rng.random() * self.users))
