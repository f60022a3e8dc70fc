"""One replication: builds the SimPy environment, runs the loop, and reads off the figures."""

from __future__ import annotations

import math
from heapq import heappop
from typing import TYPE_CHECKING, Any, Final, cast

import simpy

from simulator.play.bill import bill
from simulator.play.fault import GOOD, Fault, draw
from simulator.play.fleet import NEW, OLD
from simulator.play.holders import replaced_after, until_all_have_it
from simulator.play.luck import Luck
from simulator.play.outcome import CENSORED, NOT_APPLICABLE, Outcome
from simulator.play.respond import LOOKS
from simulator.play.rollout import ALL_TRAFFIC, NO_TRAFFIC, Rollout
from simulator.play.solo import Solo
from simulator.play.trouble import bring_trouble

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.words.change import Defect


_LONG: Final = 60.0


def replicate(plan: Plan, luck: Luck, defect: Defect | None, label: str = "none") -> Outcome:
    """Run one replication of a prepared strategy with the drawn defect (None: a good release)."""
    rollout = run(plan, luck, draw(defect, luck))
    found = outcome(rollout, label)
    rollout.take_apart()
    return found


def run(plan: Plan, luck: Luck, fault: Fault, track: bool = False) -> Rollout:
    """Play one rollout to its end and return it, journal and counts included."""
    env = simpy.Environment()
    rollout = Rollout(env, plan, luck, fault)
    rollout.redeploy = lambda: _deployed_again(plan, luck)
    if track:
        rollout.counts.track = []
    bring_trouble(rollout)
    rollout.begin_life()
    now, limit, calendar = 0.0, plan.limit, env._queue
    while not rollout.ended:
        upcoming = calendar[0][0] if calendar else math.inf
        if upcoming > now:
            if upcoming > limit:
                now = _cut_off(rollout, now, limit)
                break
            now = rollout.advance(now, upcoming)
            if now < upcoming:
                continue
        _step(env)
    return rollout


def _step(env: simpy.Environment) -> None:
    """The next event happens, as with `env.step()`: here nothing stops a simulation halfway."""
    env._now, _, _, event = heappop(env._queue)
    callbacks: Any = event.callbacks
    event.callbacks = cast("Any", None)
    for call in callbacks:
        call(event)
    if not event._ok and not hasattr(event, "_defused"):
        raise event._value


def _cut_off(rollout: Rollout, now: float, limit: float) -> float:
    while now < limit:
        now = rollout.advance(now, limit)
        if rollout.env.peek() < limit:
            rollout.env.step()
            now = max(now, rollout.now)
    rollout.ended = True
    return limit


def play_script(plan: Plan, luck: Luck, billed: bool = True) -> tuple[Rollout, float]:
    """The script alone with these draws, nobody watching and nothing wrong; its time to deploy.

    A script that can never finish by itself is left where it hangs, its time is infinite. Unless
    it is `billed`, instances that leave are not given back.
    """
    env = Solo()
    rollout = Rollout(cast("simpy.Environment", env), plan, luck, GOOD, alone=True)
    rollout.solo = env
    rollout.billed = billed
    situation, counts = rollout.situation, rollout.counts
    fleet, router = rollout.fleet, rollout.router
    rollout.begin_life()
    now, weight = 0.0, rollout.weight()
    while not rollout.ended and env.peek() < math.inf:
        mixed = 0.0 < weight < 1.0 and not situation.shared
        env.step()
        if env.now > now:
            counts.mixed += (env.now - now) * mixed
            now = env.now
        if router.cut and env.peek() > env.now:
            router.begin_anew(fleet, now)
        if fleet.changed or router.changed or fleet.drift is not None or not router.prompt:
            fleet.changed = router.changed = False
            weight = rollout.weight()
        if rollout.full_at != rollout.full_at and weight >= ALL_TRAFFIC and not situation.dark:
            rollout.full_at = now
    if rollout.full_at != rollout.full_at and rollout.router.moving(env.now):
        full = rollout.router.course.crosses((ALL_TRAFFIC,), env.now)
        rollout.full_at = full if full < math.inf else math.nan
    return rollout, _deployed(rollout)


def _deployed_again(plan: Plan, luck: Luck) -> float:
    """Time to deploy of the script alone, seconds."""
    rollout, duration = play_script(plan, luck, billed=False)
    rollout.take_apart()
    return duration


