"""Starts that are throttled: at most so many begin per second, whoever asks for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, Drift, StartLaw
from simulator.play.lead import geometric
from simulator.play.luck import Purpose
from simulator.play.store import StoreVerbs
from simulator.play.waits import Script

Array = NDArray[np.float64]

_MOST_EXACT: Final = 200
_GROUPS: Final = 64


class Pacing:
    """The moments at which starts may begin: one after the other, at most `rate` per second."""

    __slots__ = ("_next", "gap")

    def __init__(self, rate: float) -> None:
        self.gap = 1.0 / rate
        self._next = 0.0

    def free(self, now: float) -> float:
        """When the next start may begin, seconds."""
        return max(now, self._next)

    def reserve(self, now: float, count: int) -> Array:
        """When the next `count` starts begin, seconds; nobody else begins any meanwhile."""
        begins: Array = self.free(now) + self.gap * np.arange(count, dtype=np.float64)
        self._next = float(begins[-1]) + self.gap
        return begins

    def forget(self, now: float) -> None:
        """What was reserved and has not begun will not begin."""
        if self._next > now:
            self._next = now + (self._next - now) % self.gap


class PacedVerbs(StoreVerbs):
    """Verbs that start instances where `pacing` says when each may begin (None: at once).

    A start that waits for its turn is neither held nor paid for. `arriving` tells when each of the
    instances that were asked for last will serve, seconds, as far as single starts are followed;
    `grows` says that the new version's group is small and grows with its first traffic.
    """

    decided_at: float
    pacing: Pacing | None
    arriving: list[float]
    grows: bool

    def _ask_at(self, when: float, count: int) -> None:
        """Hold `count` more instances from the moment `when`, unless it is decided to go back
        before.
        """
        if when <= self.now:
            self.fleet.request(count, self.now)
        else:
            self.at(when, partial(self._ask_now, count, self._going_back))

    def _ask_now(self, count: int, going_back: bool) -> None:
        """Hold more instances, unless it was decided to go back since they were reserved."""
        if going_back == self._going_back:
            self.fleet.request(count, self.now)

    @property
    def _going_back(self) -> bool:
        return self.decided_at == self.decided_at

    def _cancel_starts(self) -> None:
        """Give back everything that was asked for and is not in service yet."""
        self.fleet.cancel(self.now)
        if self.pacing is not None:
            self.pacing.forget(self.now)

    def _begin_one(self, pacing: Pacing) -> float:
        """One start begins when its turn comes; returns the moment (seconds)."""
        begins = float(pacing.reserve(self.now, 1)[0])
        self._ask_at(begins, 1)
        return begins

    def _start(self, version: int, law: StartLaw, count: int) -> float:
        """Ask for instances: the slowest serves in so many seconds (infinite: never)."""
        if self.pacing is None or count < 1:
            return super()._start(version, law, count)
        now, first = self.now, self.starts[version]
        begins = self.pacing.reserve(now, count)
        self.starts[version] += count
        groups = min(count, _GROUPS)
        for part in np.array_split(begins, groups):
            self._ask_at(float(part[0]), len(part))
        purpose = Purpose.START if version == NEW else Purpose.OLD_START
        self.arriving = []
        if count > _MOST_EXACT:
            return self._last_of_many(version, law, begins, purpose, first)
        lengths = law.several(self.luck.uniforms(purpose, first, count))
        self.arriving = sorted(
            begin + length for begin, length in zip(begins, lengths, strict=True)
        )
        if version == NEW:
            self._watch_each(law, zip(begins.tolist(), lengths, strict=True))
        return float(self.arriving[-1]) - now

    def _watch_each(self, law: StartLaw, starts: Iterator[tuple[float, float]]) -> None:
        """What detectors see of single starts (when it begins, how long it takes; seconds): the
        first that fails, the first that fails twice, and the first that is given up.
        """
        now, tries = self.now, 1.0
        for begins, takes in starts:
            self._command_ends(NEW, begins, takes)
            if takes > tries * law.timeout:
                self._watch_health(law, takes, begins - now)
                tries = 2 if tries == 1 and takes <= 2 * law.timeout else math.inf

    def _last_of_many(
        self, version: int, law: StartLaw, begins: Array, purpose: int, first: int
    ) -> float:
        """The same of hundreds: one draw of the last, and of the first that fails so often."""
        now, count = self.now, len(begins)
        if law.mean() == math.inf:
            slowest = math.inf
        else:
            times, course = self.plan.stream(law, count, count, False)
            last = count + math.log(self.luck.uniform(purpose, first))
            slowest = float(begins[0]) - now + float(np.interp(last, course, times))
        if version == NEW:
            for tries in (1, 2):
                beyond = 1 - float(law.cdf(np.array([tries * law.timeout]))[0])
                if beyond > 0:
                    at = geometric(beyond, self.luck.uniform(purpose, first + tries)) - 1
                    if at < count:
                        takes = tries * law.timeout * (1 + 1e-9)
                        self._watch_health(law, takes, float(begins[at]) - now)
            longest = law.slowest(count, self.luck.uniform(purpose, first + 3))
            self._command_ends(NEW, float(begins[count // 2]), longest)
        return slowest

    def _join_paced(self, version: int, law: StartLaw, count: int, slowest: float) -> Script:
        """Let what was asked for now join: one by one, or hundreds along their mean course."""
        env, fleet, start = self.env, self.fleet, self.now
        if self.arriving:
            for when in self.arriving:
                yield env.timeout(max(when - self.now, 0.0))
                fleet.join(version, 1, self.now)
            return
        before = fleet.up[version]
        times, course = self.plan.stream(law, count, count, False)
        scale = count / float(np.interp(slowest, times, course))

        def joined(t: Array) -> Array:
            return np.minimum(scale * np.interp(t - start, times, course), count)

        drift = Drift(version, start, joined, np.zeros_like)
        drift.span = slowest
        fleet.begin(drift)
        yield env.timeout(slowest)
        fleet.settle(self.now)
        fleet.join(version, count - (fleet.up[version] - before), self.now)

    def provision_least(self) -> Script:
        """Have as few new instances ready as autoscaling allows; all of them without it."""
        scaling = self.plan.scaling
        least = self.fleet.size if scaling is None else scaling.least
        yield from self.provision(min(least / self.fleet.size, 1.0))
        self.grows = True

    def shift(self, weight: float, by_hand: bool = False) -> Script:
        """Publish a weight for the new version and wait until it is in effect.

        A group that is small begins to grow.
        """
        yield from super().shift(weight, by_hand)
        if self.grows and self.plan.scaling is not None:
            self.grows = False
            self.at(self.now + self.plan.scaling.up, self._filled_up)

    def _filled_up(self) -> None:
        fleet, now, history = self.fleet, self.now, self.situation.history
        missing = fleet.size - fleet.up[NEW]
        if missing > 0 and not self._going_back and history is not None:
            history.up[NEW] = fleet.size  # the load brought them, no script
            fleet.request(missing, now)
            fleet.join(NEW, missing, now)

    def _command_ends(self, version: int, begins: float, takes: float) -> None:
        """A start of a version begins then and takes so long (seconds), for controllers that give
        up after a time.
        """
