"""Cells with busy hours of their own: which share of the requests comes from those that moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.words.clock import DAY, clock_seconds
from simulator.words.waves import InWaves

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario
    from simulator.words.service import Cell
    from simulator.words.strategy import Strategy
    from simulator.words.traffic import Daily

Array = NDArray[np.float64]


class Tides:
    """Daily curves of waves of cells, where users stand in the order in which they are moved.

    A cell of share s with its peak at p gets s x (mean + swing cos(2 pi (clock - p) / 24 h)); the
    curve of several is a cosine again, kept as its two parts. Within a wave all cells move alike.
    """

    __slots__ = ("_began", "_cos", "_daily", "_sin", "edges")

    def __init__(self, waves: Sequence[Sequence[Cell]], daily: Daily, began: float) -> None:
        self._daily, self._began = daily, began
        parts = np.zeros((len(waves) + 1, 3))
        for number, cells in enumerate(waves, 1):
            for cell in cells:
                peak = 2 * math.pi * clock_seconds(cell.peak_at or daily.peak_at) / DAY
                parts[number] += cell.share * np.array([1.0, math.cos(peak), math.sin(peak)])
        self.edges, self._cos, self._sin = np.cumsum(parts, axis=0).T
        self.edges[-1] = 1.0

    def share(self, users: Any, t: Any) -> Array:
        """The share of the requests at t seconds that the first share of the users sends."""
        return self._rate(users, t) / np.maximum(self._rate(1.0, t), 1e-300)

    def requests(self, users: float, a: float, b: float) -> float:
        """Expected requests that the first share of the users sends in [a, b] seconds."""
        return float(self._sent(np.array([users]), a, b)[0])

    def pace(self, a: float, b: float) -> list[float]:
        """Requests in [a, b] of a user of each wave, as a multiple of the mean user's."""
        sent = np.diff(self._sent(self.edges, a, b))
        pace: list[float] = (sent / np.diff(self.edges) / max(sent.sum(), 1e-300)).tolist()
        return pace

    def _rate(self, users: Any, t: Any) -> Array:
        """Requests/s at t of the first share of the users."""
        angle = 2 * np.pi * (t + self._began) / DAY
        swing = self._daily.peak - self._daily.mean
        curve = self._part(self._cos, users) * np.cos(angle)
        curve = curve + self._part(self._sin, users) * np.sin(angle)
        rate: Array = self._daily.mean * users + swing * curve
        return rate

    def _sent(self, users: Array, a: float, b: float) -> Array:
        """The integral of that rate over [a, b]."""
        first, last = (2 * math.pi * (t + self._began) / DAY for t in (a, b))
        swing = (self._daily.peak - self._daily.mean) * DAY / (2 * math.pi)
        curve = self._part(self._cos, users) * (math.sin(last) - math.sin(first))
        curve = curve - self._part(self._sin, users) * (math.cos(last) - math.cos(first))
        sent: Array = self._daily.mean * (b - a) * users + swing * curve
        return sent

    def _part(self, sums: Array, users: Any) -> Any:
        return np.interp(users, self.edges, sums)


def tides(scenario: Scenario, strategy: Strategy) -> Tides | None:
    """The curves of a strategy's waves of cells, if any cell has a busy hour of its own."""
    cells, daily = scenario.service.cells, scenario.traffic.daily
    if daily is None or not isinstance(strategy, InWaves) or strategy.by != "cells":
        return None
    if all(cell.peak_at is None for cell in cells):
        return None
    return Tides(strategy.cells(scenario.service), daily, scenario.traffic.began % DAY)
