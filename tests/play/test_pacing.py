"""Starts that are throttled: when the last one begins, what is paid meanwhile, who else waits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from simulator.play.pacing import Pacing
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play

PREPARED = "blue_green: {smoke: none, keep_old: 0s}"


def paced(strategy: str, rate: str = "10/min", start: str = "60s", **words: str | int) -> Scenario:
    """Twenty instances whose starts are throttled."""
    service = f"start_rate: {rate}, startup: {start}, cost: 1/h"
    return bare(**{"instances": 20, "service": service, "strategy": strategy, **words})


@pytest.mark.parametrize(
    ("strategy", "rate", "duration"),
    [
        # n at once: the last begins at (n - 1) / r and takes S
        (PREPARED, "10/min", 19 * 6 + 60),
        ("big_bang: {in_place: false}", "10/min", 19 * 6 + 60),
        ("canary: {steps: [{weight: 50%, bake: 10m}]}", "10/min", 9 * 6 + 660 + 9 * 6 + 60),
        ("immutable: {}", "10/min", 60 + 18 * 6 + 60),
        ("kubernetes_rolling: {max_surge: 100%, max_unavailable: 0}", "10/min", 19 * 6 + 60),
        ("argo_canary: {steps: [], max_surge: 100%, max_unavailable: 0}", "10/min", 19 * 6 + 60),
        # a window of k slots goes at min(k / S, r): here k / S = 5/min
        ("rolling: {batch: 5}", "10/min", 3 * 60 + 4 * 6 + 60),
        ("rolling: {batch: 5}", "4/min", 19 * 15 + 60),
        ("rolling: {batch: 5, mode: batch}", "10/min", 4 * (4 * 6 + 60)),
        # in place nothing is asked for
        ("rolling: {batch: 5, in_place: true}", "1/min", 0),
        ("big_bang: {}", "1/min", 0),
    ],
)
def test_starts_begin_one_after_the_other(strategy: str, rate: str, duration: float) -> None:
    scenario = paced(strategy, rate)
    assert rehearse(scenario, scenario.planned).duration == pytest.approx(duration)


@pytest.mark.parametrize(("count", "rounds"), [(20, 1500), (600, 1500)])
def test_the_last_of_random_starts(count: int, rounds: int) -> None:
    """The last of n exponential starts that begin 2 s apart: P(T <= t) = product of F(t - 2 k); up
    to 200 each is drawn, and above that the last one along the mean course."""
    scenario = paced(PREPARED, "30/min", "{exponential: {mean: 60s}}", instances=count)
    outcomes = play(scenario, rounds, bad=False)
    begins = 2.0 * np.arange(count)

    def later(t: float) -> float:
        each = -np.expm1(-np.maximum(t - begins, 0.0) / 60.0)
        return float(1 - np.prod(each))

    last = begins[-1]
    expected = last + quad(lambda t: later(last + t), 0, 1200, limit=200)[0]
    mean, error = mean_and_error([o.time_to_deploy for o in outcomes])
    assert abs(mean - expected) < 4 * error
    assert 4 * error < 0.05 * expected


def test_the_pace_of_a_large_window() -> None:
    """Of 1000 through 50 slots of 60 s each, at k / S = 50/min and less: the throttle's pace holds;
    what is left at the end is less than the slowest of the last few."""
    for rate, pace in (("20/min", 20), ("40/min", 40), ("100/min", 50)):
        start = "{uniform: {low: 50s, high: 70s}}"
        scenario = paced("rolling: {batch: 50}", rate, start, instances=1000)
        mean, _ = mean_and_error([o.time_to_deploy for o in play(scenario, 20, bad=False)])
        assert 60 * 999 / pace < mean < 60 * 999 / pace + 75


def test_an_instance_that_waits_is_not_paid_for() -> None:
    """Green's k-th instance is held from 6 k s until blue goes at 174 s; on the way back the same
    again, in the other direction."""
    scenario = paced(PREPARED)
    extra = sum(174 - 6 * k for k in range(20)) / 3600
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.extra_cost == pytest.approx(extra)
    assert outcome.peak_instances == 40
    (large,) = play(paced("rolling: {batch: 50, surge: 50}", "20/min", instances=1000), 1)
    assert large.peak_instances == pytest.approx(1021, abs=2)  # 20/min x 60 s are on their way


def test_a_rollback_does_not_wait_for_starts_that_were_given_up() -> None:
    """Health finds the first start at 180 s, when three have begun: the others never do. Bringing
    back half of a rolling update's instances is throttled as well."""
    health = paced(PREPARED, defect="{kind: crash}", service="start_rate: 1/min, startup: 60s")
    health = health.with_("service.start_failure", "{probability: 0%, timeout: 90s}")
    (outcome,) = play(health, 1)
    assert outcome.caught_by == "health"
    assert outcome.peak_instances == 20 + 3
    rolling = paced("rolling: {batch: 5}", "10/min", "0s", detection="noticed: {after: 60s}")
    rolling = rolling.with_("response.page.decide", "0s").with_("response.hold", "true")
    (outcome,) = play(rolling, 1)
    assert outcome.peak_exposure < 1
    # eleven are new and four are out at 60 s: the last of fifteen begins 15 turns of 6 s later
    assert outcome.rollback_time == pytest.approx(87, abs=4)


def test_a_throttle_is_a_rate() -> None:
    with pytest.raises(ScenarioError, match="write a rate above 0"):
        paced(PREPARED, "0/min")
    assert math.isinf(paced(PREPARED, "none").capacity_per_instance)


@pytest.mark.parametrize(
    ("now", "turn"), [(21.0, 24.0), (24.0, 24.0), (29.9, 30.0), (200.0, 200.0)]
)
def test_whoever_comes_after_those_who_gave_up_waits_for_the_last_that_began(
    now: float, turn: float
) -> None:
    """Twenty turns, 6 s apart, from 0: those after 21 s are given up, the last begins at 18 s."""
    pacing = Pacing(10 / 60)
    pacing.reserve(0.0, 20)
    pacing.forget(now)
    assert pacing.free(now) == pytest.approx(turn)
