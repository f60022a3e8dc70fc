"""The course of a leak: its mean rate over instances that joined at different times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, Fleet

if TYPE_CHECKING:
    from simulator.play.fault import Fault
    from simulator.play.situation import Situation

Array = NDArray[np.float64]


class Leak:
    """The leak's rate over the new version's cohorts, as a function of time (seconds).

    An instance that joined at s leaks nothing until s + onset, then ever more, up to `most` at
    s + onset + ramp. The mean over instances is piecewise linear, so its integral is a closed form.
    `first` and `last` are the moments at which it begins to rise and has risen for good,
    `instances` how many there are.
    """

    __slots__ = ("_area", "_kinks", "_levels", "first", "instances", "last")

    def __init__(
        self, cohorts: Iterable[Sequence[float]], onset: float, ramp: float, most: float
    ) -> None:
        table = np.array(list(cohorts), dtype=float).reshape(-1, 2)
        begins = table[:, 1] + onset
        self.instances = float(table[:, 0].sum())
        weight = most * table[:, 0] / max(self.instances, 1e-300)
        if ramp <= 0:
            ramp = 1e-6
        self.first, self.last = float(begins.min()), float(begins.max()) + ramp
        kinks = np.concatenate([begins, begins + ramp])
        bends = np.concatenate([weight, -weight]) / ramp
        order = np.argsort(kinks, kind="stable")
        self._kinks = kinks[order]
        steps, slopes = np.diff(self._kinks), np.cumsum(bends[order])[:-1]
        self._levels = np.concatenate([[0.0], np.cumsum(slopes * steps)])
        middles = (self._levels[:-1] + self._levels[1:]) / 2
        self._area = np.concatenate([[0.0], np.cumsum(middles * steps)])

    def at(self, t: Array) -> Array:
        """The mean rate at the times t (seconds, any shape), a share of the requests."""
        rate: Array = np.interp(t, self._kinks, self._levels)
        return rate

    def means(self, edges: Array) -> Array:
        """The mean rate over each cell between neighbouring edges (seconds)."""
        area = self._integral(edges)
        mean: Array = (area[1:] - area[:-1]) / (edges[1:] - edges[:-1])
        return mean

    def kinks(self, a: float, b: float) -> Array:
        """The moments in (a, b) at which the slope changes."""
        inside: Array = self._kinks[(self._kinks > a) & (self._kinks < b)]
        return inside

    def reaches(self, level: float) -> float:
        """When the mean rate first reaches `level`, infinite if never (seconds)."""
        if level > self._levels[-1] or level != level:
            return float("inf")
        if level <= 0:
            return -float("inf")
        return float(np.interp(level, self._levels, self._kinks))

    def _integral(self, t: Array) -> Array:
        piece = np.maximum(self._kinks.searchsorted(t, side="right") - 1, 0)
        since = np.maximum(t - self._kinks[piece], 0.0)
        level = self._levels[piece]
        whole: Array = self._area[piece] + since * (level + self.at(t)) / 2
        return whole


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
    first = min(since for _, since in cohorts) + fault.onset
    last = max(since for _, since in cohorts) + fault.onset + fault.ramp
    if now < first:
        return 0.0, None, first
    if now >= last:
        return fault.leak, None, math.inf
    return 0.0, Leak(cohorts, fault.onset, fault.ramp, fault.leak), last
