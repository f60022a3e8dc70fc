"""What becomes of the requests in a state of service: the shares of each version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulator.play.fleet import NEW, OLD
from simulator.play.pressure import throttled
from simulator.play.shares import Shares, both

if TYPE_CHECKING:
    from simulator.play.state import State, Top

_COLLAPSE: Final = 3  # of a > c the share (c/a)^3 is carried: c (c/a)^2
_ROUNDING: Final = 1e-12
_new: Final = tuple.__new__  # a named tuple at half the cost of calling its class
_NONE: Any = 0.0


def _mixing(state: State, weight: Any, top: Top) -> Any:
    """What 2w(1 - w) is for a defect of which a part stays in the data after a rollback."""
    mixed, situation, fault = 2.0 * weight * (1.0 - weight), state.situation, state.fault
    if not situation.rolling_back:
        return mixed
    stays: Any = 0.0 if situation.repaired else top(mixed, situation.highest)
    return (1.0 - fault.persists) * mixed + fault.persists * stays


def usual_capacity(state: State) -> float:
    """What the service could carry with nothing deployed, requests/s."""
    if state.usual is not None:
        return float(state.usual)
    return state.plan.full_capacity - state.fleet.lost(state.plan.capacity)


class Tried(NamedTuple):
    """What one try of a request meets on a version: `share` of all requests go there, of which
    `reaching` are not answered or refused before. Of these `common` are bad for everybody because
    of the deployment, `served` get an answer; of them, for users whom a defect can reach, `fail`,
    `late` and `corrupt` are shares. Of all, as long as they do not fail, `overdue` are late for
    everybody because of the deployment, and `anyway` with nothing deployed as well.
    """

    share: Any
    reaching: Any
    common: Any
    served: Any
    fail: Any
    late: Any
    corrupt: Any
    overdue: Any = 0.0
    anyway: Any = 0.0


def unavoidable(state: State, rate: Any, passing: Any, top: Top, usual: Any = None) -> Any:
    """The share that the whole old fleet would reject with nothing deployed; what it could carry
    then is `usual` requests/s if that differs from time to time.
    """
    if state.plan.deadline:
        return 0.0 * rate
    usual = usual_capacity(state) if usual is None else usual
    over = top(0.0, 1.0 - usual / (rate * state.plan.misses * passing))
    return 1.0 - (1.0 - over) ** _COLLAPSE if state.plan.collapses else over


def fates(
    state: State,
    weight: Any,
    rate: Any,
    capacity: tuple[Any, Any],
    leak: Any,
    top: Top,
    reached: tuple[Any, Any] | None = None,
    fresh: Any = None,
    usual: Any = None,
) -> tuple[Shares, Shares]:
    """The shares of (old, new) with these weights, rates, capacities and leaks."""
    users, in_time, found = state.fault.users, 1.0 - state.overdue, []
    for share, reaching, common, served, fail, late, corrupt, overdue, anyway in tries(
        state, weight, rate, capacity, leak, top, reached or state.reached, fresh, usual
    ):
        segment, within = served * (fail + late + corrupt) * in_time, users * served
        if state.plan.latency is not None:
            segment = segment - overdue * fail
        right = 1.0 - users * fail
        whole = (
            *(share * reaching, common + within * fail, within * late + overdue * right),
            *(within * corrupt, (common + overdue) * reaching, segment * reaching, anyway * right),
        )
        found.append(_new(Shares, whole))
    return found[OLD], found[NEW]


def tries(
    state: State,
    weight: Any,
    rate: Any,
    capacity: tuple[Any, Any],
    leak: Any,
    top: Top,
    reached: tuple[Any, Any],
    fresh: Any = None,
    usual: Any = None,
) -> Iterator[Tried]:
    """What a try meets on (old, new), one after the other.

    More than `capacity` is rejected: of a times the capacity c the share c/a is carried, or, where
    the service collapses, (c/a)^3: c (c/a)^2 of it. `fresh` of the new version's meet cold
    environments; `usual` requests/s could be carried with nothing deployed.
    """
    plan, situation = state.plan, state.situation
    passing, more = throttled(state, weight, rate, reached, top)
    copied: Any = state.mirror * plan.misses * passing
    usually = unavoidable(state, rate, passing, top, usual)
    mixed: Any = state.fault.mixed * _mixing(state, weight, top) if state.fault.mixed else 0.0
    beside = both(weight) if state.writers and not state.mirror else float(state.mirror > 0)
    for version, share in ((OLD, 1.0 - weight), (NEW, weight)):
        reaching = reached[version] * passing
        load = share * reaching
        if version == NEW and state.mirror:
            load = load + copied
        offered = top(rate * load * (1.0 - more), 1e-300)
        carried = 1.0 if plan.deadline else 1.0 - top(0.0, 1.0 - capacity[version] / offered)
        if plan.collapses and not plan.deadline:
            carried = carried**_COLLAPSE
        shed = 1.0 - (1.0 - more) * carried
        common = top(0.0, shed - usually) * state.clear
        served = (1.0 - shed) * state.clear
        fail, late, corrupt = mixed, _NONE, _NONE
        if version == NEW:
            if state.writers:
                refused = beside * plan.writes
                common, served = common + refused * served, (1.0 - refused) * served
            fail, late, corrupt = _by_fault(state, mixed, leak)
        if version == situation.misfit:
            common, served = common + served, 0.0 * served
        overdue: Any = state.overdue * served if state.overdue else 0.0
        anyway = _NONE
        if plan.latency is not None:
            busy = (rate * load * (1.0 - more), rate * plan.misses * passing, usual)
            timely, overdue, anyway = _in_time(state, version, busy, capacity, fresh, top)
            late, overdue, anyway = late * timely, overdue * served, anyway * served
        yield _new(Tried, (share, reaching, common, served, fail, late, corrupt, overdue, anyway))


def _by_fault(state: State, mixed: Any, leak: Any) -> tuple[Any, Any, Any]:
    """The shares of the new version's answers that fail, are late and corrupt by the defect."""
    fault, plan = state.fault, state.plan
    fail = mixed + fault.fail + leak + (fault.load if state.loaded else 0.0)
    late = _NONE if plan.deadline else (1.0 - fail) * fault.late
    corrupt = _NONE if state.situation.blocked else fault.corrupt * plan.writes
    return fail, late, corrupt


