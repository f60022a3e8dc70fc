"""What one replication comes to: one frozen row, with the names of the figures."""

from __future__ import annotations

from typing import NamedTuple

NOT_APPLICABLE = float("nan")
CENSORED = float("inf")
TEXTS = ("outcome", "defect", "caught_by", "caught_at")


class Outcome(NamedTuple):
    """The result of one replication of one strategy.

    Times are seconds since the decision to deploy (merging and testing follow it, then the
    deployment) or lengths in seconds; a time is NaN when it is not applicable (its start never
    happened) and infinite when it is censored (started, not ended). Shares are 0..1, requests and
    writes are counts, costs are in the scenario's currency.
    """

    replication: int
    outcome: str
    defect: str
    caught_by: str
    caught_at: str
    time_to_deploy: float
    time_to_value: float
    time_to_finish: float
    time_to_detect: float
    time_to_mitigate: float
    time_to_recover: float
    rollback_90: float
    rollback_time: float
    still_harmed: float
    exposure_time: float
    peak_exposure: float
    exposure_when_caught: float
    exposed_requests: float
    failed_requests: float
    failed_requests_watched: float
    failed_requests_escaped: float
    users_harmed: float
    corrupt_writes: float
    outage: float
    degraded: float
    budget_spent: float
    min_headroom: float
    peak_instances: float
    mixed_time: float
    mixing: float
    releases: float
    extra_cost: float
    loss: float
    loss_failed_requests: float
    loss_corrupt_writes: float
    loss_outage: float
    loss_sla_credit: float
    loss_responders: float
    loss_extra_cost: float
    loss_release: float
    loss_delay: float
    caught_before_full: float
    unresolved: float
    rollback_worse: float
    expected_failed_requests: float
    ended: float
    overloaded: float
    tenants_harmed: float
    budget_exhausted: float