def _finished_instead(rollout: Rollout, until: float) -> float:
    """Expected failed requests had nobody rolled back, up to the moment `until` (seconds)."""
    plan, luck = rollout.plan, rollout.luck
    env = simpy.Environment()
    other = Rollout(env, plan, luck, rollout.fault, alone=True)
    other.begin_life()
    now = 0.0
    while not other.ended and env.peek() < plan.limit:
        if env.peek() > now:
            now = other.advance(now, env.peek())
            if now < env.peek():
                continue
        env.step()
    while now < until:
        now = other.advance(now, until)
    expected = other.counts.expected
    other.take_apart()
    return expected


def _rollback_was_worse(rollout: Rollout) -> float:
    """1 if finishing would have harmed less than rolling back; NaN without a rollback.

    Only a rollback that harms by itself can be worse: by mixing versions again, or by an outage.
    """
    if rollout.fault is GOOD or rollout.decided_at != rollout.decided_at:
        return NOT_APPLICABLE
    counts = rollout.counts
    if rollout.past_return and not rollout.wrong_way:
        return NOT_APPLICABLE
    harms = rollout.fault.mixed or rollout.wrong_way or counts.outage > rollout.outage_before
    if not harms:
        return 0.0
    return float(_finished_instead(rollout, rollout.now) < counts.expected)


def _deployed(rollout: Rollout) -> float:
    """When the new version carried all traffic and no step depended on watching it, with what
    came before the deployment.
    """
    full = rollout.full_at
    if not rollout.finished:
        return NOT_APPLICABLE if rollout.caught_by else CENSORED
    watched = rollout.last_watch == rollout.last_watch
    return rollout.lead + (max(full, rollout.last_watch) if watched else full)


def _result(rollout: Rollout) -> str:
    good = rollout.fault is GOOD
    if rollout.caught_by == LOOKS:
        return "stuck"
    if rollout.caught_by:
        if rollout.caught_at != "after":
            return "false_alarm" if good else "rolled_back"
        return "false_alarm" if good else "escaped"
    if not rollout.finished:
        return "stuck"
    return "deployed" if good else "escaped"


def outcome(rollout: Rollout, label: str) -> Outcome:
    """The figures of a rollout that has ended."""
    plan = rollout.plan
    ended = min(rollout.now, plan.limit)
    result = _result(rollout)
    _close_rollback(rollout)
    deploy = _deployed(rollout)
    value = _time_to_value(rollout, deploy, result)
    costs = bill(rollout, value, ended)
    caught = rollout.detected_at
    bad = rollout.fault is not GOOD
    return Outcome(
        rollout.luck.replication,
        result,
        label,
        rollout.caught_by or "nobody",
        rollout.caught_at,
        *(deploy, value, _finish(rollout)),
        *_recovery(rollout),
        *_going_back(rollout),
        *_exposure(rollout),
        *_harm(rollout),
        0.0 if plan.elastic else float(rollout.fleet.peak),
        *(rollout.counts.mixed, rollout.counts.mixing),
        float(rollout.releases),
        *(costs.extra_cost, costs.total),
        *(costs.failed_requests, costs.corrupt_writes, costs.outage, costs.sla_credit),
        *(costs.responders, costs.extra_cost, costs.release, costs.delay),
        caught_before_full=1.0 if caught == caught and not caught > rollout.full_at else 0.0,
        unresolved=1.0 if bad and _still_wrong(rollout) else 0.0,
        rollback_worse=_rollback_was_worse(rollout),
        expected_failed_requests=rollout.counts.expected,
        ended=ended,
        overloaded=float(_overload(rollout, ended) > _LONG),
        tenants_harmed=_tenants_harmed(rollout),
        budget_exhausted=float(rollout.counts.failed > plan.budget_left),
    )


def _overload(rollout: Rollout, ended: float) -> float:
    """Seconds in which a version was offered more than it could carry."""
    rollout.counts.end_overload(ended)
    return rollout.counts.overload


def _still_wrong(rollout: Rollout) -> bool:
    """Whether anybody still meets the defect at the end."""
    if rollout.mended_at <= rollout.now:
        return False
    residue = rollout.fault.persists > 0 and rollout.situation.highest > 0
    left = residue and rollout.situation.rolling_back and not rollout.situation.repaired
    return rollout.weight() > NO_TRAFFIC or left


_Harm = tuple[float, float, float, float, float, float, float, float, float]


def _going_back(rollout: Rollout) -> tuple[float, float, float]:
    """Decision until 90 % of the exposed traffic is back, and until all is as before, seconds;
    and the share of the harm that is left some time after it, on a bad release.
    """
    if rollout.decided_at != rollout.decided_at or rollout.fixed_forward:
        return NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE
    left = NOT_APPLICABLE if rollout.fault is GOOD else rollout.counts.harm_left
    whole = CENSORED
    if rollout.restored_at == rollout.restored_at:
        whole = rollout.restored_at - rollout.decided_at
    return rollout.share_90 - rollout.decided_at, whole, left


