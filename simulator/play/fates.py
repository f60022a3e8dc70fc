"""What becomes of the requests in a state of service: the shares of each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.play.fleet import NEW, OLD
from simulator.play.pressure import throttled
from simulator.play.shares import Shares, both

if TYPE_CHECKING:
    from simulator.play.state import State, Top

_ROUNDING = 1e-12
_new = tuple.__new__  # a named tuple at half the cost of calling its class


def _mixing(state: State, weight: Any, top: Top) -> Any:
    """What 2w(1 - w) is for a defect of which a part stays in the data after a rollback."""
    mixed, situation, fault = 2.0 * weight * (1.0 - weight), state.situation, state.fault
    if not situation.rolling_back:
        return mixed
    stays = 0.0 if situation.repaired else top(mixed, situation.highest)
    return (1.0 - fault.persists) * mixed + fault.persists * stays


def _usual(state: State) -> float:
    """What the service could carry with nothing deployed, requests/s."""
    if state.usual is not None:
        return float(state.usual)
    return state.plan.full_capacity - state.fleet.lost(state.plan.capacity)


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
    fault, plan, situation = state.fault, state.plan, state.situation
    reached = reached or state.reached
    passing, more = throttled(state, weight, rate, reached, top)
    copied = state.mirror * plan.misses * passing
    usual = _usual(state) if usual is None else usual
    unavoidable = top(0.0, 1.0 - usual / (rate * plan.misses * passing))
    mixed = fault.mixed * _mixing(state, weight, top) if fault.mixed else 0.0
    beside = both(weight) if state.writers and not state.mirror else float(state.mirror > 0)
    found = []
    for version, share in ((OLD, 1.0 - weight), (NEW, weight)):
        reaching = reached[version] * passing
        load = share * reaching
        if version == NEW and state.mirror:
            load = load + copied
        offered = top(rate * load * (1.0 - more), 1e-300)
        shed = 1.0 - (1.0 - more) * (1.0 - top(0.0, 1.0 - capacity[version] / offered))
        common = top(0.0, shed - unavoidable) * state.clear
        served = (1.0 - shed) * state.clear
        fail, late, corrupt = mixed, 0.0, 0.0
        if version == NEW:
            if state.writers:
                refused = beside * plan.writes
                common, served = common + refused * served, (1.0 - refused) * served
            fail, late, corrupt = _by_fault(state, mixed, leak)
        if version == situation.misfit:
            common, served = common + served, 0.0 * served
        extra = anyway = 0.0
        if plan.latency is not None:
            busy = (rate * load * (1.0 - more), rate * plan.misses * passing, usual)
            timely, extra, anyway = _in_time(state, version, busy, capacity, fresh, top)
            right = served * (1.0 - fault.users * fail)
            late, extra, anyway = late * timely, extra * right, anyway * right
        segment, within = served * (fail + late + corrupt), fault.users * served
        bad = (common + within * fail, within * late + extra, within * corrupt)
        met = ((common + extra) * reaching, segment * reaching)
        found.append(Shares(share * reaching, *bad, *met, anyway))
    return found[OLD], found[NEW]


def _by_fault(state: State, mixed: Any, leak: Any) -> tuple[Any, Any, Any]:
    """The shares of the new version's requests that fail, are late and corrupt by the defect."""
    fault = state.fault
    fail = mixed + fault.fail + leak + (fault.load if state.loaded else 0.0)
    corrupt = 0.0 if state.situation.blocked else fault.corrupt * state.plan.writes
    return fail, (1.0 - fail) * fault.late, corrupt


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
    fresh = (state.fresh if fresh is None else fresh) if version == NEW else 0.0
    factor, beside = state.fault.factor if version == NEW else 1.0, 0.0
    if state.router.pool:
        beside = capacity[1 - version] * (state.fault.factor if version == OLD else 1.0)
    slow = latency.share(offered, capacity[version], factor, fresh, beside)
    extra = top(0.0, slow - latency.usual(whole, usual) - _ROUNDING)
    return 1.0 - slow, extra, slow - extra


def simple_fates(state: State, rate: float) -> tuple[Shares, Shares]:
    """The same at one rate (requests/s), where nothing differs but capacity and the defect.

    With nothing in front of the versions each factor that says so is 1 and is left out.
    """
    fault, plan, weight, clear = state.fault, state.plan, state.weight, state.clear
    unavoidable = max(0.0, 1.0 - _usual(state) / rate)
    mixed = fault.mixed * _mixing(state, weight, max) if fault.mixed else 0.0
    reach, found = fault.users, []
    for version, share in ((OLD, 1.0 - weight), (NEW, weight)):
        over = 1.0 - state.capacity[version] / max(rate * share, 1e-300)
        shed = 1.0 - (1.0 - over) if over > 0.0 else 0.0
        common = max(0.0, shed - unavoidable) * clear
        served = (1.0 - shed) * clear
        fail, late, corrupt = mixed, 0.0, 0.0
        if version == NEW:
            fail = mixed + fault.fail + state.leaked + (fault.load if state.loaded else 0.0)
            late = (1.0 - fail) * fault.late
            corrupt = fault.corrupt * plan.writes
        bad = reach * served
        failing = common + bad * fail
        segment = served * (fail + late + corrupt)
        found.append(
            _new(Shares, (share, failing, bad * late, bad * corrupt, common, segment, 0.0))
        )
    return found[OLD], found[NEW]
