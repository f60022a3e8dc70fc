"""A stretch of time without control events: who gets which requests, what becomes of them.

Everything is a share of the requests. Where nothing depends on time the shares are floats and an
integral is one product; otherwise they are functions integrated by Gauss-Legendre quadrature on
cells that are split at every kink.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.fault import GOOD
from simulator.play.fleet import MIRROR, NEW, OLD, Fleet
from simulator.play.leak import Leak
from simulator.play.router import Router

if TYPE_CHECKING:
    from simulator.play.fault import Fault
    from simulator.play.plan import Plan

Array = NDArray[np.float64]
Top = Callable[[Any, Any], Any]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_LONGEST_CELL = 900.0
_HOUR = 3600.0


class Shares(NamedTuple):
    """What becomes of the requests of one version (floats, or arrays over time).

    `share` of all requests reach it; of these `failing` are failed or rejected and `late` are late
    because of the deployment, `corrupt` are writes gone wrong. For a single user: `common` is the
    bad share that anyone on this version meets, `segment` what those within the defect's reach
    meet on top.
    """

    share: Any
    failing: Any
    late: Any
    corrupt: Any
    common: Any
    segment: Any


class Stretch:
    """The state of service between two control events, as shares of the requests.

    `until` is the next kink (seconds); `varying` says that the shares depend on time. `nobody` is
    true when no instance serves, `harmful` is false when no harm can come; `weight` is the new
    version's share at the start, `versions` the shares of (old, new) when they are constant,
    `defect` the bad share of all requests that the defect causes, `harm` that of any cause of the
    deployment.
    """

    __slots__ = (
        "capacity",
        "clear",
        "defect",
        "fault",
        "fleet",
        "harm",
        "harmful",
        "leak",
        "leaked",
        "mirror",
        "nobody",
        "plan",
        "start",
        "straight",
        "until",
        "varying",
        "versions",
        "weight",
    )

    def __init__(
        self, plan: Plan, fleet: Fleet, router: Router, fault: Fault, now: float, incident: float
    ) -> None:
        self.plan = plan
        self.fleet = fleet
        self.fault = fault
        self.start = now
        self.until = math.inf
        self.clear = 1.0 - min(plan.noise + incident, 1.0)
        self.mirror = router.mirror
        self.weight = router.share(fleet) if fleet.drift is None else self._drifting(now + 1e-9)
        self.nobody = self.weight != self.weight
        self.varying = fleet.drift is not None
        self.leak: Leak | None = None
        self.leaked = self._leak_now(now) if fault.leak else 0.0
        self.varying = self.varying or self.leak is not None
        self.straight = self.varying and plan.steady and fleet.drift is None
        self.harmful = not (fleet.drift is not None and fault is GOOD and self._roomy())
        self._capacities(now)
        if self.nobody:
            self.weight = 0.0
            self.versions: tuple[Shares, Shares] = (_NOTHING, _NOTHING)
            self.defect = 1.0 if fault.crash else 0.0
            self.harm = 1.0
            return
        if not self.varying:
            rate = plan.rate if plan.steady else self._busiest(now)
            if self._harmless(rate):
                return
            self.versions = self._shares(self.weight, rate, self.capacity, self.leaked, max)
            self.varying = not plan.steady and self._full(rate)
        if self.straight:
            self.versions = self._mean_shares(now, min(self.until, now + 60.0))
        elif self.varying:
            middle = np.array([now + 1e-9, (now + min(self.until, now + 60.0)) / 2])
            old, new = self.at(middle)
            self.weight = float(np.ravel(new.share)[0])
            self.versions = (_last(old), _last(new))
        self._intensities()

    def _busiest(self, now: float) -> float:
        """A bound of the rate: of all time, or else of the next hour, where the stretch ends."""
        plan, capacity = self.plan, self.capacity
        old, new = 1 - self.weight, self.weight + self.mirror
        if plan.peak * old <= capacity[OLD] and plan.peak * new <= capacity[NEW]:
            return plan.peak
        self.until = min(self.until, now + _HOUR)
        return plan.load.greatest(now, self.until)

    def _roomy(self) -> bool:
        """Whether all that join and leave can carry the busiest traffic, were they all cold."""
        plan, drift = self.plan, self.fleet.drift
        if self.mirror or drift is None:
            return False
        if plan.capacity == math.inf:
            return True
        old, new = self._in_service(np.array([self.start, drift.start + drift.span]))
        cold = plan.warm_share if plan.warm_for > 0 else 1.0
        return float(np.min(old + new)) * plan.capacity * cold >= plan.peak

    def _full(self, rate: float) -> bool:
        """Whether a version gets more than it can carry when so many requests/s come."""
        loads = (1 - self.weight, self.weight + self.mirror)
        return any(rate * load > c for load, c in zip(loads, self.capacity, strict=True))

    def _harmless(self, rate: float) -> bool:
        """The common case at once: nothing wrong, and capacity for everything."""
        weight, fault = self.weight, self.fault
        if fault is not GOOD or self.mirror:
            return False
        if rate * (1 - weight) > self.capacity[0] or rate * weight > self.capacity[1]:
            return False
        self.versions = (
            Shares(1.0 - weight, 0.0, 0.0, 0.0, 0.0, 0.0),
            Shares(weight, 0.0, 0.0, 0.0, 0.0, 0.0),
        )
        self.harm = self.defect = 0.0
        return True

    def _intensities(self) -> None:
        old, new = self.versions
        fault = self.fault
        self.harm = old.share * (old.failing + old.late + old.corrupt) + new.share * (
            new.failing + new.late + new.corrupt
        )
        if fault.crash:
            self.defect = self.harm
            return
        reach = fault.users
        self.defect = reach * (old.share * old.segment + new.share * new.segment)
        if fault.factor > 1:
            self.defect += new.share * new.common

    def _capacities(self, now: float) -> None:
        plan = self.plan
        each = plan.capacity
        if each == math.inf:
            old, new = self.fleet.up
            self.capacity = (math.inf if old else 0.0, math.inf if new else 0.0)
            return
        serving = float(self.fleet.up[OLD]), float(self.fleet.up[NEW])
        if plan.warm_for > 0:
            serving = self._warm(OLD, serving[OLD], now), self._warm(NEW, serving[NEW], now)
        self.capacity = (serving[OLD] * each, serving[NEW] * each / self.fault.factor)

    def _warm(self, version: int, serving: float, now: float) -> float:
        """Instances' worth of capacity; notes the next kink if warming up makes a difference."""
        plan = self.plan
        cold, next_warm = 0.0, math.inf
        for count, since in reversed(self.fleet.cohorts[version]):
            warm_at = since + plan.warm_for
            if warm_at > now:
                cold += count
                next_warm = min(next_warm, warm_at)
        lowered = serving - cold * (1 - plan.warm_share)
        if not cold or self.nobody:
            return lowered
        share = self.weight if version == NEW else 1.0 - self.weight
        factor = self.fault.factor if version == NEW else 1.0
        busiest = plan.load.greatest(now, now + plan.warm_for)
        if lowered * plan.capacity / factor >= busiest * share and not self.varying:
            return lowered
        self.until = min(self.until, next_warm)
        return lowered

    def capacity_at(self, t: float) -> tuple[float, float]:
        """Requests/s of (old, new) at t seconds, warming up included; for pictures."""
        plan = self.plan
        total = [0.0, 0.0]
        for version in (OLD, NEW):
            for count, since in self.fleet.cohorts[version]:
                warm = 1.0 if t >= since + plan.warm_for else plan.warm_share
                total[version] += count * warm if count else 0.0
        return (
            total[OLD] * plan.capacity if total[OLD] else 0.0,
            total[NEW] * plan.capacity / self.fault.factor if total[NEW] else 0.0,
        )

    def _leak_now(self, now: float) -> float:
        """The mean leak over the new cohorts now; notes the next kink and whether it is rising."""
        fault, drift = self.fault, self.fleet.drift
        cohorts = list(self.fleet.cohorts[NEW])
        if drift is not None and drift.joining == NEW:
            cohorts += drift.cohorts()
        if not cohorts:
            return 0.0
        first = min(since for _, since in cohorts) + fault.onset
        last = max(since for _, since in cohorts) + fault.onset + fault.ramp
        if now < first:
            self.until = min(self.until, first)
            return 0.0
        if now >= last:
            return fault.leak
        self.leak = Leak(cohorts, fault.onset, fault.ramp, fault.leak)
        self.until = min(self.until, last)
        return 0.0

    def _leak_at(self, t: Array) -> Array | float:
        if self.leak is None:
            return self.leaked
        if self.fleet.drift is None:
            return self.leak.at(t)
        _, new = self._in_service(t)
        return self.leak.at(t) * self.leak.instances / np.maximum(new, 1e-300)

    def _during(self, edges: Array) -> tuple[Shares, Shares]:
        """The mean shares of each cell while a leak grows and all else is constant."""
        assert self.leak is not None
        leak = self.leak.means(edges)
        return self._shares(self.weight, self.plan.rate, self.capacity, leak, max)

    def growth(self, edges: Array) -> Sequence[float | None]:
        """The part of a growing leak's failures in each cell, None where more than it changes."""
        if not self.straight or self.leak is None:
            return [None] * (len(edges) - 1)
        area = self.leak.means(edges) * np.diff(edges)
        whole = float(area.sum())
        parts: list[float | None] = (area / whole if whole > 0 else 0.0 * area).tolist()
        return parts

    def _mean_shares(self, a: float, b: float) -> tuple[Shares, Shares]:
        assert self.leak is not None
        leak = float(self.leak.means(np.array([a, b]))[0])
        return self._shares(self.weight, self.plan.rate, self.capacity, leak, max)

    def _degraded(self, a: float, b: float) -> float:
        """Seconds of [a, b] with more bad requests than tolerated, while a leak grows."""
        assert self.leak is not None
        bads = []
        for leak in (0.0, 1.0):
            old, new = self._shares(self.weight, self.plan.rate, self.capacity, leak, max)
            both = old.share * (old.failing + old.late) + new.share * (new.failing + new.late)
            bads.append(1.0 - self.clear + both)
        rise = bads[1] - bads[0]
        spare = self.plan.tolerated - bads[0]
        if rise <= 0:
            return b - a if spare < 0 else 0.0
        return max(b - max(a, self.leak.reaches(spare / rise)), 0.0)

    def _shares(
        self, weight: Any, rate: Any, capacity: tuple[Any, Any], leak: Any, top: Top
    ) -> tuple[Shares, Shares]:
        fault = self.fault
        unavoidable = top(0.0, 1.0 - self.plan.full_capacity / rate)
        mixed = fault.mixed * 2.0 * weight * (1.0 - weight) if fault.mixed else 0.0
        result = []
        for version, share in ((OLD, 1.0 - weight), (NEW, weight)):
            load = share + self.mirror if version == NEW else share
            offered = top(rate * load, 1e-300)
            shed = top(0.0, 1.0 - capacity[version] / offered)
            common = top(0.0, shed - unavoidable) * self.clear
            served = (1.0 - shed) * self.clear
            fail, late, corrupt = mixed, 0.0, 0.0
            if version == NEW:
                fail = fail + fault.fail + leak
                late = (1.0 - fail) * fault.late
                corrupt = fault.corrupt * self.plan.writes
            segment = served * (fail + late + corrupt)
            reach = fault.users
            result.append(
                Shares(
                    share,
                    common + reach * served * fail,
                    reach * served * late,
                    reach * served * corrupt,
                    common,
                    segment,
                )
            )
        return result[0], result[1]

    def weight_at(self, t: float) -> float:
        """The new version's share of the requests at t seconds."""
        return float(self._drifting(t)) if self.fleet.drift is not None else self.weight

    def _drifting(self, t: Any) -> Any:
        """The new version's share of the requests at the times t while instances join and leave."""
        old, new = self._in_service(np.atleast_1d(np.asarray(t, dtype=float)))
        share = new / np.maximum(old + new, 1e-300)
        return share if np.ndim(t) else float(share[0])

    def _in_service(self, t: Array) -> tuple[Array, Array]:
        up, drift = self.fleet.up, self.fleet.drift
        if drift is None:
            return np.full_like(t, up[OLD]), np.full_like(t, up[NEW])
        came, went = drift.joined(t), drift.left(t)
        if drift.joining == NEW:
            return up[OLD] - went, up[NEW] + came
        return up[OLD] + came, up[NEW] - went

    def _warmed(self, t: Array, old: Array, new: Array) -> tuple[Array, Array]:
        """Instances' worth of capacity while instances join: the youngest carry less."""
        plan, drift = self.plan, self.fleet.drift
        if plan.warm_for <= 0 or drift is None:
            return old, new
        young = drift.joined(t) - drift.joined(np.maximum(t - plan.warm_for, drift.start))
        colder = young * (1 - plan.warm_share)
        return (old, new - colder) if drift.joining == NEW else (old - colder, new)

    def at(self, t: Array) -> tuple[Shares, Shares]:
        """The shares of (old, new) at the times t (seconds, any shape)."""
        plan = self.plan
        rate = np.maximum(np.asarray(plan.traffic.at(t), dtype=float), 1e-300)
        weight: Any = self.weight
        capacity: tuple[Any, Any] = self.capacity
        if self.fleet.drift is not None:
            old, new = self._in_service(t)
            weight = new / np.maximum(old + new, 1e-300)
            each = plan.capacity
            capacity = (math.inf, math.inf)
            if each < math.inf:
                warm_old, warm_new = self._warmed(t, old, new)
                capacity = (warm_old * each, warm_new * each / self.fault.factor)
        return self._shares(weight, rate, capacity, self._leak_at(t), np.maximum)

    def cells(self, edges: Array) -> list[tuple[int, Array, Array, Array]]:
        """Expected (version, requests, failing, late) of each cell between neighbouring edges.

        Mirrored requests are a version of their own: only detectors of the new version see them.
        """
        if not self.varying or self.straight:
            base = self.plan.requests(edges)
            versions = self._during(edges) if self.straight else self.versions
            rows = [
                (v, base * s.share, base * s.share * s.failing, base * s.share * s.late)
                for v, s in enumerate(versions)
            ]
            if self.mirror:
                copied, new = base * self.mirror, versions[NEW]
                rows.append((MIRROR, copied, copied * new.failing, copied * new.late))
            return rows
        fine, starts, times, weights = self._quadrature(edges)
        old, new = self.at(times)
        seen = [(OLD, old.share, old), (NEW, new.share, new)]
        if self.mirror:
            seen.append((MIRROR, np.full_like(times, self.mirror), new))
        result = []
        for version, share, s in seen:
            part = weights * share
            values = (part, part * s.failing, part * s.late)
            requests, failing, late = (_gather(v, fine, starts) for v in values)
            result.append((version, requests, failing, late))
        return result

    def sums(self, a: float, b: float) -> tuple[float, float, float, list[tuple[float, ...]]]:
        """Over [a, b]: seconds on the new version, integral of 2 w (1 - w) and seconds degraded,
        and for each version the expected numbers of (requests, failing, late, corrupt, bad per
        user who is always on it: common, segment).
        """
        tolerated = self.plan.tolerated
        if not self.varying or self.straight:
            length = b - a
            base = self.plan.requests_between(a, b)
            rows: list[tuple[float, ...]] = []
            bad = 1.0 - self.clear
            for share, failing, late, corrupt, common, segment in (
                self._mean_shares(a, b) if self.straight else self.versions
            ):
                part = base * share
                bad += share * (failing + late)
                rows.append(
                    (
                        part,
                        part * failing,
                        part * late,
                        part * corrupt,
                        base * common,
                        base * segment,
                    )
                )
            w = self.weight
            degraded = length if bad > tolerated else 0.0
            if self.straight:
                degraded = self._degraded(a, b)
            return w * length, 2 * w * (1 - w) * length, degraded, rows
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
        bads = 1.0 - self.clear + sum(s.share * (s.failing + s.late) for s in (old, new))
        return (
            float(np.sum(half * new.share)),
            float(np.sum(half * 2 * new.share * old.share)),
            float(np.sum(half * (bads > tolerated))),
            rows,
        )

    def _quadrature(self, edges: Array) -> tuple[Array, NDArray[np.intp], Array, Array]:
        """Fine edges, the first fine cell of each cell, the nodes, and the weights times rate."""
        a, b = float(edges[0]), float(edges[-1])
        extra = [np.asarray(self.plan.traffic.kinks(a, b), dtype=float)]
        if self.leak is not None:
            extra.append(self.leak.kinks(a, b))
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
        each = self.plan.capacity / self.fault.factor
        if each == math.inf:
            return True
        if self.fleet.drift is not None:
            old, new = self._in_service(fine)
            return bool(np.min(old + new) * each >= self.plan.peak)
        offered = (1 - self.weight, self.weight)
        return all(c >= self.plan.peak * w for c, w in zip(self.capacity, offered, strict=True))

    def _split_at_overload(self, fine: Array) -> Array:
        """Add the instants where a version's load crosses its capacity: a kink of the shares."""
        if self._ample(fine):
            return fine
        low, high = fine[:-1] + 1e-9, fine[1:] - 1e-9
        found = []
        for version in (OLD, NEW):
            over_low = self.at(low)[version].common > 0
            over_high = self.at(high)[version].common > 0
            turns = np.flatnonzero(over_low != over_high)
            if not len(turns):
                continue
            a, b, side = low[turns], high[turns], np.asarray(over_low)[turns]
            for _ in range(40):
                middle = (a + b) / 2
                same = (self.at(middle)[version].common > 0) == side
                a, b = np.where(same, middle, a), np.where(same, b, middle)
            found.append((a + b) / 2)
        return np.unique(np.concatenate([fine, *found])) if found else fine


_NOTHING = Shares(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _last(shares: Shares) -> Shares:
    return Shares(*(float(np.ravel(np.asarray(x))[-1]) for x in shares))


def _gather(values: Array, fine: Array, starts: NDArray[np.intp]) -> Array:
    """Sum node values over the fine cells of each coarse cell."""
    total = np.sum(np.broadcast_to(values, (len(fine) - 1, len(_NODES))), axis=1)
    gathered: Array = np.add.reduceat(total, starts)
    return gathered
