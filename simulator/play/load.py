"""The traffic as the loop asks for it: fast single numbers from tables made once per plan."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.words.traffic import Traffic

Array = NDArray[np.float64]

_BUCKET: Final = 900.0
_HISTORY: Final = 4 * 3600.0
_FINEST: Final = 60.0


class Load:
    """Expected requests and bounds of the rate over [-4 h, horizon], seconds after the start.

    Constant traffic is one multiplication. Otherwise the exact integral is tabled at points at
    most a minute apart (kinks included) and interpolated by Simpson's rule in between, which is
    exact for traces; the smallest and largest rates are tabled in buckets of a quarter of an hour.
    """

    __slots__ = ("_course", "_greatest", "_least", "_middle", "_rates", "_times", "rate", "steady")

    def __init__(self, traffic: Traffic, horizon: float) -> None:
        self.steady = traffic.constant
        self.rate = traffic.mean
        if self.steady:
            return
        end = math.ceil(horizon / _BUCKET + 1) * _BUCKET
        grid = np.arange(-_HISTORY, end + 1, _FINEST)
        times = np.unique(np.concatenate([grid, traffic.kinks(-_HISTORY, end)]))
        inner = np.concatenate([times[:-1] + 1e-7, times[1:] - 1e-7])
        rates = np.asarray(traffic.at(inner)).reshape(2, -1)
        self._middle = np.asarray(traffic.at((times[:-1] + times[1:]) / 2)).tolist()
        self._rates = rates.T.tolist()
        self._times = times.tolist()
        self._course = np.asarray(traffic.cumulative(times)).tolist()
        bucket = ((times[:-1] + 1e-6 + _HISTORY) // _BUCKET).astype(int)
        self._least = np.full(bucket[-1] + 1, np.inf)
        self._greatest = np.zeros(bucket[-1] + 1)
        np.minimum.at(self._least, bucket, rates.min(axis=0))
        np.maximum.at(self._greatest, bucket, rates.max(axis=0))

    def between(self, a: float, b: float) -> float:
        """Expected requests in [a, b]."""
        if self.steady:
            return self.rate * (b - a)
        return self._upto(b) - self._upto(a)

    def _upto(self, t: float) -> float:
        times = self._times
        i = min(max(bisect_right(times, t) - 1, 0), len(times) - 2)
        length = times[i + 1] - times[i]
        x = (t - times[i]) / length
        low, high = self._rates[i]
        slope = 4 * self._middle[i] - 3 * low - high
        curve = 2 * (low + high - 2 * self._middle[i])
        part: float = x * (low + x * (slope / 2 + x * curve / 3))
        course: float = self._course[i] + length * part
        return course

    def greatest(self, a: float, b: float) -> float:
        """An upper bound of the rate on [a, b], requests/s."""
        if self.steady:
            return self.rate
        first, last = self._buckets(a, b)
        return float(self._greatest[first : last + 1].max())

    def least(self, a: float, b: float) -> float:
        """A lower bound of the rate on [a, b], requests/s."""
        if self.steady:
            return self.rate
        first, last = self._buckets(a, b)
        return float(self._least[first : last + 1].min())

    def busy_until(self, a: float, b: float, rate: float) -> float:
        """How far from a towards b the rate certainly stays at or above `rate` (requests/s)."""
        if self.steady:
            return b if self.rate >= rate else a
        first, last = self._buckets(a, b)
        calm = self._least[first : last + 1] < rate
        if not calm.any():
            return b
        return min(max((first + int(calm.argmax())) * _BUCKET - _HISTORY, a), b)

    def _buckets(self, a: float, b: float) -> tuple[int, int]:
        most = len(self._least) - 1
        first = min(max(int((a + _HISTORY) // _BUCKET), 0), most)
        return first, min(max(int((b + _HISTORY) // _BUCKET), first), most)
