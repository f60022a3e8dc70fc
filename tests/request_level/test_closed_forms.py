"""The request-level model by itself, against what can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from simulator.play.request_level import PlainOutcome, play_plainly
from simulator.words.scenario import Scenario
from tests.answers import oracles
from tests.play.playing import bare, mean_and_error


def play(scenario: Scenario, count: int, bad: bool = True) -> list[PlainOutcome]:
    words = scenario.with_("follow_up", "1m")
    name = next(iter(words.strategies))
    defect = words.change.defects[0] if bad else None
    return [play_plainly(words, name, defect, number) for number in range(count)]


def near(values: Sequence[float], expected: float) -> bool:
    mean, error = mean_and_error(values)
    return abs(mean - expected) < 4 * error + 1e-6 * expected


def test_an_atomic_switch() -> None:
    """10/s x 20 % x (300 s + 120 s) = 840."""
    scenario = bare(
        rate="rate: 10 rps",
        users="1k",
        detection="noticed: {after: 300s}",
        response="page: {decide: 120s}",
        strategy="big_bang: {in_place: false}",
    )
    outcomes = play(scenario, 30)
    assert near([o.failed_requests for o in outcomes], oracles.atomic_switch(10, 0.2, 300, 120))
    assert near([o.exposure_time for o in outcomes], 420)
    assert near([o.exposed_requests for o in outcomes], 4200)


def test_the_slowest_start_and_the_sliding_window() -> None:
    """m H_n for the slowest of n exponential starts; m (n - k)/k + m H_k for k at a time."""
    words = {
        "rate": "rate: 0.02 rps",
        "users": "10",
        "service": "startup: {exponential: {mean: 60s}}",
    }
    switch = bare(strategy="big_bang: {in_place: false}", **words)
    assert near(
        [o.time_to_deploy for o in play(switch, 300, False)], oracles.slowest_exponential(60, 10)
    )
    window = bare(instances=20, strategy="rolling: {batch: 4}", **words)
    assert near(
        [o.time_to_deploy for o in play(window, 200, False)], oracles.sliding_window(60, 20, 4)
    )


def test_what_the_rest_cannot_carry_is_rejected() -> None:
    """Load 75 %, a third away for three times 100 s: 11.1 % of 20/s x 300 s."""
    scenario = bare(
        instances=9,
        rate="rate: 20 rps",
        users="1k",
        service="utilisation: 75%, install: 100s",
        strategy="rolling: {batch: 3, in_place: true, mode: batch}",
    )
    expected = oracles.rejected_in_place(0.75, 1 / 3) * 20 * 300
    assert near([o.failed_requests for o in play(scenario, 40, False)], expected)


@pytest.mark.parametrize("sticky", [True, False])
def test_users_harmed(sticky: bool) -> None:
    """10 requests a user, weight 5 %, 20 % fail: 5 % x (1 - e^-2) sticky, else 1 - e^-0.1."""
    scenario = bare(
        rate="rate: 5 rps",
        users=500,
        traffic=f"sticky: {str(sticky).lower()}",
        detection="noticed: {after: 1000s}",
        strategy="canary: {steps: [{weight: 5%, bake: 1h}]}",
    )
    expected = oracles.users_harmed(10, 0.05, 0.2, sticky)
    assert near([o.users_harmed for o in play(scenario, 60)], expected)


def test_an_alarm_needs_m_breaches_and_its_delay() -> None:
    """All fail: 2 of 3 aligned minutes after the switch at 30 s are over at 120 s, heard at 135 s;
    10 s later the weight is 0 again."""
    scenario = bare(
        rate="rate: 5 rps",
        users=500,
        service="startup: 30s",
        defect="{kind: errors, rate: 100%}",
        detection="alarms: [{above: 50%, datapoints: 2 of 3, delay: 15s, phase: aligned}]",
        response="decide: 10s",
        strategy="canary: {steps: [{weight: 50%, bake: 1h}]}",
    )
    for outcome in play(scenario, 5):
        assert outcome.outcome == "rolled_back"
        assert outcome.caught_by == "alarm"
        assert outcome.time_to_detect == pytest.approx(105, abs=1e-5)
        assert outcome.exposure_time == pytest.approx(57.5, abs=1e-5)


def test_what_it_does_not_know_is_refused() -> None:
    scenario = bare(rate="rate: 1 rps", detection="burn_rate: standard")
    with pytest.raises(ValueError, match="burn rates"):
        play(scenario, 1)
