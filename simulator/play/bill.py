"""What one replication costs, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulator.play.fault import GOOD

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_HOUR: Final = 3600.0


class Bill(NamedTuple):
    """The parts of a replication's loss, in the scenario's currency; `total` is their sum."""

    failed_requests: float
    corrupt_writes: float
    outage: float
    sla_credit: float
    responders: float
    extra_cost: float
    release: float
    delay: float
    total: float


def bill(rollout: Rollout, time_to_value: float, ended: float) -> Bill:
    """Price the harm, the responders, the extra fleet and the waiting of a rollout that ended.

    The credit is due when the requests failed in the objective's window exceed what is left of the
    error budget. Responders are paid from detection until the rollback is done, two of them; then
    one of them for the search for the culprit. Waiting is paid for at most until the limit of the
    replication, for each change of the release.
    """
    plan, counts = rollout.plan, rollout.counts
    costs = plan.scenario.costs
    failed = counts.failed * costs.failed_request
    corrupt = counts.corrupt * costs.corrupt_write
    outage = counts.outage / _HOUR * costs.outage
    credit = costs.sla_credit if counts.failed > plan.budget_left else 0.0
    responders = 0.0
    if rollout.caught_by:
        until = rollout.restored_at if rollout.restored_at == rollout.restored_at else ended
        hours = max(until - rollout.detected_at, 0.0) / _HOUR
        responders = hours * costs.responder * costs.responders
        if rollout.fault is not GOOD:
            responders += plan.search / _HOUR * costs.responder
    watching = min(rollout.script_end, ended) if rollout.finished else ended
    held = rollout.fleet.extra(ended) + counts.scaled
    extra = held / _HOUR * plan.scenario.service.cost
    extra += watching / _HOUR * costs.watching + rollout.double_work
    extra += rollout.counts.copied * plan.request_price
    if plan.scenario.change.licences is not None:
        above = max(rollout.fleet.peak - plan.scenario.change.licences, 0)
        extra += above * costs.licence
    release = rollout.releases * costs.release
    hours = min(time_to_value, plan.limit, 1e300) / _HOUR * plan.scenario.change.count
    delay = hours * costs.delay if costs.delay else 0.0
    parts = (failed, corrupt, outage, credit, responders, extra, release, delay)
    return Bill(*parts, total=sum(parts))
