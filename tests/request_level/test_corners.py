"""Corners in which an engine is easily wrong (this one was), each with its closed form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.play.playing import bare
from tests.request_level.agreement import FIGURES, Case, confront, seed

SMALL: dict[str, Any] = {"rate": "rate: 10 rps", "users": "2k"}


def once(scenario: Any, *figures: str, bad: bool = True) -> Case:
    """A case that needs few replications: the difference is many standard errors."""
    return Case(scenario.with_("follow_up", "10m"), figures or FIGURES, bad, 20, 20)


def null_arm_overloaded_later() -> Case:
    """10 rps x 20 % x 300 s = 600 fail before the spike; a wrong engine takes the shedding of the
    spike, half of everything, for the whole hour before it: 300."""
    return once(
        bare(
            **SMALL | {"rate": "rate: 10 rps, spikes: [{at: 20m, lasts: 5m, factor: 3}]"},
            service="capacity: 1.5 rps",
            detection="noticed: {after: 5m}",
            strategy="big_bang: {in_place: false, keep_old: 1h}",
        )
    )


def crash_in_place() -> Case:
    """First harm of a crash is its first failed start, 180 s; health sees the second at 360 s:
    180 s to detect. A wrong engine counts from the announced stop."""
    return once(
        bare(
            **SMALL,
            service="install: 1m, start_failure: {probability: 0%, timeout: 3m}",
            defect="{kind: crash}",
            strategy="big_bang: {}",
        ),
        "time_to_detect",
    )


def noticed_after_a_crash() -> Case:
    """Noticed 60 s after the first failed start; in a wrong engine a failed start notes the first
    harm but does not start the detectors that count from it: health, after 180 s."""
    return once(
        bare(
            **SMALL,
            service="startup: 1m, start_failure: {probability: 0%, timeout: 3m}",
            defect="{kind: crash}",
            detection="noticed: {after: 60s}",
            strategy="canary: {}",
        )
    )


def drained_twice() -> Case:
    """At the decision (270 s) one instance is out and drained: 60 s of installing; another is
    replaced, 160 s: 220 s in all. A wrong engine drains the first one again: 320 s."""
    return once(
        bare(
            **SMALL,
            service="install: 60s, drain: 100s",
            detection="noticed: {after: 110s}",
            strategy="rolling: {batch: 1, in_place: true}",
        ),
        "rollback_time",
        "exposure_time",
    )


def batch_joins_one_by_one() -> Case:
    """Half the fleet away at load 60 %: 1/6 is shed until the first of five is ready, 12 s: 20
    requests a batch. A wrong engine lets a batch join with its slowest, after 137 s: 230."""
    return once(
        bare(
            **SMALL,
            service="startup: {exponential: {mean: 60s}}, utilisation: 60%",
            strategy="rolling: {mode: batch, batch: 50%}",
        ),
        "failed_requests",
        bad=False,
    )


def pause_between_batches() -> Case:
    """Two batches of 60 s at load 65 % / 50 %: 277 shed. A wrong engine takes the next batch out of
    service before the pause of 5 min: 692 more."""
    return once(
        bare(
            **SMALL,
            service="startup: 60s, utilisation: 65%",
            strategy="rolling: {mode: batch, batch: 50%, pause: 5m}",
        ),
        "failed_requests",
        bad=False,
    )


def pause_in_a_window() -> Case:
    """Two at a time, each slot pausing for itself: 5 x (60 + 300) s. In a wrong engine an instance
    that is ready during another's pause does not serve: 60 + 10 x 300 s."""
    return once(
        bare(
            **SMALL,
            service="startup: 60s",
            strategy="rolling: {batch: 2, pause: 5m}",
        ),
        "time_to_deploy",
        bad=False,
    )


def first_harm_of_a_group_that_enters() -> Case:
    """Two of twelve serve from 20 s on, noticed 60 s later: 60 s x 2/12 = 10 s of exposure. In a
    wrong engine the first harm is the moment of asking: 40 s x 2/12."""
    return once(
        bare(
            **SMALL,
            service="startup: 20s",
            detection="noticed: {after: 60s}",
            strategy="immutable: {first: 2, bake: 10m}",
        ),
        "exposure_time",
    )


