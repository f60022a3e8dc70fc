"""The course of a leak: its mean rate over instances that joined at different times."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, Fleet
from simulator.play.users import LAG

if TYPE_CHECKING:
    from simulator.play.fault import Fault
    from simulator.play.situation import Situation

Array = NDArray[np.float64]

_MOST: Final = 255


class Leak:
    """The leak's rate over the new version's cohorts, as a function of time (seconds).

    An instance that joined at s leaks nothing until s + onset, then ever more, up to `most` at
    s + onset + ramp. The mean over instances is piecewise linear, so its integral is a closed form.
    `first` and `last` are the moments at which it begins to rise and has risen for good,
    `instances` how many there are.
    """

    __slots__ = ("_area", "_kinks", "_levels", "_tables", "first", "instances", "last")

    def __init__(
        self, cohorts: Sequence[Sequence[float]], onset: float, ramp: float, most: float
    ) -> None:
        instances, ramp = 0.0, ramp if ramp > 0 else 1e-6
        for count, _ in cohorts:
            instances += count
        each, bends = most / max(instances, 1e-300) / ramp, list[tuple[float, float]]()
        for count, since in cohorts:
            begins = since + onset
            bends.append((begins, count * each))
            bends.append((begins + ramp, -count * each))
        bends.sort()
        self._kinks: list[float] = []
        self._levels: list[float] = []
        self._area: list[float] = []
        level = area = slope = 0.0
        before = bends[0][0]
        for moment, bend in bends:
            step = moment - before
            risen = level + slope * step
            area += (level + risen) / 2 * step
            self._kinks.append(moment)
            self._levels.append(risen)
            self._area.append(area)
            level, before = risen, moment
            slope += bend
        self.instances = instances
        self.first, self.last = self._kinks[0], before
        self._tables: tuple[Array, Array, Array] | None = None

    def at(self, t: Array) -> Array:
        """The mean rate at the times t (seconds, any shape), a share of the requests."""
        kinks, levels, _ = self._arrays()
        rate: Array = np.interp(t, kinks, levels)
        return rate

    def mean(self, a: float, b: float) -> float:
        """The mean rate over [a, b] (seconds)."""
        return (self.upto(b) - self.upto(a)) / (b - a)

    def means(self, edges: Array) -> Array:
        """The mean rate over each cell between neighbouring edges (seconds)."""
        kinks, levels, areas = self._arrays()
        piece = np.maximum(kinks.searchsorted(edges, side="right") - 1, 0)
        since = np.maximum(edges - kinks[piece], 0.0)
        area = areas[piece] + since * (levels[piece] + self.at(edges)) / 2
        mean: Array = (area[1:] - area[:-1]) / (edges[1:] - edges[:-1])
        return mean

    def upto(self, t: float) -> float:
        """The integral of the mean rate until t, seconds."""
        after = bisect_right(self._kinks, t)
        if after == 0:
            return 0.0
        kink, level = self._kinks[after - 1], self._levels[after - 1]
        since, slope = t - kink, 0.0
        if after < len(self._kinks):
            slope = (self._levels[after] - level) / (self._kinks[after] - kink)
        return self._area[after - 1] + since * (level + slope * since / 2)

    def kinks(self, a: float, b: float) -> Array:
        """The moments in (a, b) at which the slope changes."""
        kinks = self._arrays()[0]
        inside: Array = kinks[(kinks > a) & (kinks < b)]
        return inside

    def edges(self, a: float, b: float) -> list[float]:
        """Moments that cut [a, b] so that between two of them the harm, even in between, lags by a
        quarter of a second at most: close where the rate is still small (seconds).

        Where the rate grows by r' a second, a line over h seconds is r' h^2 / 8 requests off, which
        come at the rate r in r' h^2 / 8r seconds: as many everywhere if the roots of r are even.
        """
        found, cuts = [a], [a, *self.kinks(a, b).tolist(), b]
        roots = np.sqrt(np.maximum(self.at(np.array(cuts)), 0.0)).tolist()
        for (low, high), (first, last) in zip(pairwise(cuts), pairwise(roots), strict=True):
            grown = abs(last - first) / (first + last) if first + last > 0 else 0.0
            parts = min(math.ceil(math.sqrt((high - low) * grown / (2 * LAG))), _MOST)
            for part in range(1, parts):
                root = first + (last - first) * part / parts
                grown = (root * root - first * first) / (last * last - first * first)
                found.append(low + (high - low) * grown)
            if high > low:
                found.append(high)
        return found

    def exceeds(self, level: float) -> float:
        """When the mean rate first exceeds `level`, infinite if never (seconds)."""
        if level < 0:
            return -math.inf
        after = bisect_right(self._levels, level)
        if after == len(self._levels) or level != level:
            return math.inf
        below, above = self._levels[after - 1], self._levels[after]
        a, b = self._kinks[after - 1], self._kinks[after]
        return a + (b - a) * (level - below) / (above - below)

    def _arrays(self) -> tuple[Array, Array, Array]:
        """Kinks, levels and areas."""
        if self._tables is None:
            self._tables = np.array(self._kinks), np.array(self._levels), np.array(self._area)
        return self._tables


def leaking(
    fault: Fault, fleet: Fleet, situation: Situation, now: float
) -> tuple[float, Leak | None, float]:
    """The mean leak over the new instances now; how it rises from here on, if it does; and when
    that changes (seconds; infinite if never).
    """
    drift = fleet.drift
    cohorts: list[list[float]] = list(fleet.cohorts[NEW])
    if situation.on_since is not None:
        cohorts = [[1.0, situation.on_since]]
    if drift is not None and drift.joining == NEW:
        cohorts += drift.cohorts()
    if not cohorts:
        return 0.0, None, math.inf
    first, last = math.inf, -math.inf
    for _, since in cohorts:
        first, last = min(first, since), max(last, since)
    first, last = first + fault.onset, last + fault.onset + fault.ramp
    if now < first:
        return 0.0, None, first
    if now >= last:
        return fault.leak, None, math.inf
    return 0.0, Leak(cohorts, fault.onset, fault.ramp, fault.leak), last
