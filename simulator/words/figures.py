"""The figures of one replication: name, unit, and what each one means."""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple

Unit = Literal["s", "share", "count", "money"]


class Figure(NamedTuple):
    """A figure's unit and meaning; `smaller` tells whether less is better.

    By its meaning it ends at `least` and `most`, in its unit; an extra cost may be less, where a
    fleet is smaller meanwhile.
    """

    unit: Unit
    meaning: str
    smaller: bool = True
    least: float = 0.0
    most: float = inf


FIGURES: dict[str, Figure] = {
    "time_to_deploy": Figure(
        "s", "start until the new version carries all traffic and no step depends on watching it"
    ),
    "time_to_value": Figure("s", "start until a working version carries all traffic"),
    "time_to_finish": Figure("s", "start until the fleet is back to steady size with one version"),
    "time_to_detect": Figure("s", "first harm by the defect until its detection"),
    "time_to_mitigate": Figure("s", "detection until no longer harmed"),
    "time_to_recover": Figure("s", "first harm until no longer harmed: detect plus mitigate"),
    "rollback_90": Figure("s", "decision until 90 % of the exposed traffic is back"),
    "rollback_time": Figure("s", "decision until the old version serves all at full capacity"),
    "still_harmed": Figure(
        "share",
        "harm by the defect left `response.back_within` after the decision, of its peak",
        most=1.0,
    ),
    "exposure_time": Figure("s", "integral of the traffic share on a defective version"),
    "peak_exposure": Figure("share", "largest traffic share on a defective version", most=1.0),
    "exposure_when_caught": Figure("share", "traffic share on it when it was detected", most=1.0),
    "exposed_requests": Figure("count", "expected requests served by a defective version"),
    "failed_requests": Figure(
        "count", "failed, rejected or late requests that would have been good with nothing deployed"
    ),
    "failed_requests_watched": Figure("count", "the part before the watched phase ended"),
    "failed_requests_escaped": Figure("count", "the part after the watched phase ended"),
    "users_harmed": Figure(
        "share", "users with at least one bad request or corrupt write from it", most=1.0
    ),
    "tenants_harmed": Figure(
        "share", "tenants with at least one user harmed; where users have them", most=1.0
    ),
    "corrupt_writes": Figure("count", "writes to be repaired even after a rollback"),
    "outage": Figure("s", "time without any capacity"),
    "degraded": Figure("s", "time with a bad share above what the objective allows"),
    "budget_spent": Figure("share", "failed requests as a share of the objective's error budget"),
    "min_headroom": Figure("share", "least of capacity / offered load - 1", False, least=-1.0),
    "peak_instances": Figure("count", "most instances at once"),
    "mixed_time": Figure("s", "time with both versions serving"),
    "mixing": Figure("s", "integral of 2 w (1 - w), w the new version's share"),
    "releases": Figure("count", "releases begun: of several steps, of several services"),
    "extra_cost": Figure(
        "money", "instance time above steady, double work and watching", least=-inf
    ),
    "loss": Figure("money", "all costs of the release together", least=-inf),
    "loss_failed_requests": Figure("money", "part of the loss: failed requests"),
    "loss_corrupt_writes": Figure("money", "part of the loss: corrupt writes"),
    "loss_outage": Figure("money", "part of the loss: outage"),
    "loss_sla_credit": Figure("money", "part of the loss: credit for a broken objective"),
    "loss_responders": Figure("money", "part of the loss: people responding"),
    "loss_extra_cost": Figure("money", "part of the loss: extra cost of the fleet", least=-inf),
    "loss_release": Figure("money", "part of the loss: work and paper of a release"),
    "loss_delay": Figure("money", "part of the loss: waiting for a working version"),
}

# Figures that are there only where the scenario says so.
OF_SOME = ("tenants_harmed",)

# Shares of releases that can be asked for like a figure: outcomes, and what is true or not of each.
OUTCOMES = ("deployed", "rolled_back", "false_alarm", "escaped", "stuck")
CHANCES = (
    *("caught_before_full", "unresolved", "rollback_worse", "overloaded"),
    "budget_exhausted",
)
MEANINGS = {name: figure.meaning for name, figure in FIGURES.items()} | {
    "deployed": "share of releases that are deployed",
    "rolled_back": "share that is rolled back, rightly",
    "false_alarm": "share that is rolled back though good",
    "escaped": "share that is fully deployed though bad",
    "stuck": "share that can never finish by itself",
    "caught_before_full": "share that is detected before it carries all traffic",
    "unresolved": "share with the defect still there at the end",
    "rollback_worse": "share of the rollbacks after which finishing would have harmed less",
    "overloaded": "share in which more is offered than can be carried for over a minute",
    "budget_exhausted": "share in which more requests fail than is left of the error budget",
}


def unit_of(figure: str, statistic: str = "mean") -> Unit:
    """The unit of a statistic of a figure; shares of releases and of applicability have none.

    Raises KeyError for an unknown figure.
    """
    if statistic == "applicable" or figure in (*OUTCOMES, *CHANCES):
        return "share"
    return FIGURES[figure].unit