def two_alarms_at_once() -> Case:
    """Both trip at the same period's end; the second is heard at once, 30 s after the harm on
    average. A wrong engine keeps the first only, and the second for its next breach: 90 s."""
    return once(
        bare(
            **SMALL,
            detection="alarms: [{name: a, above: 5%, delay: 10m}, {name: b, above: 5%}]",
            strategy="big_bang: {in_place: false, keep_old: 1h}",
        ),
        "time_to_detect",
    )


def reports_of_sync_errors() -> Case:
    """10 rps x 2 % x 20 % who report: the third after 75 s. A wrong engine does not look ahead for
    reports while nothing but sync errors harms: they come at the end of the overlap."""
    return once(
        bare(
            **SMALL,
            detection="people: {report_rate: 20%, needed: 3, delay: 0s, triage: 0s}",
            strategy="parallel_adoption: {overlap: 1h, sync_error: 2%}",
        ),
        "ended",
        bad=False,
    )


def back_before_it_came() -> Case:
    """Weight 1 published at 0 s arrives at 60 s, weight 0 published at 10 s at 70 s: the way back
    takes 60 s. A wrong engine takes the old version for restored at the decision."""
    scenario = bare(
        **SMALL, response="decide: 10s", strategy="blue_green: {smoke: {for: 0s, catches: 100%}}"
    )
    return once(scenario.with_("router.propagation", "60s"), "rollback_time")


def few_requests_that_count_as_breaching() -> Case:
    """60 requests a period where 100 are needed, missing data breaching: a false alarm after one
    minute. A wrong engine skips stretches without failures, whatever their requests."""
    return once(
        bare(
            **SMALL,
            detection="alarms: [{above: 5%, minimum_requests: 100, missing: breaching}]",
            strategy="canary: {steps: [{weight: 10%, bake: 1h}]}",
        ),
        "rolled_back",
        bad=False,
    )


def warm_up_of_a_large_fleet() -> Case:
    """A new instance at 60 % of its capacity for 5 min cannot carry a load of 90 %: a third of
    what it is sent is shed. A wrong engine forgets warming up while more than 200 instances roll
    (with 200 both models agree)."""
    return once(
        bare(
            **SMALL | {"rate": "rate: 5 rps"},
            instances=210,
            service="startup: {exponential: {mean: 60s}}, utilisation: 90%, "
            "warm_up: {for: 5m, capacity: 60%}",
            strategy="rolling: {batch: 30, surge: 30}",
        ),
        "failed_requests",
        bad=False,
    )


def leak_in_a_large_fleet() -> Case:
    """The first of 210 joins at once and leaks from 100 s on, long before the last has joined:
    noticed 5 min later, at 400 s. A wrong engine lets nothing leak until all have joined, after
    about 610 s: noticed after 910 s."""
    return once(
        bare(
            **SMALL | {"rate": "rate: 5 rps"},
            instances=210,
            service="startup: {exponential: {mean: 60s}}",
            defect="{kind: leak, onset: 100s, ramp: 100s, rate: 30%}",
            detection="noticed: {after: 5m}",
            strategy="rolling: {batch: 30}",
        ),
        "exposure_time",
    )


CORNERS = (
    null_arm_overloaded_later,
    crash_in_place,
    noticed_after_a_crash,
    drained_twice,
    batch_joins_one_by_one,
    pause_between_batches,
    pause_in_a_window,
    first_harm_of_a_group_that_enters,
    two_alarms_at_once,
    reports_of_sync_errors,
    back_before_it_came,
    few_requests_that_count_as_breaching,
    warm_up_of_a_large_fleet,
    leak_in_a_large_fleet,
)


@pytest.mark.parametrize("case", CORNERS, ids=lambda case: case.__name__)
def test_both_models_agree(case: Any) -> None:
    for figure in confront(case(), seed()):
        assert figure.agrees, f"the models differ: {figure}"
