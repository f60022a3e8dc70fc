"""The fleet: instances of two versions in cohorts, their starts, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.words.distributions import Distribution

_POINTS: Final = 257
_FINE: Final = 2049
OLD: Final = 0
NEW: Final = 1
MIRROR: Final = 2
NOBODY: Final = 3
Array = NDArray[np.float64]


class StartLaw:
    """The time from asking for an instance until it may take traffic, retries included.

    A start succeeds when it does not fail (probability 1 - `failing`) and takes no longer than
    `timeout` seconds; otherwise it is tried again after the timeout. With f the chance that one
    try is lost, the survival function on [k timeout, (k + 1) timeout) is
    f^k (1 - (1 - failing) F(t - k timeout)), so that the law inverts in closed form. With the
    chance `once` the first try fails for a reason that is put right before the second.
    """

    __slots__ = ("_first", "_first_lost", "_lost", "_quantile", "failing", "law", "once", "timeout")

    def __init__(
        self, law: Distribution, failing: float, timeout: float, once: float = 0.0
    ) -> None:
        self.law = law
        self.failing = failing
        self.timeout = timeout
        self.once = once
        late = 1 - law.cdf(timeout)
        self._lost = 1.0 if failing >= 1 else failing + (1 - failing) * late
        self._first = 1 - (1 - once) * (1 - failing)
        self._first_lost = self._first + (1 - self._first) * late
        self._quantile = law.upper_quantile

    @property
    def lost(self) -> float:
        """The chance that a try does not succeed, but for what is special about the first."""
        return self._lost

    def survivor(self, survival: float) -> float:
        """The time exceeded with probability `survival`, seconds; infinite if none succeeds."""
        if self.once and survival <= self._first_lost:
            return self.timeout + self._plain(min(survival / self._first_lost, 1.0))
        if self.once:
            inside = (survival - self._first) / (1 - self._first)
            return min(self.law.upper_quantile(min(inside, 1.0)), self.timeout)
        return self._plain(survival)

    def _plain(self, survival: float) -> float:
        """The same without what is special about the first try."""
        lost = self._lost
        if lost >= 1:
            return math.inf
        tries = 0
        if lost > 0 and survival <= lost:
            tries = int(math.log(survival) / math.log(lost))
            survival = min(survival / lost**tries, 1.0)
        inside = (survival - self.failing) / (1 - self.failing)
        timeout = self.timeout
        if inside <= 0:
            return (tries + 1) * timeout
        length = self._quantile(inside if inside < 1.0 else 1.0)
        return tries * timeout + (length if length < timeout else timeout)

    def one(self, luck: float) -> float:
        """The time of a single start, seconds, by inverse transform of a uniform number."""
        survival = 1 - luck
        if self.once or survival <= self._lost:
            return self.survivor(survival)
        inside = (survival - self.failing) / (1 - self.failing)
        if inside <= 0:
            return self.timeout
        length, timeout = self._quantile(inside if inside < 1.0 else 1.0), self.timeout
        return length if length < timeout else timeout

    def several(self, luck: Array) -> list[float]:
        """The times of single starts, seconds, as `one` gives them for each uniform number."""
        survival = 1 - luck
        if self.once or self._lost >= 1:
            return [self.survivor(one) for one in survival.tolist()]
        inside = ((survival - self.failing) / (1 - self.failing)).tolist()
        lost, timeout, quantile = self._lost, self.timeout, self.law.upper_quantile
        return [
            min(quantile(part), timeout) if one > lost else self._plain(one)
            for one, part in zip(survival.tolist(), inside, strict=True)
        ]

    def slowest(self, count: int, luck: float) -> float:
        """The slowest of `count` starts, seconds, in one draw: F^-1(U^(1/n))."""
        if count <= 0:
            return 0.0
        return self.survivor(-math.expm1(math.log(luck) / count))

    def first(self, count: int, slowest: float, luck: float) -> float:
        """The first of `count` starts that are all over within `slowest` seconds, in one draw.

        With F the law of one start, 1 - (1 - F(t) / F(slowest))^count = U.
        """
        part = -math.expm1(math.log1p(-luck) / count)
        within = float(self.cdf(np.array([slowest]))[0])
        return min(self.survivor(1 - part * within), slowest)

    def cdf(self, t: Array) -> Array:
        """The share of starts that succeeded within t seconds."""
        if self.once:
            later = StartLaw(self.law, self.failing, self.timeout)
            inside = (1 - self._first) * np.asarray(self.law.cdf(t))
            again = 1 - self._first_lost * (1 - later.cdf(t - self.timeout))
            whole: Array = np.where(t < self.timeout, np.where(t > 0, inside, 0.0), again)
            return whole
        tries = np.floor(np.maximum(t, 0.0) / self.timeout)
        inside = (1 - self.failing) * np.asarray(self.law.cdf(t - tries * self.timeout))
        result: Array = np.where(t > 0, 1 - self._lost**tries * (1 - inside), 0.0)
        return result

    def mean(self) -> float:
        """The mean time of one start, seconds: mean of a success plus timeout f / (1 - f),
        the first f being that of the first try.
        """
        if self._lost >= 1:
            return math.inf
        if self.once:
            return self.law.mean() + self.timeout * self._first_lost / (1 - self._lost)
        return self.law.mean() + self.timeout * self._lost / (1 - self._lost)


@dataclass
class Drift:
    """Instances that join and leave continuously while a controller works: pieces, not steps.

    `joined(t)` and `left(t)` are the instances of `joining` that came, and of the other version
    that went, since `start`; both take and return arrays. `bill` is the number of instances paid
    for above those in service as long as all slots are taken; None when each was requested
    beforehand. `asked` are those that were asked for; who went is paid for `drain` seconds more.
    It lasts `span` seconds.
    """

    joining: int
    start: float
    joined: Callable[[Array], Array]
    left: Callable[[Array], Array]
    in_place: bool = False
    bill: int | None = None
    span: float = 0.0
    asked: Callable[[Array], Array] = np.zeros_like
    drain: float = 0.0

    @cached_property
    def first(self) -> float:
        """When the first of those that join is there, seconds; infinite if none ever is."""
        low, high = self.start, self.start + self.span
        for _ in range(2):
            times = np.linspace(low, high, _FINE)
            there = np.flatnonzero(self.joined(times) >= 1.0 - 1e-9)
            if not len(there):
                return math.inf
            low, high = float(times[max(there[0] - 1, 0)]), float(times[there[0]])
        return high

    def above(self, now: float) -> tuple[float, float]:
        """Instance-seconds held until now, and once who went by now has drained, above those in
        service and `bill`; and the most that were held above those at the start.
        """
        times = np.linspace(self.start, now, _POINTS)
        asked, left = self.asked(times), self.left(times)
        idle = float(np.trapezoid(asked - left - (self.bill or 0), times))
        gone = np.where(times - self.drain < self.start, 0.0, self.left(times - self.drain))
        return idle + float(left[-1]) * self.drain, float((asked - gone).max())

    def cohorts(self) -> list[list[float]]:
        """Whoever joins, in 64 groups of nearly equal age: [count, since]."""
        times = np.linspace(self.start, self.start + self.span, 65)
        came = np.diff(self.joined(times))
        middles = (times[:-1] + times[1:]) / 2
        return [[n, t] for n, t in zip(came.tolist(), middles.tolist(), strict=True) if n > 0]


class Failed:
    """An instance in service that has failed; `place` others of its version are older."""

    __slots__ = ("place", "version")

    def __init__(self, version: int, place: int) -> None:
        self.version = version
        self.place = place


class Fleet:
    """Instances in service by version, in cohorts of equal age, and the bill for all that are held.

    `up[v]` instances of version v take traffic (a float only while a drift runs); `cohorts[v]` is
    a list of [count, since], the oldest first; `held` counts every instance from asking to
    retirement, of which `starting` are not yet in service and `out` are taken out to be reinstalled
    in place. `broken` instances are in service but carry nothing; `down` would be under repair with
    nothing deployed, also where a broken one has been replaced meanwhile. `lit` is the part
    of the zones that is not lost, `worn` a constant part of all instances that carries nothing.
    `finishing` instances of each version take no new connections and serve those they have. An
    `elastic` fleet has no instances: one stands for the service in each version's place, and
    neither is paid for.
    """

    __slots__ = (
        "area",
        "broken",
        "changed",
        "cohorts",
        "down",
        "drift",
        "elastic",
        "finishing",
        "held",
        "lit",
        "out",
        "peak",
        "since",
        "size",
        "starting",
        "up",
        "worn",
    )

    def __init__(self, size: int, elastic: bool = False) -> None:
        self.size = size
        self.elastic = elastic
        self.up: list[int] = [size, size if elastic else 0]
        self.cohorts: list[list[list[float]]] = [[[size, -math.inf]], []]
        if elastic:
            self.cohorts[NEW] = [[size, -math.inf]]
        self.drift: Drift | None = None
        self.held = size
        self.peak = size
        self.starting = 0
        self.out = 0
        self.broken: list[Failed] = []
        self.down = 0
        self.finishing = [0.0, 0.0]
        self.lit = 1.0
        self.worn = 0.0
        self.area = 0.0
        self.since = 0.0
        self.changed = True

    def healthy(self, version: int) -> int:
        """Instances of this version in service that have not failed by themselves."""
        return self.up[version] - sum(one.version == version for one in self.broken)

    def fail(self, version: int, number: int) -> Failed:
        """The healthy instance of this version that `number` healthy ones are older than fails."""
        for place in sorted(one.place for one in self.broken if one.version == version):
            number += place <= number
        failed = Failed(version, number)
        self.broken.append(failed)
        return failed

    def wear(self, down: int) -> None:
        """From now on so many of a whole fleet are down, whichever they are."""
        self.broken, self.down, self.worn = [], 0, down / self.size
        self.changed = True

    def sound(self, in_service: tuple[Any, Any]) -> tuple[Any, Any]:
        """The healthy ones of (old, new) on average, if so many are in service during a drift."""
        if not self.broken or self.drift is None:
            return in_service
        found, joining = list(in_service), self.drift.joining
        found[joining] = found[joining] - (self.up[joining] - self.healthy(joining))
        other = 1 - joining
        found[other] = found[other] * (self.healthy(other) / max(self.up[other], 1))
        return found[OLD], found[NEW]

    def serving(self) -> tuple[int, int]:
        """Healthy instances in service of (old, new)."""
        if self.broken:
            return self.healthy(OLD), self.healthy(NEW)
        old, new = self.up
        return old, new

    def working(self) -> tuple[float, float]:
        """Instances' worth of (old, new) that can carry traffic."""
        old, new = self.serving()
        part = self.lit * (1.0 - self.worn)
        return part * old, part * new

    def with_finishing(self) -> tuple[float, float]:
        """The same, with those that still serve the connections they have."""
        (old, new), part = self.working(), self.lit * (1.0 - self.worn)
        return old + part * self.finishing[OLD], new + part * self.finishing[NEW]

    def lost(self, each: float) -> float:
        """Capacity lost to failures that nobody deployed, `each` instance carrying requests/s."""
        if (not self.down and self.lit == 1.0 and not self.worn) or each == math.inf:
            return 0.0
        return each * (self.size - self.lit * (1.0 - self.worn) * (self.size - self.down))

    def ask(self, count: int, now: float) -> None:
        """Hold `count` more instances from now on (negative: give them back)."""
        self.area += self.held * (now - self.since)
        self.since = now
        self.held += count
        if self.held > self.peak:
            self.peak = self.held

    def request(self, count: int, now: float) -> None:
        """Ask for `count` new instances: they are paid for from now on."""
        held = self.held
        self.area += held * (now - self.since)
        self.since, self.held = now, held + count
        if held + count > self.peak:
            self.peak = held + count
        self.starting += count

    def cancel(self, now: float) -> None:
        """Give back everything that was requested and is not in service yet."""
        self.ask(-self.starting, now)
        self.starting = 0

    def take_out(self, version: int, count: int) -> None:
        """Take `count` instances of `version` out of service to reinstall them in place."""
        self.leave(version, count)
        self.out += count

    def join(self, version: int, count: int, now: float) -> None:
        """`count` instances that were starting or out take traffic as `version` from now on."""
        if count > 0:
            starting = count
            if self.out:
                back = min(count, self.out)
                self.out -= back
                starting -= back
            self.starting = max(self.starting - starting, 0)
            self.up[version] += count
            self.cohorts[version].append([count, now])
            self.changed = True

    def leave(self, version: int, count: int) -> None:
        """`count` instances of `version`, the oldest first, take no more traffic."""
        count = min(count, self.up[version])
        self.up[version] -= count
        self.changed = True
        if self.broken:
            self._leave_broken(version, count)
        cohorts = self.cohorts[version]
        while count > 0:
            first = cohorts[0]
            if first[0] > count:
                first[0] -= count
                return
            count -= int(first[0])
            cohorts.pop(0)

    def _leave_broken(self, version: int, count: int) -> None:
        """Whoever has failed leaves in its turn, too, and whoever stays moves up."""
        for one in self.broken:
            if one.version == version:
                one.place -= count
        self.broken = [one for one in self.broken if one.place >= 0]

    def relabel(self) -> None:
        """Whatever serves is the old version from now on: a flag decides what is new."""
        for one in self.broken:
            one.place += self._older(one)
        for one in self.broken:
            one.version = OLD
        self.up = [self.up[OLD] + self.up[NEW], 0]
        self.cohorts = [sorted(self.cohorts[OLD] + self.cohorts[NEW], key=lambda one: one[1]), []]
        self.changed = True

    def _older(self, failed: Failed) -> int:
        """Instances of the other version that have served for longer than one that failed."""
        since, place = math.inf, failed.place
        for count, came in self.cohorts[failed.version]:
            if place < count:
                since = came
                break
            place -= int(count)
        others = self.cohorts[1 - failed.version]
        new = failed.version == NEW
        return int(sum(n for n, came in others if came < since or (new and came == since)))

    def begin(self, drift: Drift) -> None:
        """Let a drift move the numbers until `settle`."""
        self.drift = drift
        if drift.bill:
            self.ask(drift.bill, drift.start)
        self.changed = True

    def arrives(self, now: float) -> float:
        """When a drift brings the first new instance into service, seconds; infinite once one is
        there.
        """
        drift = self.drift
        if drift is None or drift.joining == OLD or self.up[NEW] > 0 or now >= drift.first:
            return math.inf
        return drift.first

    def in_pool(self, now: float) -> float:
        """Instances of both versions in service now, also while a drift runs."""
        count, drift = float(self.up[OLD] + self.up[NEW]), self.drift
        if drift is None:
            return count
        at = np.array([now])
        return count + float(drift.joined(at)[0] - drift.left(at)[0])

    def settle(self, now: float) -> None:
        """Turn a drift into whole instances at this moment, in eight cohorts along its course."""
        drift = self.drift
        if drift is None:
            return
        self.drift = None
        other = 1 - drift.joining
        times = np.linspace(drift.start, now, 9)
        came = np.rint(drift.joined(times))
        left = int(np.rint(drift.left(times[-1:]))[0])
        if drift.in_place:
            self.take_out(other, left)
        else:
            self.leave(other, left)
        for since, count in zip(times[1:], np.diff(came), strict=True):
            self.join(drift.joining, int(count), float(since))
        if drift.bill is not None:
            more, most = drift.above(now)
            self.peak = max(self.peak, self.held - drift.bill + math.floor(most + 0.5))
            self.ask(int(came[-1]) - left - drift.bill, now)
            self.area += more
        self.changed = True

    def cold(self, t: Array, warm_for: float) -> tuple[Array | float, Array | float]:
        """Old and new instances that joined less than `warm_for` seconds before t, in a drift."""
        drift = self.drift
        if warm_for <= 0 or drift is None:
            return 0.0, 0.0
        young = drift.joined(t) - drift.joined(np.maximum(t - warm_for, drift.start))
        return (0.0, young) if drift.joining == NEW else (young, 0.0)

    def warming(self, version: int, now: float, warm_for: float) -> tuple[float, float]:
        """Instances that came less than `warm_for` seconds ago, and when the first is warm."""
        cold, next_warm, cohorts = 0.0, math.inf, self.cohorts[version]
        if not cohorts or cohorts[-1][1] + warm_for <= now:
            return cold, next_warm
        for count, since in reversed(cohorts):
            warm_at = since + warm_for
            if warm_at <= now:
                break
            cold += count
            next_warm = warm_at
        return cold, next_warm

    def census(self, now: float) -> tuple[float, float, float, float]:
        """Instances at a moment: old and new ones serving, starting, and leaving (draining or
        being reinstalled); together all that are paid for. An elastic fleet has none.
        """
        if self.elastic:
            return 0.0, 0.0, 0.0, 0.0
        up = [float(self.up[OLD]), float(self.up[NEW])]
        if self.drift is not None:
            moment = np.array([now])
            up[self.drift.joining] += float(self.drift.joined(moment)[0])
            up[1 - self.drift.joining] -= float(self.drift.left(moment)[0])
        rest = max(self.held - up[OLD] - up[NEW], 0.0)
        starting = min(float(self.starting), rest)
        return up[OLD], up[NEW], starting, rest - starting

    def extra(self, now: float) -> float:
        """Instance-seconds held above the steady size until now."""
        return self.area + self.held * (now - self.since) - self.size * now
