"""Where the visits under way lie: on which version, or on instances that are draining."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter

from simulator.play.fleet import NEW, OLD, Fleet


class Visits:
    """The parts of all visits that lie on each version; together with those on instances that
    drain, and with those that nobody serves yet, they are one.

    Visits last exponentially, `mean` seconds, and stay on the version on which they began. They
    begin as the requests are divided at that moment, evenly on the instances of a version, so that
    one that has joined later holds fewer. What a leaving instance cuts off begins anew at once.
    """

    __slots__ = (
        "_cut",
        "_draining",
        "_each",
        "_held",
        "_mean",
        "_merged",
        "_now",
        "_on",
        "_past",
        "_up",
        "_waiting",
        "_weight",
    )

    def __init__(self, mean: float, size: int) -> None:
        self._mean = mean
        self._on = [1.0, 0.0]
        self._waiting = 0.0
        self._draining = [0.0, 0.0]
        self._cut: list[tuple[float, float, int]] = []
        self._weight, self._now, self._merged = 0.0, 0.0, False
        even = 1.0 / max(size, 1)
        self._held, self._each = [even, 0.0], [even, 0.0]
        self._up = [size, 0]
        self._past = [(0.0, self._held, self._each)]

    def note(self, now: float, weight: float, fleet: Fleet, pool: bool) -> None:
        """From now on (seconds) the new version gets this share of the requests, in a pool or not;
        NaN: nobody.
        """
        self._pass(now)
        self._weight = 0.0 if self._merged else weight
        old, new = fleet.up
        if weight != weight:
            self._each = [0.0, 0.0]
        elif pool:
            self._each = [1.0 / max(old + new, 1)] * 2
        else:
            self._each = [(1.0 - self._weight) / max(old, 1), self._weight / max(new, 1)]
        if [old, new] != self._up:
            self._up = [old, new]
            self._past.append((now, self._held, self._each))
        if weight == weight and self._waiting:
            waiting, self._waiting = self._waiting, 0.0
            self._begin(waiting)

    def merge(self) -> None:
        """Both versions run on the same instances from now on, and none of them leaves for that."""
        self._on = [self._on[OLD] + self._on[NEW], 0.0]
        self._draining = [self._draining[OLD] + self._draining[NEW], 0.0]
        self._cut = [(when, cut, OLD) for when, cut, _ in self._cut]
        self._weight, self._merged = 0.0, True

    def leave(
        self,
        version: int,
        part: float,
        now: float,
        drain: float,
        leaving: float = 0.0,
        cohorts: Sequence[Sequence[float]] = (),
    ) -> tuple[float, float]:
        """A part of the version's instances takes no more visits and is gone `drain` seconds later:
        their part of the version's visits now, and the part of all visits that is cut off then.

        They are the first `leaving` of its cohorts (instances, since when), if these are given.
        """
        self._pass(now)
        if part < 1.0 and len(cohorts) > 1:
            part = self._on_first(version, leaving, cohorts, part)
        gone, whole = self._on[version] * part, self._on[version] + self._draining[version]
        self._on[version] -= gone
        self._draining[version] += gone
        cut = gone * math.exp(-drain / self._mean)
        heapq.heappush(self._cut, (now + drain, cut, version))
        return gone / whole if whole > 0.0 else 0.0, cut

    def _on_first(
        self, version: int, leaving: float, cohorts: Sequence[Sequence[float]], part: float
    ) -> float:
        """The part of the version's visits on so many instances, the longest in service first."""
        first, all_of_them = 0.0, 0.0
        for count, since in cohorts:
            each = self._since(version, since)
            all_of_them += count * each
            first += min(count, leaving) * each
            leaving -= min(count, leaving)
        return first / all_of_them if all_of_them > 0.0 else part

    def _since(self, version: int, since: float) -> float:
        """What one instance of the version holds that has been in service since then."""
        if since == -math.inf:
            return self._held[version]
        known = bisect_right(self._past, since, key=itemgetter(0))
        when, held, each = self._past[max(known - 1, 0)]
        left = math.exp(-max(since - when, 0.0) / self._mean)
        before = held[version] * left + each[version] * (1.0 - left)
        return max(self._held[version] - before * math.exp((since - self._now) / self._mean), 0.0)

    def _pass(self, now: float) -> None:
        """Visits end and begin until now; what is cut off at this very moment begins later."""
        while self._cut and self._cut[0][0] < now:
            when, cut, version = heapq.heappop(self._cut)
            self._end_some(when)
            self._draining[version] = max(self._draining[version] - cut, 0.0)
            self._begin(cut)
        self._end_some(now)

    def _end_some(self, now: float) -> None:
        left = math.exp(-max(now - self._now, 0.0) / self._mean)
        self._now = max(now, self._now)
        self._on = [part * left for part in self._on]
        self._draining = [part * left for part in self._draining]
        self._held = [part * left for part in self._held]
        self._waiting *= left
        self._begin(1.0 - left)

    def _begin(self, part: float) -> None:
        if self._weight != self._weight:
            self._waiting += part
            return
        self._on[NEW] += part * self._weight
        self._on[OLD] += part * (1.0 - self._weight)
        self._held = [self._held[k] + part * self._each[k] for k in (OLD, NEW)]
