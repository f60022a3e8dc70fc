"""A stretch of time without control events: the state of service, and integrals over it.

Where nothing depends on time an integral is one product; otherwise it is Gauss-Legendre quadrature
on cells that are split at every kink.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.fates import fates, leaking_fates
from simulator.play.fleet import MIRROR, NEW, OLD
from simulator.play.shares import Shares
from simulator.play.state import State

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_LONGEST_CELL: Final = 900.0
_GRID: Final = 33
_PARTS: Final = np.linspace(0.0, 1.0, 33)
_BESIDE: Final = 1e-9


class Beside(NamedTuple):
    """Requests in an interval that reach no version: how many are bad, and what a user meets.

    `failing` is expected; `excused` when it was announced; `common` and `segment` are expected bad
    requests, were all of them one user's who is always on (old, new).
    """

    failing: float
    excused: bool
    common: tuple[float, float]
    segment: tuple[float, float]


class Sums(NamedTuple):
    """Integrals over an interval.

    `seconds` on the new version, `mixing` the integral of 2w(1 - w), `degraded` seconds; `rows` for
    each version the expected (requests, failing, late, corrupt, bad per user who is always on it:
    common, segment); `beside` what reaches neither; `moved` the integral of the share of the users
    on the new version, seconds, where it is not that of the requests.
    """

    seconds: float
    mixing: float
    degraded: float
    rows: list[tuple[float, ...]]
    beside: list[Beside]
    moved: float | None = None


class Stretch(State):
    """A state of service that lasts, with its integrals over intervals (seconds)."""

    __slots__ = ("_crossed", "_glide", "_intolerable")

    _crossed: tuple[list[float], list[float]]

    @property
    def gliding(self) -> bool:
        """Whether instances join and leave and nothing can go wrong: only the weight matters."""
        plain = self.plan.steady and self.plan.cached is None
        return not self.harmful and plain and not self.moving

    def _glided(self, t: Array) -> tuple[Array, Array]:
        """Seconds on the new version and the integral of 2w(1 - w), from the start until t."""
        if not hasattr(self, "_glide"):
            drift = self.fleet.drift
            assert drift is not None
            times = np.linspace(self.start, max(drift.start + drift.span, self.start + 1.0), _GRID)
            weights = self.weights(times)
            both = 2 * weights * (1 - weights)
            steps = np.diff(times) / 2
            areas = [
                np.concatenate([[0.0], np.cumsum(steps * (w[1:] + w[:-1]))])
                for w in (weights, both)
            ]
            self._glide = (times, weights[-1], both[-1], *areas)
        times, last, last_both, area, mixing = self._glide
        beyond = np.maximum(t - times[-1], 0.0)
        return (
            np.interp(t, times, area) + last * beyond,
            np.interp(t, times, mixing) + last_both * beyond,
        )

    def _gliding_sums(self, a: float, b: float) -> Sums:
        seconds, mixing = (float(x[1] - x[0]) for x in self._glided(np.array([a, b])))
        rate, length = self.plan.rate, b - a
        none = (0.0, 0.0, 0.0, 0.0, 0.0)
        rows: list[tuple[float, ...]] = [
            (rate * (length - seconds), *none),
            (rate * seconds, *none),
        ]
        degraded = length if 1.0 - self.clear > self.plan.tolerated else 0.0
        return Sums(seconds, mixing, degraded, rows, [])

    def cells(
        self, edges: Array, seen: Container[int] = (OLD, NEW, MIRROR)
    ) -> list[tuple[int, Array, Array, Array, Array]]:
        """Expected (version, requests, failing, late, late anyway) of each cell between
        neighbouring edges.

        Mirrored requests are a version of their own: only detectors of the new version see them.
        Versions that are not `seen` are left out.
        """
        if not self.varying or self.straight:
            base, versions = self.plan.requests(edges), self.seen
            if self.straight:
                versions = self._during(edges)
            rows = []
            for version, share, s in self.receivers(versions, seen):
                part = base * share
                rows.append((version, part, part * s.failing, part * s.late, part * s.anyway))
            return rows
        if self.gliding:
            new_requests = self.plan.rate * np.diff(self._glided(edges)[0])
            old_requests, none = self.plan.requests(edges) - new_requests, 0.0 * new_requests
            glided = [
                (v, n, none, none, none) for v, n in ((OLD, old_requests), (NEW, new_requests))
            ]
            return [row for row in glided if row[0] in seen]
        fine, starts, times, weights = self._quadrature(edges)
        result = []
        for version, share, s in self.receivers(self.seen_at(times), seen):
            part = weights * share
            values = (part, part * s.failing, part * s.late, part * s.anyway)
            requests, failing, late, anyway = (_gather(v, fine, starts) for v in values)
            result.append((version, requests, failing, late, anyway))
        return result

    def receivers(
        self, versions: tuple[Shares, Shares], seen: Container[int]
    ) -> list[tuple[int, Any, Shares]]:
        """Who is sent which share of all requests, and what becomes of it: those of (old, new) and
        of the mirrored copies that are `seen`.
        """
        found = [(version, s.share, s) for version, s in enumerate(versions) if version in seen]
        if self.mirror and MIRROR in seen:
            found.append((MIRROR, self.copies, versions[NEW]))
        return found

    @property
    def copies(self) -> float:
        """Requests that are sent to the new version once more, as a share of all: the cache, if
        there is one, answers its part of them.
        """
        return self.mirror * self.plan.misses

    def sums(self, a: float, b: float) -> Sums:
        """Everything that is counted in [a, b]."""
        if not self.varying or self.straight:
            return self._plain_sums(a, b)
        if self.gliding:
            return self._gliding_sums(a, b)
        fine, _, times, weights = self._quadrature(np.array([a, b]))
        half = np.diff(fine)[:, None] / 2 * _WEIGHTS
        rows = []
        old, new = self.at(times)
        for s in (old, new):
            part = weights * s.share
            values = (
                *(part, part * s.failing, part * s.late, part * s.corrupt),
                *(weights * s.common, weights * s.segment),
            )
            rows.append(tuple(float(np.sum(value)) for value in values))
        bads = 1.0 - self.clear + sum(s.share * (s.failing + s.late + s.anyway) for s in (old, new))
        beside = []
        for aside in self.aside_at(times):
            bads = bads + aside.share * aside.failing
            common, segment = (
                tuple(float(np.sum(weights * x)) for x in pair)
                for pair in (aside.common, aside.segment)
            )
            failing = float(np.sum(weights * aside.share * aside.failing))
            beside.append(Beside(failing, aside.excused, common, segment))  # type: ignore[arg-type]
        w = self.weights(times)
        return Sums(
            float(np.sum(half * w)),
            float(np.sum(half * 2 * w * (1 - w))),
            float(np.sum(half * (bads > self.plan.tolerated))),
            rows,
            beside,
            None if self.plan.tides is None else float(np.sum(half * self.moved(times))),
        )

    def pieces(self, edges: Array) -> list[Sums]:
        """What users meet between neighbouring edges: sums without what is counted elsewhere."""
        fine, starts, times, weights = self._quadrature(edges)

        def gathered(values: Any) -> list[float]:
            total: list[float] = _gather(values, fine, starts).tolist()
            return total

        half = np.diff(fine)[:, None] / 2 * _WEIGHTS
        seconds = gathered(half * self.weights(times))
        moved = None if self.plan.tides is None else gathered(half * self.moved(times))
        shares = [
            (gathered(weights * s.common), gathered(weights * s.segment)) for s in self.at(times)
        ]
        asides = [
            (
                aside.excused,
                [gathered(weights * x) for x in aside.common],
                [gathered(weights * x) for x in aside.segment],
            )
            for aside in self.aside_at(times)
        ]
        return [
            Sums(
                seconds[k],
                0.0,
                0.0,
                [(0.0, 0.0, 0.0, 0.0, common[k], segment[k]) for common, segment in shares],
                [
                    Beside(0.0, excused, (old[k], new[k]), (first[k], second[k]))
                    for excused, (old, new), (first, second) in asides
                ],
                None if moved is None else moved[k],
            )
            for k in range(len(edges) - 1)
        ]

    def _plain_sums(self, a: float, b: float) -> Sums:
        length = b - a
        base = self.plan.requests_between(a, b)
        rows: list[tuple[float, ...]] = []
        bad = 1.0 - self.clear
        for share, failing, late, corrupt, common, segment, anyway in (
            self._mean_shares(a, b) if self.straight else self.versions
        ):
            part = base * share
            bad += share * (failing + late + anyway)
            rows.append(
                (part, part * failing, part * late, part * corrupt, base * common, base * segment)
            )
        beside = []
        for aside in self.asides:
            bad += aside.share * aside.failing
            (old, new), (first, second) = aside.common, aside.segment
            beside.append(
                Beside(
                    base * aside.share * aside.failing,
                    aside.excused,
                    (base * old, base * new),
                    (base * first, base * second),
                )
            )
        w = self.weight
        degraded = length if bad > self.plan.tolerated else 0.0
        if self.straight:
            degraded = self._degraded(a, b)
        return Sums(w * length, 2 * w * (1 - w) * length, degraded, rows, beside)

    def _during(self, edges: Array) -> tuple[Shares, Shares]:
        """The mean shares of each cell while a leak grows and all else is constant."""
        assert self.leak is not None
        leak = self.leak.means(edges)
        return fates(self, self.weight, self.plan.rate, self.capacity, leak, max)

    def growth(self, edges: Sequence[float]) -> Sequence[float]:
        """The part of a growing leak's failures in each cell, where nothing else changes."""
        assert self.leak is not None
        upto = [self.leak.upto(t) for t in edges]
        whole = upto[-1] - upto[0]
        return [(b - a) / whole if whole > 0 else 0.0 for a, b in pairwise(upto)]

    def _degraded(self, a: float, b: float) -> float:
        """Seconds of [a, b] with more bad requests than tolerated, from one moment of a leak on."""
        assert self.leak is not None
        if not hasattr(self, "_intolerable"):
            bads = []
            for leak in (0.0, 1.0):
                old, new = leaking_fates(self, leak)
                both = sum(s.share * (s.failing + s.late + s.anyway) for s in (old, new))
                bads.append(1.0 - self.clear + both)
            rise, spare = bads[1] - bads[0], self.plan.tolerated - bads[0]
            if rise > 0:
                self._intolerable = self.leak.exceeds(spare / rise)
            else:
                self._intolerable = -math.inf if spare < 0 else math.inf
        return max(b - max(a, self._intolerable), 0.0)

    def falls_below(self, level: float, a: float, b: float) -> float:
        """When the bad share by the defect falls below a level in [a, b] for good; b if it stays.

        Times are seconds.
        """
        times = np.linspace(a, b, _GRID + 1)
        above = np.flatnonzero(self._bad(times) >= level)
        if not len(above):
            return a
        index = int(above[-1])
        if index == _GRID:
            return b
        low, high = float(times[index]), float(times[index + 1])
        for _ in range(40):
            middle = (low + high) / 2
            if self.defect_at(middle) >= level:
                low = middle
            else:
                high = middle
        return high

    def defect_at(self, t: float) -> float:
        """The bad share by the defect at t seconds."""
        if not self.varying:
            return self.defect
        return float(self._bad(np.array([t]))[0])

    def _bad(self, t: Array) -> Array:
        share: Array = self._by_defect(self.weights(t), self.at(t), self.aside_at(t)) + 0.0 * t
        return share

    def capacity_at(self, t: float) -> tuple[float, float]:
        """Requests/s of (old, new) at t seconds, warming up included; for pictures."""
        plan = self.plan
        if plan.elastic:
            return self.capacity
        if plan.scaling is not None and not self.nobody:
            old, new = plan.scaling.carries(self, np.array([t]), self.unscaled)[0]
            return float(old[0]), float(new[0])
        total = [0.0, 0.0]
        for version in (OLD, NEW):
            for count, since in self.fleet.cohorts[version]:
                warm = 1.0 if t >= since + plan.warm_for else plan.warm_share
                total[version] += count * warm if count else 0.0
        return (
            total[OLD] * plan.capacity if total[OLD] else 0.0,
            total[NEW] * plan.capacity / self.fault.factor if total[NEW] else 0.0,
        )

    def again(self, now: float) -> bool:
        """Begin again, when nothing but whole instances has changed; false if that cannot do."""
        self._crossed = ([], [])
        return super().again(now)

    def _quadrature(self, edges: Array) -> tuple[Array, NDArray[np.intp], Array, Array]:
        """Fine edges, the first fine cell of each cell, the nodes, and the weights times rate."""
        a, b = float(edges[0]), float(edges[-1])
        extra = [np.asarray(self.plan.traffic.kinks(a, b), dtype=float)]
        if self.leak is not None:
            extra.append(self.leak.kinks(a, b))
        if self.moving:
            extra.append(np.asarray(self.router.bends(a, b), dtype=float))
        if b - a > _LONGEST_CELL:
            extra.append(np.linspace(a, b, int((b - a) / _LONGEST_CELL) + 2)[1:-1])
        fine = np.unique(np.concatenate([edges, *extra]))
        fine = self._split_at_overload(fine)
        starts = np.searchsorted(fine, edges[:-1])
        half = np.diff(fine)[:, None] / 2
        times = (fine[:-1, None] + half) + half * _NODES
        weights = half * _WEIGHTS * np.asarray(self.plan.traffic.at(times), dtype=float)
        return fine, starts, times, weights

    def _ample(self, fine: Array) -> bool:
        """Whether no version can be overloaded: capacity above the largest rate all along."""
        each = self.plan.capacity / self.fault.factor / (1 + self.plan.retries)
        if self.plan.throttle is not None:
            return False
        if self.plan.scaling is not None:
            return self.fleet.drift is None and self.plan.scaling.ample(self, fine)
        if each == math.inf:
            return True
        if self.plan.elastic:
            return each * self.fleet.lit >= self.plan.peak * (1.0 + self.mirror)
        if self.fleet.drift is not None:
            old, new = self.fleet.sound(self.in_service(fine))
            return bool(
                np.min(old + new) * each * self.fleet.lit * (1.0 - self.fleet.worn)
                >= self.plan.peak
            )
        if self.situation.misfit is not None:
            return True
        offered: tuple[Any, Any] = (1.0, 1.0)
        if self.plan.tides is None and not (self.moving and self.situation.shared):
            near = np.concatenate([fine[:-1] + _BESIDE, fine[1:] - _BESIDE])
            offered = self._loads(self.weights(near) if self.moving else self.weight)
        peak = self.plan.peak * (1 + self.plan.retries)
        pairs = zip(self.capacity, offered, strict=True)
        return all(not capacity or capacity >= peak * np.max(part) for capacity, part in pairs)

    def _split_at_overload(self, fine: Array) -> Array:
        """Add the instants where a version's load crosses its capacity: a kink of the shares."""
        if self._ample(fine):
            return fine
        low, high = fine[:-1] + _BESIDE, fine[1:] - _BESIDE
        found = []
        for version in (OLD, NEW):
            over_low = self._over(low, version)
            over_high = self._over(high, version)
            turns = np.flatnonzero(over_low != over_high)
            if not len(turns):
                continue
            found.append(self._crossings(version, low[turns], high[turns]))
        return np.unique(np.concatenate([fine, *found])) if found else fine

    def _crossings(self, version: int, low: Array, high: Array) -> Array:
        """When a version's load crosses its capacity, once between each of these moments.

        What was found before is not looked for again: other edges do not move it.
        """
        if not hasattr(self, "_crossed"):
            self._crossed = ([], [])
        known = self._crossed[version]
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        times = np.array([next((t for t in known if a < t < b), math.nan) for a, b in pairs])
        unknown = np.isnan(times)
        if unknown.any():
            a, b = low[unknown], high[unknown]
            side, rows = self._over(a, version)[:, None], np.arange(len(a))
            for _ in range(8):  # each time 32 times as close
                tried = a[:, None] + (b - a)[:, None] * _PARTS
                before = np.cumprod(self._over(tried[:, 1:-1], version) == side, axis=1).sum(1)
                a, b = tried[rows, before], tried[rows, before + 1]
            times[unknown] = (a + b) / 2
            known += times[unknown].tolist()
        return times

    def _over(self, t: Array, version: int) -> NDArray[np.bool_]:
        """Whether requests are rejected (or, for old, throttled anyway) at the times t."""
        over: NDArray[np.bool_] = np.asarray(self.seen_at(t)[version].common > 0)
        throttle = self.plan.throttle
        if throttle is None or version == NEW:
            return over
        offered = np.asarray(self.plan.traffic.at(t), dtype=float) * self.plan.misses
        usual: NDArray[np.bool_] = offered > throttle.rate
        return usual


def _gather(values: Array, fine: Array, starts: NDArray[np.intp]) -> Array:
    """Sum node values over the fine cells of each coarse cell."""
    total = np.sum(np.broadcast_to(values, (len(fine) - 1, len(_NODES))), axis=1)
    gathered: Array = np.add.reduceat(total, starts)
    return gathered