def _in_time(
    state: State,
    version: int,
    busy: tuple[Any, Any, Any],
    capacity: tuple[Any, Any],
    fresh: Any,
    top: Top,
) -> tuple[Any, Any, Any]:
    """Of the answers of one version: the share that comes in time, but for what the defect delays,
    the share that is late because of the deployment, and the share that is late anyway.

    `busy`: requests/s offered to it, those offered with nothing deployed, and what could be carried
    then. Whoever is in one pool shares a queue, if instances share one.
    """
    latency, (offered, whole, usual) = state.plan.latency, busy
    assert latency is not None
    usual = usual_capacity(state) if usual is None else usual
    cold: Any = 0.0
    if version == NEW:
        cold = state.fresh if fresh is None else fresh
    factor, beside = state.fault.factor if version == NEW else 1.0, _NONE
    if state.router.pool:
        beside = capacity[1 - version] * (state.fault.factor if version == OLD else 1.0)
    slow = latency.share(offered, capacity[version], factor, cold, beside)
    extra = top(0.0, slow - latency.usual(whole, usual) - _ROUNDING)
    return 1.0 - slow, extra, slow - extra


def simple_fates(state: State, rate: float, leaked: float) -> tuple[Shares, Shares]:
    """The same at one rate (requests/s) and leak, where nothing differs but capacity and defect.

    With nothing in front of the versions each factor that says so is 1 and is left out.
    """
    fault, plan, clear = state.fault, state.plan, state.clear
    weight: float = state.weight
    mixed: float = fault.mixed * _mixing(state, weight, max) if fault.mixed else 0.0
    usually = max(0.0, 1.0 - usual_capacity(state) / rate)
    if plan.collapses:
        usually = 1.0 - (1.0 - usually) ** _COLLAPSE
    reach, found = fault.users, []
    for version, share in ((OLD, 1.0 - weight), (NEW, weight)):
        capacity: float = state.capacity[version]
        over = 1.0 - capacity / max(rate * share, 1e-300)
        shed = 1.0 - (1.0 - over) if over > 0.0 else 0.0
        if plan.collapses:
            shed = 1.0 - (1.0 - shed) ** _COLLAPSE
        common = max(0.0, shed - usually) * clear
        served = (1.0 - shed) * clear
        fail, late, corrupt = mixed, 0.0, 0.0
        if version == NEW:
            fail = mixed + fault.fail + leaked + (fault.load if state.loaded else 0.0)
            late = (1.0 - fail) * fault.late
            corrupt = fault.corrupt * plan.writes
        bad = reach * served
        failing = common + bad * fail
        segment = served * (fail + late + corrupt)
        found.append(
            _new(Shares, (share, failing, bad * late, bad * corrupt, common, segment, 0.0))
        )
    return found[OLD], found[NEW]


def leaking_fates(state: State, leak: float) -> tuple[Shares, Shares]:
    """The same while the new instances leak so much in the mean and all else is constant."""
    plan = state.plan
    if state.simple:
        return simple_fates(state, plan.rate, leak)
    return fates(state, state.weight, plan.rate, state.capacity, leak, max)
