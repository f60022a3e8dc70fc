"""The state of service between two control events: who gets which requests, what becomes of them.

Everything is a share of the requests. Where nothing depends on time the shares are floats;
otherwise they are functions of time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.fates import fates, leaking_fates, simple_fates
from simulator.play.fault import GOOD
from simulator.play.fleet import NEW, OLD, Fleet
from simulator.play.latency import cold_at, look_for_cold
from simulator.play.leak import Leak, leaking
from simulator.play.pressure import look_for_load
from simulator.play.pulling import let_pull
from simulator.play.retrying import last_retried, retried
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
from simulator.play.unserved import aside, hits, reaching

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.situation import Situation

Array = NDArray[np.float64]
Top = Callable[[Any, Any], Any]

_HOUR: Final = 3600.0
_STEPS: Final = 32
_EVERYTHING = (1.0, 1.0)


class State:
    """The state of service from one control event on, as shares of the requests.

    `until` is the next kink (seconds); `varying` says that the shares depend on time. `nobody` is
    true when no instance serves, `harmful` is false when no harm can come; `weight` is the new
    version's share at the start, `versions` the shares of (old, new) and `asides` those that reach
    neither when they are constant (`seen` by detectors, who count every try of a request: a version
    gets `more` times its requests), `defect` the bad share of all requests that the defect causes,
    `harm` that of any cause of the deployment. `overdue` tells that what consumers of a queue work
    on is too old. `marks` gives the weights at which something is decided. `users` is the share of
    the users on new, where cells have busy hours of their own. `usual` is what could be carried
    with nothing deployed if that follows the load, and `unscaled` what the versions could carry if
    they did not; `fresh` is the share of the new version's requests that meets cold environments.
    `lasting` tells that only the fleet can change it, so that it can begin `again`.
    """

    leak: Leak | None
    versions: tuple[Shares, Shares]
    seen: tuple[Shares, Shares]

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
        "more",
        "moving",
        "nobody",
        "overdue",
        "plan",
        "reached",
        "refused",
        "router",
        "seen",
        "situation",
        "start",
        "straight",
        "unscaled",
        "until",
        "users",
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
        self.moving = self.lasting = self.loaded = self.straight = False
        self.leaked = self.overdue = self.fresh = 0.0
        self.more, self.leak, self.mirror = _EVERYTHING, None, router.mirror
        drift, cached = fleet.drift, plan.cached
        if router.pool and router.remembers:
            router.remember(self.weight_at(now + 1e-9), now)
            if drift is not None:
                self.until = min(self.until, now + max(drift.span, 1.0) / _STEPS)
        self.moving = not router.prompt and router.moving(now)
        self.varying = self._tidal() or drift is not None or self.moving
        self.weight = self.weight_at(now + 1e-9) if self.varying else router.share(fleet)
        self.nobody = self.weight != self.weight or situation.stopped
        if fault.leak:
            self.leaked, self.leak, kink = leaking(fault, fleet, situation, now)
            self.until = min(self.until, kink)
        if self.leak is not None:
            plainly = plan.steady and cached is None and not plan.retries and not self.varying
            self.straight, self.varying = plainly, True
        self.harmful = drift is None or not (self._sound() and self._roomy())
        self._capacities(now)
        self.asides: tuple[Aside, ...] = ()
        beside = cached is not None or situation.blocked
        self.reached = reaching(self, now) if beside else _EVERYTHING
        self.refused = self._one_limit(now)
        if plan.deadline:
            let_pull(self, now)
        if self.nobody:
            self._nobody_serves()
            return
        if plan.latency is not None:
            self.fresh, self.until = look_for_cold(self, now)
        if self.moving:
            self.until = min(self.until, router.turns(now, marks()))
        if fault.load:
            self.loaded, self.until = look_for_load(self, now)
        self._begin(now)
        self.lasting = not self.varying and self._fleet_alone()

    def _tidal(self) -> bool:
        """Whether users of cells with busy hours of their own are on both versions."""
        if self.plan.tides is None:
            return False
        self.users = self.router.share(self.fleet)
        return 0.0 < self.users < 1.0

    def _nobody_serves(self) -> None:
        """Every request fails, unless it waits in a queue."""
        self.weight = 0.0
        self.versions = self.seen = (NOTHING, NOTHING)
        self.harm = 0.0 if self.plan.deadline else 1.0
        self.defect = self.harm if self.fault.crash else 0.0

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
            if plan.retries:
                found = retried(self, *self.moment(rate), self.reached)
                self.seen, self.versions, self.more = found
            elif self.simple:
                self.versions = simple_fates(self, rate, self.leaked)
            else:
                self.versions = fates(self, *self.moment(rate))
            if plan.cached is not None or self.situation.blocked:
                self.asides = aside(self, self.weight, self.router.answered(now), self.leaked)
            self.varying = not (plan.steady or plan.deadline) and self._full(rate)
        if self.straight:
            end = min(self.until, now + 60.0)
            self.versions = self._mean_shares(now, end)
        elif self.varying:
            middle = np.array([now + 1e-9, (now + min(self.until, now + 60.0)) / 2])
            self.weight = float(self.weights(middle)[0])
            if plan.retries:
                found = last_retried(retried(self, *self._then(middle)))
                self.seen, self.versions, self.more = found
            else:
                old, new = self.at(middle)
                self.versions = (last_of(old), last_of(new))
            self.asides = tuple(last_aside(aside) for aside in self.aside_at(middle))
        self.seen = self.seen if plan.retries else self.versions
        self._intensities()

    def moment(self, rate: float) -> tuple[float, float, tuple[float, float], float, Top]:
        """Weight, rate, capacity and leak at the start, and how to take the larger of two."""
        return self.weight, rate, self.capacity, self.leaked, max

    def _busiest(self, now: float) -> float:
        """A bound of the rate: of all time, or else of the next hour, where the stretch ends."""
        plan, capacity = self.plan, self.capacity
        old, new = self._loads(self.weight)
        if plan.peak * old <= capacity[OLD] and plan.peak * new <= capacity[NEW]:
            return plan.peak
        self.until = min(self.until, now + _HOUR)
        return plan.load.greatest(now, self.until)

    @property
    def simple(self) -> bool:
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
        if self.fault is not GOOD or plan.throttle is not None or self.overdue or not plan.plain:
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
        fleet, ends = self.fleet, np.array([self.start, drift.start + drift.span])
        old, new = fleet.sound(self.in_service(ends))
        cold = fleet.lit * (1.0 - fleet.worn) * (plan.warm_share if plan.warm_for > 0 else 1.0)
        return float(np.min(old + new)) * plan.capacity * cold >= plan.peak * plan.misses

    def _one_limit(self, now: float) -> float | None:
        """What both versions share: an elastic service's limit, and a throttle in front.

        The share that the throttle refuses while nothing varies; a full bucket lasts a while.
        """
        plan, bucket = self.plan, self.situation.bucket
        if plan.elastic and not self.nobody:
            self.capacity = self.shared_out(self.weight, self.reached)
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
        pairs = zip(self._loads(self.weight), self.more, self.capacity, strict=True)
        return any(rate * load * more > capacity for load, more, capacity in pairs)

    def _harmless(self, rate: float) -> bool:
        """The common case at once: nothing wrong, and capacity for everything."""
        if self.fault is not GOOD or self.mirror or not self._sound():
            return False
        old, new = self._loads(self.weight)
        enough, enough_new = self.capacity
        if not self.plan.deadline and (rate * old > enough or rate * new > enough_new):
            return False
        self._all_is_well(old, new)
        return True

    def _all_is_well(self, old: float, new: float) -> None:
        """These shares of the requests reach the versions, and none is bad."""
        self.versions = self.seen = well(old), well(new)
        self.more = _EVERYTHING
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
        if self.overdue:
            old, new = self._in_time()
        self.defect = self._by_defect(weight, (old, new), self.asides)

    def _in_time(self) -> tuple[Shares, Shares]:
        """The shares were nothing late: a defect spoils what is too late anyway, all the same."""
        self.overdue, overdue = 0.0, self.overdue
        moment, again = self.moment(self.plan.rate), self.plan.retries
        found = retried(self, *moment, self.reached).met if again else fates(self, *moment)
        self.overdue = overdue
        return found

    def _by_defect(
        self, weight: Any, versions: tuple[Shares, Shares], asides: tuple[Aside, ...]
    ) -> Any:
        """The bad share of all requests that the defect causes."""
        old, new = versions
        reach = self.fault.users
        bad = reach * ((1.0 - weight) * old.segment + weight * new.segment)
        for beside in asides:
            first, second = beside.segment
            bad = bad + reach * ((1.0 - weight) * first + weight * second)
        if self.fault.factor > 1:
            bad = bad + weight * new.common
            if self.plan.elastic:  # one concurrency for both: what is slow takes it from the other
                bad = bad + (1.0 - weight) * old.common
        return bad

    def _capacities(self, now: float) -> None:
        plan, fleet = self.plan, self.fleet
        each, self.usual = plan.capacity, None
        serving = fleet.working()
        if plan.lingers:
            serving = fleet.with_finishing()
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

    def shared_out(self, weight: Any, reached: tuple[Any, Any]) -> tuple[Any, Any]:
        """What an elastic service carries of what reaches (old, new), requests/s."""
        old, new = (1.0 - weight) * reached[OLD], weight * reached[NEW]
        new = new + self.mirror * self.plan.misses
        total = self.fleet.lit * self.plan.capacity if self.fleet.lit else 0.0
        return from_one_limit(total, old, new, self.fault.factor)

    def _warm(self, version: int, serving: float, now: float) -> float:
        """Instances' worth of capacity; notes the next kink if warming up makes a difference."""
        plan = self.plan
        cold, next_warm = self.fleet.warming(version, now, plan.warm_for)
        if not cold:
            return serving
        lowered = max(serving - cold * (1 - plan.warm_share), 0.0)
        if self.nobody:
            return lowered
        share = self.weight if version == NEW else 1.0 - self.weight
        factor = self.fault.factor if version == NEW else 1.0
        busiest = plan.rate if plan.steady else plan.load.greatest(now, now + plan.warm_for)
        roomy = lowered * plan.capacity / factor >= busiest * share
        if roomy and not self.varying and not plan.deadline:
            return lowered
        self.until = min(self.until, next_warm)
        return lowered

    def _mean_shares(self, a: float, b: float) -> tuple[Shares, Shares]:
        """The mean shares of [a, b] while a leak grows and all else is constant."""
        assert self.leak is not None
        return leaking_fates(self, self.leak.mean(a, b))

    def _leak_at(self, t: Array) -> Array | float:
        if self.leak is None:
            return self.leaked
        if self.fleet.drift is None:
            return self.leak.at(t)
        _, new = self.in_service(t)
        return self.leak.at(t) * self.leak.instances / np.maximum(new, 1e-300)

    def weight_at(self, t: float) -> float:
        """The new version's share of the requests at t seconds; NaN when nobody serves."""
        in_pool = self.router.pool and not (self.moving and self.router.lingers)
        plain = self.fleet.drift is None and (in_pool or not self.moving)
        if plain and self.plan.tides is None:
            return self.router.share(self.fleet)
        return float(self.weights(np.array([t]))[0])

    def weights(self, t: Array) -> Array:
        """The new version's share of the requests at the times t (seconds)."""
        tides = self.plan.tides
        return self.moved(t) if tides is None else tides.share(self.moved(t), t)

    def moved(self, t: Array) -> Array:
        """The share of the users on the new version at the times t (seconds)."""
        lingers = self.moving and self.router.lingers
        if self.fleet.drift is not None and self.router.pool and not lingers:
            old, new = self.fleet.sound(self.in_service(t))
            share: Array = new / np.maximum(old + new, 1e-300)
            return share
        if self.moving and (lingers or not self.router.pool):
            following: Array = self.router.follows(t)
            return following
        return np.full_like(t, self.weight if self.plan.tides is None else self.users)

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
        if self.plan.retries:
            return retried(self, *self._then(t)).met
        weight, rate, capacity, leak, top, reached = self._then(t)
        if self.plan.plain:
            return fates(self, weight, rate, capacity, leak, top, reached)
        usual: Any = None
        if self.plan.scaling is not None:
            capacity, usual = self.plan.scaling.carries(self, t, capacity)
        fresh = cold_at(self, t, weight) if self.moving else self.fresh
        return fates(self, weight, rate, capacity, leak, top, reached, fresh, usual)

    def seen_at(self, t: Array) -> tuple[Shares, Shares]:
        """The same as detectors see them, who count every try of a request."""
        return retried(self, *self._then(t)).seen if self.plan.retries else self.at(t)

    def _then(self, t: Array) -> tuple[Any, Any, tuple[Any, Any], Any, Top, tuple[Any, Any]]:
        """Weights, rates, capacities and leaks at the times t, how to take the larger of two, and
        what reaches (old, new).
        """
        plan = self.plan
        rate = np.maximum(np.asarray(plan.traffic.at(t), dtype=float), 1e-300)
        weight: Any = self.weights(t) if self.varying else self.weight
        capacity: tuple[Any, Any] = self.capacity if plan.scaling is None else self.unscaled
        if self.fleet.drift is not None:
            each = plan.capacity
            capacity = (math.inf, math.inf)
            if each < math.inf:
                lit = self.fleet.lit * (1.0 - self.fleet.worn)
                less, cold = 1 - plan.warm_share, self.fleet.cold(t, plan.warm_for)
                there = self.fleet.sound(self.in_service(t))
                old, new = (
                    n - less * c + more
                    for n, c, more in zip(there, cold, self.fleet.finishing, strict=True)
                )
                capacity = (lit * old * each, lit * new * each / self.fault.factor)
        reached = self.reached
        if plan.cached is not None and not plan.cached.shared:
            let = 1.0 - plan.writes if self.situation.blocked else 1.0
            reached = (reached[OLD], let * (1.0 - hits(self, t)))
        if plan.elastic:
            capacity = self.shared_out(weight, reached)
        elif self.situation.shared and self.moving:
            capacity = divided(capacity, weight, self.fault.factor)
        return weight, rate, capacity, self._leak_at(t), np.maximum, reached

    def aside_at(self, t: Array) -> tuple[Aside, ...]:
        """The requests that reach no version at the times t (seconds, any shape)."""
        cache = self.plan.cached
        if cache is None and not self.situation.blocked:
            return ()
        trailing = self.router.answered(t) if cache is not None else 0.0
        own = None if cache is None or cache.shared else hits(self, t)
        return aside(self, self.weights(t), trailing, self._leak_at(t), own)
