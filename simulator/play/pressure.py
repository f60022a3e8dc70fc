"""Where the load itself decides: a throttle in front of the service, a defect that needs load."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, OLD

if TYPE_CHECKING:
    from simulator.play.state import State, Top
    from simulator.words.router import Throttle

Array = NDArray[np.float64]

_LOOK: Final = 6 * 3600.0
_LOOKS: Final = 361
_EMPTY: Final = 1e-3


class Bucket:
    """The level of a token bucket in front of everything, as a fluid (exact for many requests).

    `rate` tokens/s come in, at most `burst` lie in it, and every request takes one.
    """

    __slots__ = ("_burst", "_level", "_net", "_rate", "_since")

    def __init__(self, words: Throttle, usual: float) -> None:
        self._rate, self._burst = words.rate, float(words.burst)
        self._level = self._burst if usual <= self._rate else 0.0
        self._since, self._net = 0.0, 0.0

    def offered(self, now: float, rate: float) -> tuple[float, float]:
        """So many requests/s come from now on: the share refused, and until when (seconds)."""
        level = self._level + self._net * (now - self._since)
        self._level, self._since = min(max(level, 0.0), self._burst), now
        self._net = self._rate - rate
        if self._net >= 0:
            return 0.0, math.inf
        if self._level > _EMPTY:
            return 0.0, now - self._level / self._net
        return 1.0 - self._rate / rate, math.inf


def throttled(
    state: State, weight: Any, rate: Any, reached: tuple[Any, Any], top: Top
) -> tuple[Any, Any]:
    """What a throttle lets pass with nothing deployed, and the share of that it refuses now.

    Only the second is harm. Where the load varies the bucket is taken as empty.
    """
    words = state.plan.throttle
    if words is None:
        return 1.0, 0.0
    misses = state.plan.misses
    passing = 1.0 - top(0.0, 1.0 - words.rate / (rate * misses))
    now: Any = state.refused
    if now is None:
        total = (1.0 - weight) * reached[OLD] + weight * reached[NEW] + state.mirror * misses
        now = top(0.0, 1.0 - words.rate / (rate * total + 1e-300))
    return passing, top(0.0, 1.0 - (1.0 - now) / passing)


def look_for_load(state: State, now: float) -> tuple[bool, float]:
    """Whether the new version carries enough for a defect by load to show, and until when."""
    plan, limit = state.plan, state.fault.threshold * state.plan.full_capacity
    if not state.varying and plan.steady:
        return plan.rate * plan.misses * (state.weight + state.mirror) > limit, state.until
    drift = state.fleet.drift
    reach = _LOOK if drift is None else min(max(drift.start + drift.span - now, 1.0), _LOOK)
    end = min(now + reach, state.until)
    times = np.linspace(now + 1e-6, end, _LOOKS)
    over = _load_at(state, times) > limit
    loaded = bool(over[0])
    turns = np.flatnonzero(over != loaded)
    if not len(turns):
        return loaded, end
    a, b = times[turns[0] - 1], times[turns[0]]
    for _ in range(50):
        middle = (a + b) / 2
        if (_load_at(state, np.array([middle]))[0] > limit) == loaded:
            a = middle
        else:
            b = middle
    return loaded, float(b)


def _load_at(state: State, t: Array) -> Array:
    rate = state.plan.misses * np.asarray(state.plan.traffic.at(t), dtype=float)
    carried: Array = rate * (state.weights(t) + state.mirror)
    return carried
