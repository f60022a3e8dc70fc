"""AppConfig: growth by the guide's own example, and the engine held against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.appconfig import rules
from simulator.play.course import Asking, Course
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

HOUR = 3600.0


def test_twenty_per_cent_over_ten_hours() -> None:
    """The guide's example: nobody at first, 20 % more every two hours, everyone at ten."""
    course = rules.Course("linear", 0.2, 10 * HOUR, 0.0)
    shares = [rules.reached(course, hour * HOUR) for hour in (0, 1.9, 2, 4, 6, 8, 9.9, 10)]
    assert shares == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 0.8, 1])


def test_exponential_growth_doubles() -> None:
    """G 2^N: 2, 4, 8 ... %, and a canary of 10 % in five even steps of four minutes."""
    assert rules.shares("exponential", 0.02) == pytest.approx(
        (0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1)
    )
    canary = rules.PREDEFINED["AppConfig.Canary10Percent20Minutes"]
    assert [at for at, _ in rules.steps(canary)] == [240, 480, 720, 960, 1200]
    assert [share for _, share in rules.steps(canary)] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1])
    with pytest.raises(ValueError, match="growth factor"):
        rules.shares("linear", 0)


@pytest.mark.parametrize("name", rules.PREDEFINED)
def test_the_predefined_ones_take_what_they_say(name: str) -> None:
    course = rules.PREDEFINED[name]
    scenario = bare(strategy=f"appconfig: {{strategy: {name}, poll: 0s}}")
    plan = rehearse(scenario, "appconfig")
    assert plan.duration == plan.finish == course.duration + course.bake
    assert plan.instances == 10


@given(
    factor=st.integers(1, 100),
    minutes=st.integers(1, 600),
    part=st.floats(0.05, 1.2),
    growth=st.sampled_from(["linear", "exponential"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_exposure_is_the_sum_of_the_steps(
    factor: int, minutes: int, part: float, growth: str, seed: int
) -> None:
    """Seen so long after the first step, and taken back at once: the integral of what had it."""
    course = rules.Course(growth, factor / 100, 60.0 * minutes, 24 * HOUR)  # type: ignore[arg-type]
    first = rules.steps(course)[0][0]
    after = round(part * course.duration)
    words = f"strategy: custom, growth: {growth}, factor: {factor}%, duration: {minutes}m, "
    scenario = bare(strategy=f"appconfig: {{{words} bake: 24h, poll: 0s}}", **noticed(after))
    (outcome,) = play(scenario, 1, seed)
    assert outcome.exposure_time == pytest.approx(rules.exposure(course, first + after), abs=1e-6)
    assert outcome.peak_exposure == pytest.approx(rules.reached(course, first + after - 1e-6))
    assert outcome.extra_cost == 0


def test_an_alarm_during_the_bake_rolls_back() -> None:
    """All at once with ten minutes of bake: an alarm after one minute takes it back by itself."""
    scenario = bare(
        detection="alarms: [{above: 5%, phase: aligned}]",
        strategy="appconfig: {strategy: AppConfig.AllAtOnce}",
        response="watch: 0s",
    )
    outcomes = play(scenario.with_("response.automatic", "watched"), 30)
    assert {(o.outcome, o.caught_by) for o in outcomes} == {("rolled_back", "alarm")}
    # in the first 45 s more and more instances have asked for it, half of them on average; the
    # alarm is heard at 60 s, and in the next 45 s fewer and fewer have it
    assert near([o.failed_requests for o in outcomes], 1000 * 0.2 * (45 / 2 + 15 + 45 / 2))


def test_instances_ask_at_moments_of_their_own() -> None:
    """x seconds after a change min(x / poll, 1) have asked, half a poll late on average; the area
    against the trapezoid rule on 100 001 points."""
    course, x = Course(Asking(45.0)), np.linspace(0.0, 90.0, 100_001)
    course.change(0.0, 0.4)
    assert course.at(np.array([0.0, 9.0, 45.0, 80.0])) == pytest.approx([0, 0.08, 0.4, 0.4])
    area = float(course.trailing(np.array([90.0]), 90.0)[0]) * 90
    assert area == pytest.approx(0.4 * (90 - 45 / 2))
    assert area == pytest.approx(np.trapezoid(course.at(x), x), rel=1e-8)


@pytest.mark.parametrize(("poll", "after", "decide"), [(60, 12, 9), (300, 100, 50), (45, 30, 600)])
def test_found_before_every_instance_has_asked(poll: int, after: int, decide: int) -> None:
    """All at once: x / poll have it after x seconds. Taken back after t = D + R seconds the area is
    t whatever the poll. Who asked in an unfinished poll asks again a whole poll later, and nobody
    else has it any more: the share stays until the poll is over, and falls as it rose."""
    scenario = bare(
        strategy=f"appconfig: {{strategy: AppConfig.AllAtOnce, poll: {poll}s}}",
        **noticed(after, decide),
    )
    outcome = play(scenario.with_("response.back_within", "20s"), 1)[0]
    highest = min((after + decide) / poll, 1)
    assert outcome.exposure_when_caught == pytest.approx(min(after / poll, 1))
    assert outcome.peak_exposure == pytest.approx(highest)
    assert outcome.exposure_time == pytest.approx(after + decide, rel=1e-6)
    left = share(after + decide + 20, after + decide, poll)
    assert outcome.still_harmed == pytest.approx(left / highest, abs=1e-6)


def share(now: float, back: float, poll: float) -> float:
    """Who asked between 0 and `back` and has not asked since: min(t, T)/T - min(t - back, T)/T."""
    return (min(now, poll) - min(max(now - back, 0), poll)) / poll


def test_a_configuration_that_crashes_fails_requests() -> None:
    scenario = bare(
        defect="{kind: crash}",
        strategy="appconfig: {strategy: AppConfig.AllAtOnce, poll: 0s}",
        **noticed(60),
    )
    outcome = play(scenario, 1)[0]
    assert outcome.expected_failed_requests == pytest.approx(1000 * 60)
    assert outcome.outage == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("factor: 5%", "factor is fixed by AppConfig.Linear20PercentEvery6Minutes"),
        ("strategy: custom, duration: 2d", "at most 1d"),
        ("strategy: AppConfig.Fast", "AppConfig.AllAtOnce"),
    ],
)
def test_what_it_refuses(words: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        bare(strategy=f"appconfig: {{{words}}}")


def test_functions_take_configurations_too() -> None:
    assert rehearse(bare(service="elastic: true", strategy="appconfig: {}"), "appconfig").suitable
