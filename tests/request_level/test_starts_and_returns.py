"""Corners of starting together and of going back, played by both models."""

from __future__ import annotations

from typing import Any

import pytest

from tests.play.playing import bare
from tests.request_level.agreement import Case, confront, seed
from tests.request_level.test_corners import SMALL, once

CRASH = {
    "service": "startup: 1m, start_failure: {probability: 0%, timeout: 3m}",
    "defect": "{kind: crash}",
}


def one_start_that_never_succeeds() -> Case:
    """A wave of one instance above the size that never starts: health rolls back, nobody is
    harmed, and no further wave follows."""
    waves = "waves: [20%, 80%], bake: 1m, within: {kind: rolling, batch: 1, surge: 1}"
    return once(bare(**SMALL, **CRASH, strategy=f"phased: {{{waves}}}"), "failed_requests")


def rollback_in_a_pause() -> Case:
    """One new instance serves beside the whole old fleet when the rollback is decided: it leaves
    at once, though nothing is left to roll."""
    scenario = bare(
        **SMALL,
        service="startup: 1m",
        detection="noticed: {after: 60s}",
        strategy="rolling: {batch: 1, surge: 1, pause: 10m}",
    )
    return once(scenario, "restored")


def rollback_with_nothing_to_undo() -> Case:
    """The old version serves everything all along: the way back takes 0 s, however long a weight
    of 0 takes to arrive."""
    scenario = bare(**SMALL, **CRASH, strategy="canary: {}")
    return once(scenario.with_("router.propagation", "60s"), "restored", "rollback_time")


def first_harm_of_a_group_with_random_starts() -> Case:
    """Noticed 60 s after the first of three joined (20 s on average) at 10 instances: exposure
    between 60 x 1/11 and 60 x 3/13 s."""
    scenario = bare(
        **SMALL,
        service="startup: {exponential: {mean: 60s}}",
        detection="noticed: {after: 60s}",
        strategy="immutable: {first: 3, bake: 10m}",
    )
    return once(scenario, "exposure_time")


def peak_of_a_group_that_enters() -> Case:
    """Seven of ten have joined on average when all are taken out again: a peak of 7/17 (42 %)."""
    scenario = bare(
        **SMALL,
        service="startup: {uniform: {low: 60s, high: 160s}}",
        detection="noticed: {after: 60s}",
        strategy="immutable: {first: 10}",
    )
    return once(scenario, "peak_exposure")


def cells_moved_by_a_rolling_update() -> Case:
    """Noticed while the second cell is rolled, half of its five instances at a time: a wrong engine
    takes shares of the fleet, and has moved more by then."""
    cells = "cells: [{name: a, share: 20%}, {name: b, share: 50%}, {name: c, share: 30%}]"
    scenario = bare(
        **SMALL,
        service=f"startup: 60s, {cells}",
        detection="noticed: {after: 270s}",
        strategy="phased: {by: cells, bake: 2m, within: {kind: rolling, batch: 40%}}",
    )
    return once(scenario, "exposure_time", "peak_exposure", "rollback_time", "mixed_time")


def cells_that_are_busy_at_different_hours() -> Case:
    """An alarm watches a cell at its night, then one at its peak, each moved instance by instance;
    a wrong engine takes every user to be as busy as the mean one."""
    cells = "cells: [{name: a, share: 40%, peak_at: 20:00}, {name: b, share: 60%, peak_at: 9:00}]"
    scenario = bare(
        rate="daily: {mean: 0.6 rps, peak: 1.2 rps, peak_at: 9:00}",
        users="2k",
        traffic="start_at: Tue 08:00",
        defect="{kind: errors, rate: 45%}",
        service=f"startup: {{lognormal: {{median: 60s, sigma: 0.5}}}}, {cells}",
        detection="alarms: [{above: 30%, period: 10m, datapoints: 2 of 3, minimum_requests: 20}]",
        response="page: {decide: 60s}",
        strategy="phased: {by: cells, bake: 1h, within: {kind: rolling, batch: 25%}}",
    )
    figures = ("failed_requests", "users_harmed", "exposed_requests", "time_to_detect")
    return Case(scenario.with_("follow_up", "10m"), figures, True, 40, 40)


CORNERS = (
    one_start_that_never_succeeds,
    rollback_in_a_pause,
    rollback_with_nothing_to_undo,
    first_harm_of_a_group_with_random_starts,
    peak_of_a_group_that_enters,
    cells_moved_by_a_rolling_update,
    cells_that_are_busy_at_different_hours,
)


@pytest.mark.parametrize("case", CORNERS, ids=lambda case: case.__name__)
def test_both_models_agree(case: Any) -> None:
    for figure in confront(case(), seed()):
        assert figure.agrees, f"the models differ: {figure}"