def _exposure(rollout: Rollout) -> tuple[float, float, float, float]:
    """Exposure time (s), peak and at detection (shares), exposed requests; 0 for a good release.

    Services that the change does not touch run no defective version.
    """
    if rollout.fault is GOOD:
        return 0.0, 0.0, NOT_APPLICABLE, 0.0
    counts = rollout.counts
    when_caught = rollout.weight_when_caught if rollout.caught_by else NOT_APPLICABLE
    reach, peak = rollout.reach, counts.peak_weight
    return reach * counts.exposure, reach * peak, reach * when_caught, reach * counts.exposed


def _harm(rollout: Rollout) -> _Harm:
    """Failed requests (all, watched, escaped), users, writes, seconds of outage and degraded
    service, budget spent, least headroom.
    """
    plan, counts = rollout.plan, rollout.counts
    failed = float(counts.failed)
    watched = failed if counts.failed_before is None else float(counts.failed_before)
    return (
        *(failed, watched, failed - watched),
        *(_users_harmed(rollout), float(counts.corrupt)),
        *(counts.outage, counts.degraded),
        failed / plan.budget if plan.budget > 0 else NOT_APPLICABLE,
        counts.headroom,
    )


def _close_rollback(rollout: Rollout) -> None:
    """The state at the very end counts too: no stretch begins after the last event."""
    if rollout.decided_at != rollout.decided_at or rollout.fixed_forward:
        return
    weight = rollout.weight()
    if rollout.share_90 != rollout.share_90 and weight <= 0.1 * rollout.weight_to_undo + 1e-12:
        rollout.share_90 = rollout.now
    whole = rollout.all_back(weight) and rollout.fleet.up[OLD] >= rollout.fleet.size
    if rollout.restored_at != rollout.restored_at and whole:
        rollout.restored_at = rollout.now


def _finish(rollout: Rollout) -> float:
    if rollout.decided_at == rollout.decided_at:
        return rollout.lead + rollout.now if rollout.ended else CENSORED
    return rollout.lead + rollout.script_end if rollout.finished else CENSORED


def _recovery(rollout: Rollout) -> tuple[float, float, float]:
    """Times to detect, to mitigate and to recover, seconds; they add up."""
    counts = rollout.counts
    first = counts.first_harm
    if rollout.fault is GOOD or first != first:
        return NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE
    if not rollout.caught_by:
        return CENSORED, NOT_APPLICABLE, CENSORED
    detect = max(rollout.detected_at - first, 0.0)
    if rollout.decided_at != rollout.decided_at:
        return detect, CENSORED, CENSORED
    last = max(counts.last_harm, rollout.detected_at, first)
    return detect, last - first - detect, last - first


def _time_to_value(rollout: Rollout, deploy: float, result: str) -> float:
    """Start until a working version carries all traffic (after a rollback: the next attempt's)."""
    if rollout.decided_at != rollout.decided_at:
        return deploy if result == "deployed" else CENSORED
    if rollout.fixed_forward:
        mended = rollout.mended_at == rollout.mended_at
        return rollout.lead + rollout.mended_at if mended else CENSORED
    good, adoption = rollout.fault is GOOD, rollout.plan.adoption
    again = replaced_after(rollout.plan, rollout.luck, good)
    offered = adoption is not None and not good and rollout.counts.peak_weight > 0
    deployed = rollout.lead + until_all_have_it(adoption or 0.0) if offered else rollout.redeploy()
    return rollout.lead + rollout.decided_at + again + deployed


def _users_harmed(rollout: Rollout) -> float:
    """The share of users harmed; below 10 000 users a binomial count, 0 without a failure."""
    counts, plan = rollout.counts, rollout.plan
    share = counts.users.harmed()
    if counts.failed == 0 and counts.corrupt == 0:
        return 0.0
    if plan.users < 10_000 and 0 < share < 1:
        return float(rollout.luck.counts().binomial(plan.users, share)) / plan.users
    return share


def _tenants_harmed(rollout: Rollout) -> float:
    """The share of tenants with a user harmed, 0 without a failure; NaN without tenants."""
    counts, tenants = rollout.counts, rollout.plan.tenants
    if tenants is None:
        return NOT_APPLICABLE
    harm = counts.failed > 0 or counts.corrupt > 0
    return tenants.harmed(counts.users.harmed()) if harm else 0.0


__all__ = ["ALL_TRAFFIC", "NEW", "outcome", "play_script", "replicate", "run"]
