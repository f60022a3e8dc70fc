"""What fails by itself in the request-level model: instances, zones, and sessions that end early.

Part of `request_level`: plain SimPy, one process for each failure.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import simpy

from simulator.play.request_level_service import Instance, PlainService, Process, sample
from simulator.play.request_level_traffic import INSTANT

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario


class FailingService(PlainService):
    """A service whose instances and zones fail now and then, and whose sessions die with them."""

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        super().__init__(env, rng, scenario, sticky)
        self._nowhere = list[float]()
        self.when_leaving = self._end_sessions

    def start(self) -> None:
        """Let requests come, and things fail."""
        super().start()
        failures = self.scenario.failures
        if failures.instance is not None:
            self.env.process(self._failures())
        if failures.zone is not None:
            self.env.process(self._zone_failures())
        if self.scenario.service.sessions is not None:
            self.env.process(self._sessions())

    def _failures(self) -> Process:
        """The places of a full fleet fail by themselves, and are mended after a while.

        Whoever serves is hit; while fewer serve than with nothing deployed, perhaps nobody is.
        """
        words, rng, env = self.scenario.failures.instance, self.rng, self.env
        assert words is not None
        yield env.timeout(-env.now)
        while True:
            yield env.timeout(rng.expovariate(self.size / words.mtbf.mean()))
            fit = [i for group in self.serving for i in group if not i.broken]
            usual = self.size - self.failed_places
            if usual:
                place = int(rng.random() * max(len(fit), usual))
                hit = fit[place] if place < len(fit) else None
                env.process(self._broken(hit, sample(words.repair, rng)))

    def _broken(self, instance: Instance | None, seconds: float) -> Process:
        self.failed_places += 1
        if instance is not None:
            instance.broken = True
        self.refresh()
        yield self.env.timeout(seconds)
        self.failed_places -= 1
        if instance is not None:
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

    # Sessions ---------------------------------------------------------------------------------

    def _sessions(self) -> Process:
        """Those under way lie on the old version; new ones begin with some of the requests."""
        words, rng, env = self.scenario.service.sessions, self.rng, self.env
        assert words is not None
        begin = self.peak_rate / words.requests
        left = rng.expovariate(1)
        while left < self.rate(env.now) * words.mean / words.requests:
            left += rng.expovariate(1)
            self._begin_session(env.now + rng.expovariate(1 / words.mean))
        while True:
            yield env.timeout(rng.expovariate(begin))
            if rng.random() * self.peak_rate < self.rate(env.now):
                self._begin_session(env.now + rng.expovariate(1 / words.mean))

    def _begin_session(self, ends: float) -> None:
        """A session that will be over then stays on the instance that gets its first request."""
        old, new = self.serving
        among = old + new
        if not self.pool:
            among = (new if self.rng.random() < self.set_weight else old) or among
        if among:
            self.rng.choice(among).sessions.append(ends)
        else:
            self._nowhere.append(ends)

    def join(self, version: int) -> None:
        """One more instance of this version serves from now on."""
        super().join(version)
        waiting, self._nowhere = self._nowhere, []
        for ends in waiting:
            if ends > self.env.now:
                self._begin_session(ends)

    def _end_sessions(self, instance: Instance) -> None:
        if self.scenario.service.sessions is not None:
            self.env.process(self._sessions_end(instance))

    def _sessions_end(self, instance: Instance) -> Process:
        """Some outlive the drain: lost, and begun anew on whoever serves from that moment on."""
        drain = 0.0 if self.announced else self.scenario.service.drain
        yield self.env.timeout(drain + INSTANT)
        for ends in instance.sessions:
            if ends > self.env.now:
                self.failed += 1
                self.harmed.add(int(self.rng.random() * self.users))
                self._begin_session(ends)
        instance.sessions = []
