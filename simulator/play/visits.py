"""Where the visits under way lie: on which version, or on instances that are draining."""

from __future__ import annotations

import heapq
import math

from simulator.play.fleet import NEW, OLD


class Visits:
    """The parts of all visits that lie on each version; together with those on instances that
    drain, and with those that nobody serves yet, they are one.

    Visits last exponentially, `mean` seconds, and stay on the version on which they began. They
    begin as the requests are divided at that moment. What a leaving instance cuts off begins anew
    at once. Instances of one version hold equal parts of the visits on it.
    """

    __slots__ = ("_cut", "_mean", "_merged", "_now", "_on", "_waiting", "_weight")

    def __init__(self, mean: float) -> None:
        self._mean = mean
        self._on = [1.0, 0.0]
        self._waiting = 0.0
        self._cut: list[tuple[float, float]] = []
        self._weight, self._now, self._merged = 0.0, 0.0, False

    def note(self, now: float, weight: float) -> None:
        """From now on (seconds) the new version gets this share of the requests; NaN: nobody."""
        self._pass(now)
        self._weight = 0.0 if self._merged else weight
        if weight == weight and self._waiting:
            waiting, self._waiting = self._waiting, 0.0
            self._begin(waiting)

    def merge(self) -> None:
        """Both versions run on the same instances from now on, and none of them leaves for that."""
        self._on = [self._on[OLD] + self._on[NEW], 0.0]
        self._weight, self._merged = 0.0, True

    def leave(self, version: int, part: float, now: float, drain: float) -> float:
        """A part of the version's instances takes no more visits and is gone `drain` seconds later:
        the part of all visits that is cut off then.
        """
        self._pass(now)
        gone = self._on[version] * part
        self._on[version] -= gone
        cut = gone * math.exp(-drain / self._mean)
        heapq.heappush(self._cut, (now + drain, cut))
        return cut

    def _pass(self, now: float) -> None:
        """Visits end and begin until now; what is cut off at this very moment begins later."""
        while self._cut and self._cut[0][0] < now:
            when, cut = heapq.heappop(self._cut)
            self._end_some(when)
            self._begin(cut)
        self._end_some(now)

    def _end_some(self, now: float) -> None:
        left = math.exp(-max(now - self._now, 0.0) / self._mean)
        self._now = max(now, self._now)
        self._on = [part * left for part in self._on]
        self._waiting *= left
        self._begin(1.0 - left)

    def _begin(self, part: float) -> None:
        if self._weight != self._weight:
            self._waiting += part
            return
        self._on[NEW] += part * self._weight
        self._on[OLD] += part * (1.0 - self._weight)
