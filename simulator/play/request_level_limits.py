"""Limits that both versions share in the request-level model: functions' concurrency, a throttle.

Part of `request_level`: plain SimPy, one token for each request, nothing integrated.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import simpy

from simulator.play.request_level_failures import FailingService
from simulator.play.request_level_service import NEW, OLD, DrawnDefect, Instance

if TYPE_CHECKING:
    from simulator.words.router import Throttle
    from simulator.words.scenario import Scenario


class Tokens:
    """A bucket of tokens, filled at `rate` tokens/s up to `burst`; each request takes one."""

    def __init__(self, words: Throttle, now: float) -> None:
        self.rate, self.burst = words.rate, float(words.burst)
        self.level, self.since = self.burst, now

    def take(self, now: float) -> bool:
        """Take a token at this moment (seconds); false when there is none."""
        self.level = min(self.level + self.rate * (now - self.since), self.burst)
        self.since = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class LimitedService(FailingService):
    """A service behind a throttle, or one without instances whose concurrency both versions share.

    With nothing deployed the same requests would come to a second bucket that knows no copies: what
    that one refuses is no harm and reaches nobody. A request or its copy comes first, by chance.

    Without instances, requests in flight are rate x service time, of a slow version `factor` times
    as many; above the concurrency each request is rejected with the same chance. A version that
    would not start fails that share of its requests, and a leak is as old as its first traffic.
    """

    elastic = False
    _first_traffic = math.inf
    _copy_passes = True

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        super().__init__(env, rng, scenario, sticky)
        self._written = list[float]()
        words = scenario.router.throttle
        self._now = None if words is None else Tokens(words, env.now)
        self._usual = None if words is None else Tokens(words, env.now)
        if scenario.service.elastic:
            self.elastic, self.size, self.warm_for = True, 1, 0.0
            self.serving = [[Instance(OLD, -math.inf, True)], [Instance(NEW, math.inf, True)]]
            self.refresh()

    @property
    def growing(self) -> bool:
        """Whether the old version's group has still to grow before it can carry everything."""
        return False

    def carry(self, defect: DrawnDefect) -> None:
        """Let the new version have this defect; where nothing is started a crash is an error."""
        if self.elastic and defect.crash:
            defect = defect._replace(fail=defect.crash, crash=0.0)
        super().carry(defect)

    def refresh(self) -> None:
        """Note what was, and work out the state from now on."""
        super().refresh()
        if self.elastic and self._first_traffic == math.inf and (self.weight or self.mirror):
            self._first_traffic = self.serving[NEW][0].since = self.env.now
            if self.defect.leak:
                self.env.process(self._refresh_in(self.defect.onset))

    def _overloaded(self, version: int, rate: float) -> str:
        words = self.scenario.service
        if not self.elastic:
            return super()._overloaded(version, rate)
        if words.concurrency is None or words.service_time is None:
            return ""
        usual = rate * words.service_time
        heavy = (self.weight + self.mirror) * self.defect.factor
        luck = self.rng.random()
        if luck >= 1 - words.concurrency / max(usual * (1 - self.weight + heavy), 1e-300):
            return ""
        return "error" if luck < 1 - words.concurrency / usual else "rejected"

    def _tell(self, version: int, fate: str) -> None:
        super()._tell(version, fate)
        lag = self.scenario.change.replication_lag
        if lag is not None and version == NEW and self.rng.random() < self.scenario.traffic.writes:
            self._written.append(self.env.now)

    def lose_unreplicated(self) -> None:
        """The old version's store has not got what was written so shortly before."""
        since = self.env.now - (self.scenario.change.replication_lag or 0.0)
        self.corrupt += sum(when > since for when in self._written)

    def _turned_away(self, copied: bool) -> str:
        if self._now is None or self._usual is None:
            return ""
        now, copy_first = self.env.now, copied and self.rng.random() < 0.5
        if copy_first:
            self._copy_passes = self._now.take(now)
        usual, let_through = self._usual.take(now), self._now.take(now)
        if copied and not copy_first:
            self._copy_passes = self._now.take(now)
        if let_through:
            return ""
        return "rejected" if usual else "error"

    def _copied(self, user: int, rate: float) -> None:
        if self._copy_passes:
            super()._copied(user, rate)
