"""Capacity that follows the load: groups of instances that are scaled out late and in later."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, OLD

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.state import State
    from simulator.words.service import Scaling

Array = NDArray[np.float64]
Share = float | Callable[[Array], Array]

_LOOKS = np.linspace(0.0, 1.0, 13)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_LONGEST, _MOMENT = 900.0, 1e-6
_AT_FIRST: list[tuple[float, Share]] = [(-math.inf, 1.0)]


class History:
    """What the groups of both versions had to carry since when, and what scripts asked for.

    `loads` hold for each version (since, share of the requests, a slow version's counted `factor`
    times; a function of time while clients follow a weight); `asked` the moments at which a script
    added instances, with the number that the version had then.
    """

    __slots__ = ("asked", "follows", "loads", "up")

    def __init__(self, size: int) -> None:
        self.loads: tuple[list[tuple[float, Share]], ...] = (list(_AT_FIRST), [(-math.inf, 0.0)])
        self.asked: tuple[list[tuple[float, float]], ...] = ([], [])
        self.up = [size, 0]
        self.follows: object = None

    def note(self, state: State, now: float) -> None:
        """The load and the instances of each version from now on."""
        fleet, router, factor = state.fleet, state.router, state.fault.factor
        course = router.course
        if state.moving and not router.pool:
            if self.follows is not course:
                self.follows = course
                self.loads[OLD].append((now, lambda t: 1.0 - course.at(t)))
                self.loads[NEW].append((now, lambda t: factor * course.at(t)))
        else:
            self.follows = None
            weight = 0.0 if state.nobody else state.weight
            pair = (1.0 - weight, factor * (weight + state.mirror))
            for version, share in enumerate(pair):
                if self.loads[version][-1][1] != share:
                    self.loads[version].append((now, share))
        for version in (OLD, NEW):
            count, asked = fleet.up[version], self.asked[version]
            if count < self.up[version]:
                asked.clear()
            if count != self.up[version] and fleet.drift is None:
                asked.append((now, float(count)))
                self.up[version] = count

    def trailing(self, now: float, down: float) -> bool:
        """Whether a load that moved is still in sight."""
        return any(
            callable(share) and end + down > now
            for loads in self.loads
            for (_, share), (end, _) in pairwise([*loads, (math.inf, 0.0)])
        )

    def turns(self, now: float, lags: tuple[float, float]) -> float:
        """When next what happened comes into the sight of the groups, or leaves it, seconds."""
        moments = [since for loads in self.loads for since, _ in loads]
        moments += [since for asked in self.asked for since, _ in asked]
        later = (since + lag for since in moments for lag in lags if since + lag > now + _MOMENT)
        return min(later, default=math.inf)


class Scaler:
    """The rule of a group: so many instances that those of the last minutes would have been
    `target` busy, between `least` and `most`.

    It holds what the greatest load between `down` and `up` seconds ago needs: it grows `up` seconds
    after the load has grown and shrinks `down` seconds after it has fallen. Numbers of instances
    that follow a load are not rounded. Instances that a script has added stay for `down` seconds at
    least.
    """

    __slots__ = ("_each", "_plan", "_target", "down", "least", "most", "up")

    def __init__(self, plan: Plan, words: Scaling) -> None:
        self._plan, self._each = plan, plan.capacity
        self._target = plan.capacity * words.target
        self.least, self.most = float(words.least), float(words.most)
        self.up, self.down = words.up, words.down

    def holds(self, t: Array, loads: Sequence[tuple[float, Share]]) -> Array:
        """The instances of a group with these loads at t seconds."""
        needed = np.zeros(np.shape(t))
        ends = [*(since for since, _ in loads[1:]), math.inf]
        for (since, share), until in zip(loads, ends, strict=True):
            low, high = np.maximum(t - self.down, since), np.minimum(t - self.up, until)
            inside = (low <= high) & (low < until) & (high >= since)
            if not inside.any() or share == 0.0:
                continue
            looks = low + np.multiply.outer(_LOOKS, np.maximum(high - low, 0.0))
            load = self._plan.misses * np.asarray(self._plan.traffic.at(looks), dtype=float)
            load = load * (share(looks) if callable(share) else share)
            needed = np.maximum(needed, np.where(inside, load.max(axis=0), 0.0))
        held: Array = np.clip(needed / self._target, self.least, self.most)
        return held

    def usual(self, t: Array) -> Array:
        """Instances with nothing deployed."""
        return self.holds(t, _AT_FIRST)

    def groups(self, state: State, t: Array, up: tuple[Any, Any]) -> tuple[Array, Array, Array]:
        """Instances of (old, new) at t seconds, of which scripts think that `up` are there, and
        with nothing deployed.
        """
        history, size = state.situation.history, state.plan.size
        assert history is not None
        usual = self.usual(t)
        if state.router.pool or state.situation.shared:
            weight = 0.0 if state.nobody else state.weight
            share = 1.0 + weight * (state.fault.factor - 1.0)
            grown = self.holds(t, [(-math.inf, share)]) / size
            return up[OLD] * grown, up[NEW] * grown, usual
        found = []
        for version in (OLD, NEW):
            held = self.holds(t, history.loads[version])
            for since, count in history.asked[version]:
                lasting = (t >= since) & (t < since + self.down)
                held = np.maximum(held, np.where(lasting, count, 0.0))
            most = up[OLD] * usual / size if version == OLD else self.most
            found.append(np.where(np.asarray(up[version]) > 0, np.minimum(held, most), 0.0))
        return found[OLD], found[NEW], usual

    def carries(
        self, state: State, t: Array, capacity: tuple[Any, Any]
    ) -> tuple[tuple[Any, Any], Any]:
        """What (old, new) carry at t seconds, requests/s, if what scripts think is there could
        carry `capacity`; and what all carry with nothing deployed.
        """
        up = _in_service(state, t)
        old, new, usual = self.groups(state, t, up)
        parts = (
            whole * held / np.maximum(count, 1e-9)
            for whole, held, count in zip(capacity, (old, new), up, strict=True)
        )
        carried = tuple(parts)
        lost = state.fleet.lost(self._each)
        return (carried[OLD], carried[NEW]), self._each * usual - lost

    def begin(self, state: State, now: float) -> float:
        """Take over the state from now on; until when nothing comes into sight (seconds)."""
        history = state.situation.history
        if history is None:
            history = state.situation.history = History(state.plan.size)
        history.note(state, now)
        at = np.array([now + 2 * _MOMENT])
        state.unscaled = state.capacity
        capacity, usual = self.carries(state, at, state.capacity)
        state.capacity = (float(capacity[OLD][0]), float(capacity[NEW][0]))
        state.usual = float(usual[0])
        state.varying = state.varying or history.trailing(now, self.down)
        return history.turns(now, (self.up, self.down))

    def headroom(self, state: State, t: Array) -> float:
        """The least part of its load that a version can carry beyond it at the moments t (seconds),
        while nothing joins or leaves along a mean course.
        """
        (old, new), _ = self.carries(state, t, state.unscaled)
        rate, weight = np.asarray(self._plan.traffic.at(t), dtype=float), state.weights(t)
        copied = state.mirror * self._plan.misses
        loads = (
            rate * (1.0 - weight) * state.reached[OLD],
            rate * (weight * state.reached[NEW] + copied),
        )
        spare = (
            np.where(load > 0, carried / np.maximum(load, 1e-300), math.inf)
            for load, carried in zip(loads, (old, new), strict=True)
        )
        return min(float(np.min(each)) for each in spare) - 1.0

    def ample(self, state: State, edges: Array) -> bool:
        """Whether no version is overloaded at these moments (seconds), nor half-way between."""
        t = np.concatenate([edges + _MOMENT, (edges[1:] + edges[:-1]) / 2])
        return self.headroom(state, t) >= 0.0

    def full(self, state: State, now: float) -> bool:
        """Whether the old version has as many instances as with nothing deployed."""
        old, _, usual = self.groups(state, np.array([now + 2 * _MOMENT]), state.fleet.serving())
        return bool(old[0] >= usual[0] * (1 - 1e-6))

    def above(self, state: State, a: float, b: float) -> float:
        """Instance-seconds in [a, b] held above what scripts think, and above what is usual."""
        pieces = 1 if not state.varying else math.ceil((b - a) / _LONGEST)
        edges, total, fleet = np.linspace(a, b, pieces + 1), 0.0, state.fleet
        for start, end in pairwise(edges.tolist()):
            half = (end - start) / 2
            times = start + half + half * _NODES
            up = _in_service(state, times)
            old, new, usual = self.groups(state, times, up)
            extra = old + new - up[OLD] - up[NEW]
            total += half * float(np.sum(_WEIGHTS * (extra - usual + state.plan.size)))
            fleet.peak = max(fleet.peak, math.ceil(float(np.max(fleet.held + extra)) - 1e-6))
        return total


def _in_service(state: State, t: Array) -> tuple[Any, Any]:
    """What scripts think is in service of (old, new) at t seconds."""
    if state.fleet.drift is None:
        return state.fleet.up[OLD], state.fleet.up[NEW]
    return state.in_service(t)
