"""The state of service between two control events: who gets which requests, what becomes of them.

Everything is a share of the requests. Where nothing depends on time the shares are floats;
otherwise they are functions of time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.play.fates import fates, simple_fates
from simulator.play.fault import GOOD
from simulator.play.fleet import NEW, OLD, Fleet
from simulator.play.latency import cold_at, look_for_cold
from simulator.play.leak import Leak
from simulator.play.pressure import look_for_load
from simulator.play.router import Router
from simulator.play.shares import (
    NOTHING,
    Aside,
    Shares,
    divided,
    from_one_limit,
    last_aside,
    last_of,
    well,
)

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.situation import Situation

Array = NDArray[np.float64]
Top = Callable[[Any, Any], Any]

_HOUR = 3600.0
_STEPS = 32
_EVERYTHING = (1.0, 1.0)


class State:
    """The state of service from one control event on, as shares of the requests.

    `until` is the next kink (seconds); `varying` says that the shares depend on time. `nobody` is
    true when no instance serves, `harmful` is false when no harm can come; `weight` is the new
    version's share at the start, `versions` the shares of (old, new) and `asides` those that reach
    neither when they are constant, `defect` the bad share of all requests that the defect causes,
    `harm` that of any cause of the deployment. `marks` gives the weights at which something is
    decided, `usual` is what could be carried with nothing deployed if that follows the load, and
    `unscaled` what the versions could carry if they did not; `fresh` is the share of the new
    version's requests that meets cold environments. `lasting` tells that only the fleet can change
    it, so that it can begin `again`.
    """

    __slots__ = (
        "asides",
        "capacity",
        "clear",
        "defect",
        "fault",
        "fleet",
        "fresh",
        "harm",
        "harmful",
        "lasting",
        "leak",
        "leaked",
        "loaded",
        "mirror",
        "moving",
        "nobody",
        "plan",
        "reached",
        "refused",
        "router",
        "situation",
        "start",
        "straight",
        "unscaled",
        "until",
        "usual",
        "varying",
        "versions",
        "weight",
    )

    usual: float | None
    unscaled: tuple[float, float]

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        router: Router,
        situation: Situation,
        now: float,
        marks: Callable[[], tuple[float, ...]] = tuple,
    ) -> None:
        self.plan, self.fleet, self.router, self.situation = plan, fleet, router, situation
        self.fault = fault = situation.fault
        self.start, self.until = now, math.inf if fault is GOOD else fleet.arrives(now)
        self.clear = 1.0 - min(plan.noise + situation.incident, 1.0)
        self.mirror = router.mirror
        self.moving = self.lasting = self.loaded = False
        drift, cached = fleet.drift, plan.cached
        if router.pool and router.remembers:
            router.remember(self.weight_at(now + 1e-9), now)
            if drift is not None:
                self.until = min(self.until, now + max(drift.span, 1.0) / _STEPS)
        self.moving = not router.prompt and router.moving(now)
        self.varying = drift is not None or self.moving
        self.weight = self.weight_at(now + 1e-9) if self.varying else router.share(fleet)
        self.nobody = self.weight != self.weight or situation.stopped
        self.leak: Leak | None = None
        self.leaked, self.fresh, self.straight, self.loaded = 0.0, 0.0, False, False
        if fault.leak:
            self.leaked = self._leak_now(now)
            if self.leak is not None:
                self.straight = plan.steady and cached is None and not self.varying
                self.varying = True
        self.harmful = drift is None or not (self._sound() and self._roomy())
        self._capacities(now)
        self.asides: tuple[Aside, ...] = ()
        self.reached = self._reaching(now) if cached or situation.blocked else _EVERYTHING
        self.refused = self._one_limit(now)
        if plan.latency is not None and plan.latency.colds and not self.nobody:
            self.fresh, self.until = look_for_cold(self, now)
        if self.nobody:
            self.weight = 0.0
            self.versions: tuple[Shares, Shares] = (NOTHING, NOTHING)
            self.defect = 1.0 if fault.crash else 0.0
            self.harm = 1.0
            return
        if self.moving:
            self.until = min(self.until, router.turns(now, marks()))
        if fault.load:
            self.loaded, self.until = look_for_load(self, now)
        self._begin(now)
        self.lasting = not self.varying and self._fleet_alone()

    def _fleet_alone(self) -> bool:
        """Whether all that can change without a new state is the fleet."""
        fault = self.fault
        told = self.router.remembers or fault.leak or fault.load or self.situation.blocked
        return self.plan.lasting and not told

    def again(self, now: float) -> bool:
        """Begin again, when nothing but whole instances has changed; false if that cannot do."""
        weight = self.router.share(self.fleet)
        if not self.lasting or self.fleet.drift is not None or weight != weight:
            return False
        self.start, self.until, self.weight = now, math.inf, weight
        self._capacities(now)
        self._begin(now)
        self.lasting = not self.varying
        return True

    def _begin(self, now: float) -> None:
        """The shares at the start."""
        plan = self.plan
        if not self.harmful and plan.cached is None and not self.moving:
            self._all_is_well(1.0 - self.weight, self.weight)
            return
        if not self.varying:
            rate = plan.rate if plan.steady else self._busiest(now)
            if self._harmless(rate):
                return
            if self._simple:
                self.versions = simple_fates(self, rate)
            else:
                self.versions = fates(self, self.weight, rate, self.capacity, self.leaked, max)
            if plan.cached is not None or self.situation.blocked:
                self.asides = self._aside(self.weight, self.router.answered(now), self.leaked)
            self.varying = not plan.steady and self._full(rate)
        if self.straight:
            end = min(self.until, now + 60.0)
            leak = float(self._leaks(np.array([now, end]))[0])
            self.versions = fates(self, self.weight, plan.rate, self.capacity, leak, max)
        elif self.varying:
            middle = np.array([now + 1e-9, (now + min(self.until, now + 60.0)) / 2])
            old, new = self.at(middle)
            self.weight = float(self.weights(middle)[0])
            self.versions = (last_of(old), last_of(new))
            self.asides = tuple(last_aside(aside) for aside in self.aside_at(middle))
        self._intensities()

    def _busiest(self, now: float) -> float:
        """A bound of the rate: of all time, or else of the next hour, where the stretch ends."""
        plan, capacity = self.plan, self.capacity
        old, new = self._loads(self.weight)
        if plan.peak * old <= capacity[OLD] and plan.peak * new <= capacity[NEW]:
            return plan.peak
        self.until = min(self.until, now + _HOUR)
        return plan.load.greatest(now, self.until)

    @property
    def _simple(self) -> bool:
        """Whether versions differ in capacity and defect only: neither schema, cache nor copies."""
        situation = self.situation
        odd = self.mirror or situation.misfit is not None or situation.blocked or self.writers
        return self.plan.lasting and not odd and self.fleet.drift is None

    @property
    def writers(self) -> bool:
        """Whether two versions of which only one may write can meet."""
        return self.plan.single_writer and not self.situation.shared

    def _sound(self) -> bool:
        """Whether nothing is wrong but perhaps the capacity."""
        plan = self.plan
        if self.fault is not GOOD or plan.throttle is not None or not plan.plain:
            return False
        situation = self.situation
        return not (situation.misfit is not None or situation.blocked or self.writers)

    def _roomy(self) -> bool:
        """Whether all that join and leave can carry the busiest traffic, were they all cold."""
        plan, drift = self.plan, self.fleet.drift
        if self.mirror or drift is None:
            return False
        if plan.capacity == math.inf:
            return True
        old, new = self.in_service(np.array([self.start, drift.start + drift.span]))
        cold = plan.warm_share if plan.warm_for > 0 else 1.0
        return float(np.min(old + new)) * plan.capacity * cold >= plan.peak * plan.misses

    def _one_limit(self, now: float) -> float | None:
        """What both versions share: an elastic service's limit, and a throttle in front.

        The share that the throttle refuses while nothing varies; a full bucket lasts a while.
        """
        plan, bucket = self.plan, self.situation.bucket
        if plan.elastic and not self.nobody:
            self.capacity = self._shared_out(self.weight, self.reached)
        cold = plan.cached is not None and not plan.cached.shared and self.varying
        if bucket is None or not plan.steady or cold:
            return None
        share, until = bucket.offered(now, plan.rate * sum(self._loads(self.weight)))
        self.until = min(self.until, until)
        return share

    def _loads(self, weight: Any) -> tuple[Any, Any]:
        """What reaches (old, new), mirrored copies included, as shares of all requests."""
        old, new = self.reached
        return (1.0 - weight) * old, weight * new + self.mirror * self.plan.misses

    def _full(self, rate: float) -> bool:
        """Whether what becomes of requests depends on how many come, up to so many per second."""
        if self.plan.throttle is not None or not self.plan.plain:
            return True
        pairs = zip(self._loads(self.weight), self.capacity, strict=True)
        return any(rate * load > capacity for load, capacity in pairs)

    def _harmless(self, rate: float) -> bool:
        """The common case at once: nothing wrong, and capacity for everything."""
        if self.fault is not GOOD or self.mirror or not self._sound():
            return False
        old, new = self._loads(self.weight)
        enough, enough_new = self.capacity
        if rate * old > enough or rate * new > enough_new:
            return False
        self._all_is_well(old, new)
        return True

    def _all_is_well(self, old: float, new: float) -> None:
        """These shares of the requests reach the versions, and none is bad."""
        self.versions = well(old), well(new)
        self.harm = self.defect = 0.0

    def _intensities(self) -> None:
        old, new = self.versions
        fault, weight = self.fault, self.weight
        self.harm = old.share * (old.failing + old.late + old.corrupt) + new.share * (
            new.failing + new.late + new.corrupt
        )
        if self.asides:
            self.harm += sum(aside.share * aside.failing for aside in self.asides)
        if fault.crash:
            self.defect = self.harm
            return
        self.defect = self._by_defect(weight, (old, new), self.asides)

    def _by_defect(
        self, weight: Any, versions: tuple[Shares, Shares], asides: tuple[Aside, ...]
    ) -> Any:
        """The bad share of all requests that the defect causes."""
        old, new = versions
        reach = self.fault.users
        bad = reach * ((1.0 - weight) * old.segment + weight * new.segment)
        for aside in asides:
            first, second = aside.segment
            bad = bad + reach * ((1.0 - weight) * first + weight * second)
        if self.fault.factor > 1:
            bad = bad + weight * new.common
        return bad

    def _reaching(self, now: float) -> tuple[Any, Any]:
        """The shares of the requests for (old, new) that no cache answers and nobody refuses."""
        plan, situation = self.plan, self.situation
        cache, let = plan.cached, 1.0
        if situation.blocked:
            let = 1.0 - plan.writes
        if cache is None:
            return let, let
        old = new = let * plan.misses
        since = situation.cache_since
        if not cache.shared and since is not None and now < since + cache.ttl:
            self.varying = True
            self.until = min(self.until, since + cache.ttl)
            new = let
        return old, new

    def _hits(self, t: Any) -> Any:
        """The share of the new version's requests that its cache answers at t seconds."""
        cache, since = self.plan.cached, self.situation.cache_since
        assert cache is not None
        if cache.shared or since is None:
            return cache.hits
        return cache.hits * np.clip((t - since) / cache.ttl, 0.0, 1.0)

    def _aside(self, weight: Any, trailing: Any, leak: Any, hits: Any = None) -> tuple[Aside, ...]:
        """What reaches no version; `trailing` is the new version's part of the cached answers."""
        plan, found = self.plan, list[Aside]()
        if self.situation.blocked:
            writes = plan.writes * self.clear
            found.append(Aside(plan.writes, self.clear, True, (writes, writes), (0.0, 0.0)))
        cache, fault = plan.cached, self.fault
        if cache is None:
            return tuple(found)
        wrong = (fault.fail + leak + (fault.load if self.loaded else 0.0)) * self.clear
        if cache.shared:
            seen = cache.hits * trailing * wrong
            failing = fault.users * trailing * wrong
            found.append(Aside(cache.hits, failing, False, (0.0, 0.0), (seen, seen)))
        else:
            own = cache.hits if hits is None else hits
            failing = fault.users * wrong
            found.append(Aside(weight * own, failing, False, (0.0, 0.0), (0.0, own * wrong)))
        return tuple(found)

    def _capacities(self, now: float) -> None:
        plan, fleet = self.plan, self.fleet
        each, self.usual = plan.capacity, None
        serving = fleet.working()
        if each == math.inf:
            old, new = (sum(serving),) * 2 if self.situation.shared else serving
            self.capacity = (math.inf if old else 0.0, math.inf if new else 0.0)
            return
        if plan.warm_for > 0:
            serving = self._warm(OLD, serving[OLD], now), self._warm(NEW, serving[NEW], now)
        if self.situation.shared and not self.nobody:
            total = sum(serving)
            serving = total * (1.0 - self.weight), total * self.weight
        self.capacity = (serving[OLD] * each, serving[NEW] * each / self.fault.factor)
        if plan.scaling is not None:
            self.until = min(self.until, plan.scaling.begin(self, now))

    def _shared_out(self, weight: Any, reached: tuple[Any, Any]) -> tuple[Any, Any]:
        old, new = (1.0 - weight) * reached[OLD], weight * reached[NEW]
        new = new + self.mirror * self.plan.misses
        total = self.fleet.lit * self.plan.capacity if self.fleet.lit else 0.0
        return from_one_limit(total, old, new, self.fault.factor)

    def _warm(self, version: int, serving: float, now: float) -> float:
        """Instances' worth of capacity; notes the next kink if warming up makes a difference."""
        plan = self.plan
        cold, next_warm = 0.0, math.inf
        cohorts = self.fleet.cohorts[version]
        if not cohorts or cohorts[-1][1] + plan.warm_for <= now:
            return serving
        for count, since in reversed(cohorts):
            warm_at = since + plan.warm_for
            if warm_at <= now:
                break
            cold += count
            next_warm = warm_at
        if not cold:
            return serving
        lowered = max(serving - cold * (1 - plan.warm_share), 0.0)
        if self.nobody:
            return lowered
        share = self.weight if version == NEW else 1.0 - self.weight
        factor = self.fault.factor if version == NEW else 1.0
        busiest = plan.rate if plan.steady else plan.load.greatest(now, now + plan.warm_for)
        if lowered * plan.capacity / factor >= busiest * share and not self.varying:
            return lowered
        self.until = min(self.until, next_warm)
        return lowered

    def _leak_now(self, now: float) -> float:
        """The mean leak over the new cohorts now; notes the next kink and whether it is rising."""
        fault, drift, situation = self.fault, self.fleet.drift, self.situation
        cohorts: list[list[float]] = list(self.fleet.cohorts[NEW])
        if situation.on_since is not None:
            cohorts = [[1.0, situation.on_since]]
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

    def _leaks(self, edges: Array) -> Array:
        assert self.leak is not None
        return self.leak.means(edges)

    def _leak_at(self, t: Array) -> Array | float:
        if self.leak is None:
            return self.leaked
        if self.fleet.drift is None:
            return self.leak.at(t)
        _, new = self.in_service(t)
        return self.leak.at(t) * self.leak.instances / np.maximum(new, 1e-300)

    def weight_at(self, t: float) -> float:
        """The new version's share of the requests at t seconds; NaN when nobody serves."""
        if self.fleet.drift is None and (self.router.pool or not self.moving):
            return self.router.share(self.fleet)
        return float(self.weights(np.array([t]))[0])

    def weights(self, t: Array) -> Array:
        """The new version's share of the requests at the times t (seconds)."""
        if self.fleet.drift is not None and self.router.pool:
            old, new = self.in_service(t)
            share: Array = new / np.maximum(old + new, 1e-300)
            return share
        if self.moving and not self.router.pool:
            following: Array = self.router.follows(t)
            return following
        return np.full_like(t, self.weight)

    def in_service(self, t: Array) -> tuple[Array, Array]:
        """Instances of (old, new) in service at the times t (seconds)."""
        up, drift = self.fleet.up, self.fleet.drift
        if drift is None:
            return np.full_like(t, up[OLD]), np.full_like(t, up[NEW])
        came, went = drift.joined(t), drift.left(t)
        if drift.joining == NEW:
            return up[OLD] - went, up[NEW] + came
        return up[OLD] + came, up[NEW] - went

    def at(self, t: Array) -> tuple[Shares, Shares]:
        """The shares of (old, new) at the times t (seconds, any shape)."""
        plan = self.plan
        rate = np.maximum(np.asarray(plan.traffic.at(t), dtype=float), 1e-300)
        weight: Any = self.weights(t) if self.varying else self.weight
        capacity: tuple[Any, Any] = self.capacity if plan.scaling is None else self.unscaled
        usual: Any = None
        if self.fleet.drift is not None:
            each = plan.capacity
            capacity = (math.inf, math.inf)
            if each < math.inf:
                lit = self.fleet.lit * (1.0 - self.fleet.worn)
                less, cold = 1 - plan.warm_share, self.fleet.cold(t, plan.warm_for)
                old, new = (n - less * c for n, c in zip(self.in_service(t), cold, strict=True))
                capacity = (lit * old * each, lit * new * each / self.fault.factor)
        reached = self.reached
        if plan.cached is not None and not plan.cached.shared:
            let = 1.0 - plan.writes if self.situation.blocked else 1.0
            reached = (reached[OLD], let * (1.0 - self._hits(t)))
        if plan.elastic:
            capacity = self._shared_out(weight, reached)
        elif self.situation.shared and self.moving:
            capacity = divided(capacity, weight, self.fault.factor)
        if plan.scaling is not None:
            capacity, usual = plan.scaling.carries(self, t, capacity)
        fresh = cold_at(self, t, weight) if self.moving else self.fresh
        leak = self._leak_at(t)
        return fates(self, weight, rate, capacity, leak, np.maximum, reached, fresh, usual)

    def aside_at(self, t: Array) -> tuple[Aside, ...]:
        """The requests that reach no version at the times t (seconds, any shape)."""
        cache = self.plan.cached
        if cache is None and not self.situation.blocked:
            return ()
        trailing = self.router.answered(t) if cache is not None else 0.0
        hits = None if cache is None or cache.shared else self._hits(t)
        return self._aside(self.weights(t), trailing, self._leak_at(t), hits)
