"""The answers that must come out. Random ones within 4 standard errors, seeds fixed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.answers import oracles
from tests.answers.comparing import near
from tests.play.playing import bare, mean_and_error, play

SWITCH = "big_bang: {in_place: false}"
NOTICED = {"detection": "noticed: {after: 300s}", "response": "page: {decide: 120s}"}


@pytest.mark.parametrize(
    "strategy",
    [
        SWITCH,
        "canary: {steps: [{weight: 100%, bake: 1h}]}",
        "blue_green: {smoke: none}",
        "phased: {waves: [100%]}",
        "linear: {step: 100%}",
    ],
)
def test_an_atomic_switch_fails_r_p_times_detection_and_decision(strategy: str) -> None:
    """1000/s x 20 % x (300 s + 120 s) = 84 000; five strategies are this switch."""
    outcomes = play(bare(strategy=strategy, **NOTICED), 200)
    assert oracles.atomic_switch(1000, 0.2, 300, 120) == 84_000
    assert near([o.failed_requests for o in outcomes], 84_000)
    assert {o.time_to_recover for o in outcomes} == {420.0}
    assert all(o.time_to_recover == o.time_to_detect + o.time_to_mitigate for o in outcomes)
    assert near([o.exposed_requests for o in outcomes], 420_000)


def test_ten_batches_seen_600_s_after_the_start() -> None:
    """Batches complete at 360, 720 ... s; the first alone is exposed for 240 s: 4 800. Going back
    is instant: the new instance leaves at once."""
    scenario = bare(
        service="startup: 360s",
        detection="noticed: {after: 240s}",
        strategy="rolling: {mode: batch, batch: 10%, surge: 1, rollback_batch: 100%}",
    )
    expected = oracles.batches(1000, 0.2, 360, 0.1, 600)
    assert expected == pytest.approx(4800)
    assert near([o.failed_requests for o in play(scenario, 200)], expected)


def test_a_fine_linear_release_is_nearly_a_ramp() -> None:
    """1 % each 36 s, seen after 600 s: 10 260 in steps; the ramp over an hour gives 10 000."""
    scenario = bare(detection="noticed: {after: 600s}", strategy="linear: {step: 1%, every: 36s}")
    expected = oracles.steps_like_a_ramp(1000, 0.2, 100, 36, 600)
    assert oracles.ramp(1000, 0.2, 3600, 600) == 10_000
    assert expected == pytest.approx(10_000, rel=0.07)
    assert near([o.failed_requests for o in play(scenario, 200)], expected)


def test_the_slowest_of_n_starts() -> None:
    """60 s exponential, 10 instances: 175.74 s; log-normal 50 s, 0.5, 100: 179.47 s."""
    ten = bare(service="startup: {exponential: {mean: 60s}}", strategy=SWITCH)
    assert oracles.slowest_exponential(60, 10) == pytest.approx(175.738, abs=1e-3)
    assert near([o.time_to_deploy for o in play(ten, 800, bad=False)], 175.738)
    hundred = bare(
        instances=100, service="startup: {lognormal: {median: 50s, sigma: 0.5}}", strategy=SWITCH
    )
    assert near([o.time_to_deploy for o in play(hundred, 800, bad=False)], 179.473)


@pytest.mark.parametrize("surge", ["0", "10"])
def test_a_sliding_window_and_batches(surge: str) -> None:
    """100 instances, 10 at a time, exponential 60 s: 715.7 s in a window, 1 757 s in batches."""
    service = "startup: {exponential: {mean: 60s}}"
    window = bare(
        instances=100, service=service, strategy=f"rolling: {{batch: 10, surge: {surge}}}"
    )
    expected = oracles.sliding_window(60, 100, 10)
    assert expected == pytest.approx(715.74, abs=0.01)
    assert near([o.time_to_deploy for o in play(window, 150, bad=False)], expected)
    batches = bare(
        instances=100,
        service=service,
        strategy=f"rolling: {{batch: 10, surge: {surge}, mode: batch}}",
    )
    expected = oracles.in_batches(60, 100, 10)
    assert expected == pytest.approx(1757.38, abs=0.01)
    assert near([o.time_to_deploy for o in play(batches, 300, bad=False)], expected)


@pytest.mark.parametrize(
    "law", ["{exponential: {mean: 60s}}", "{lognormal: {median: 50s, sigma: 0.5}}"]
)
def test_large_fleets_roll_as_the_exact_window_does(law: str) -> None:
    """200 instances are exact; 201 go by the mean course. Within 3 % in time and in exposure."""
    found = {}
    for size in (200, 201):
        scenario = bare(instances=size, service=f"startup: {law}", strategy="rolling: {batch: 40}")
        outcomes = play(scenario, 60)
        good = play(scenario, 60, bad=False)
        found[size] = (
            np.mean([o.time_to_deploy for o in good]),
            np.mean([o.mixing for o in good]),
            np.mean([o.failed_requests for o in outcomes]),
        )
    for exact, stream in zip(found[200], found[201], strict=True):
        assert stream == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize(("load", "expected"), [(0.75, 0.1111), (0.6667, 0.0)])
def test_rolling_in_place_rejects_what_the_rest_cannot_carry(load: float, expected: float) -> None:
    """Load 75 %, a third away: 1 - (2/3) / 0.75 = 11.1 % of the requests; 66.7 %: none."""
    scenario = bare(
        instances=9,
        service=f"capacity: {1000 / 9 / load:.9f} rps, install: 100s",
        strategy="rolling: {batch: 3, in_place: true, mode: batch}",
    )
    assert oracles.rejected_in_place(load, 1 / 3) == pytest.approx(expected, abs=1e-4)
    outcomes = play(scenario, 100, bad=False)
    assert {o.time_to_deploy for o in outcomes} == {300.0}
    assert near(
        [o.failed_requests for o in outcomes], 300_000 * oracles.rejected_in_place(load, 1 / 3)
    )


@pytest.mark.parametrize(("sticky", "expected"), [("true", 0.0432), ("false", 0.0952)])
def test_users_harmed_by_a_canary(sticky: str, expected: float) -> None:
    """Poisson, mean 10 requests, w 5 %, p 20 %: 4.32 % of sticky users, 9.52 % of the others."""
    scenario = bare(
        users="100k",
        traffic=f"sticky: {sticky}",
        detection="noticed: {after: 1000s}",
        strategy="canary: {steps: [{weight: 5%, bake: 5h}]}",
    )
    exact = oracles.users_harmed(10, 0.05, 0.2, sticky == "true")
    assert exact == pytest.approx(expected, abs=5e-5)
    for outcome in play(scenario, 5):
        assert outcome.users_harmed == pytest.approx(exact, rel=1e-9)
        assert outcome.peak_exposure == 0.05


def test_small_services_count_harmed_users() -> None:
    """Below 10 000 users the number harmed is binomial: right on average, whole users each time."""
    scenario = bare(
        rate="rate: 10 rps",
        users="1k",
        traffic="sticky: true",
        detection="noticed: {after: 1000s}",
        strategy="canary: {steps: [{weight: 5%, bake: 5h}]}",
    )
    outcomes = play(scenario, 400)
    assert near([o.users_harmed for o in outcomes], oracles.users_harmed(10, 0.05, 0.2, True))
    assert all(abs(o.users_harmed * 1000 - round(o.users_harmed * 1000)) < 1e-9 for o in outcomes)


def test_a_defect_confined_to_some_users_never_harms_more() -> None:
    scenario = bare(
        users="50k",
        defect="{kind: errors, rate: 100%, users: 5%}",
        detection="noticed: {after: 2h}",
        strategy=SWITCH,
    )
    for outcome in play(scenario, 10):
        assert 0.0499 < outcome.users_harmed <= 0.05 + 1e-12


def test_mixing_of_a_linear_release() -> None:
    """Integral of 2 w (1 - w) over 100 steps of 36 s: close to T / 3 = 1 200 s."""
    outcome = play(bare(strategy="linear: {step: 1%, every: 36s}"), 1, bad=False)[0]
    assert outcome.mixing == pytest.approx(oracles.mixing_of_steps(100, 36), rel=1e-9)
    assert outcome.mixing == pytest.approx(1200, rel=1e-3)


def test_a_second_fleet_costs_its_overlap() -> None:
    scenario = bare(service="cost: 1/h", strategy="blue_green: {smoke: none, keep_old: 2h}")
    outcome = play(scenario, 1, bad=False)[0]
    assert outcome.extra_cost == pytest.approx(oracles.second_fleet(10, 1, 7200))
    assert outcome.peak_instances == 20


def test_users_trigger_by_the_kth_report() -> None:
    """Everybody reports at once, needed k: a switch leaves about k failures, if each is another
    user; with 420 s of triage it leaves k + 200 x 420 = 85 000."""
    people = "people: {{report_rate: 100%, needed: 1000, delay: 0s, triage: {}}}"
    base = {"users": "2M", "strategy": SWITCH}
    at_once = play(bare(detection=people.format("0s"), **base), 60)
    assert near([o.failed_requests for o in at_once], 1000, k=5)
    late = play(bare(detection=people.format("420s"), **base), 60)
    expected = oracles.left_by_kth_failure(1000, 200, 420)
    assert expected == 85_000
    assert np.mean([o.failed_requests for o in late]) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    "strategy",
    [
        SWITCH,
        "linear: {step: 1%, every: 36s}",
        "canary: {steps: [{weight: 1%, bake: 10m}, {weight: 10%, bake: 30m}]}",
        "phased: {waves: [20%, 80%], bake: 2h}",
        "rolling: {batch: 1}",
        "blue_green: {smoke: none}",
        "immutable: {bake: 10m}",
    ],
)
def test_the_kth_failure_leaves_k_under_every_strategy(strategy: str) -> None:
    """Whatever the exposure, as many have failed when the k-th is reported as k, if each failure
    is another user's (2 million users: 0.25 twice) and going back takes no time: the mean of the
    counts at a stopping time is that of their intensity. Slow is as harmful as fast."""
    people = "people: {report_rate: 100%, needed: 1000, delay: 0s, triage: 0s}"
    outcomes = play(bare(detection=people, users="2M", strategy=strategy), 60)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert abs(mean - 1000) < 4 * error


def test_a_lag_breaks_the_tie() -> None:
    """With 420 s of lag a switch leaves 1000 + 200 x 420 = 85 000; a ramp over an hour has its
    1000th failure at sqrt(2 x 3600 x 1000 / 200) = 189.7 s and leaves 200 x 609.7^2 / 7200 =
    10 327 (a hundred steps of 36 s come within 4 %, as the staircase says)."""
    people = "people: {report_rate: 100%, needed: 1000, delay: 0s, triage: 420s}"
    ramp = "linear: {step: 1%, every: 36s}"
    outcomes = play(bare(detection=people, users="2M", strategy=ramp), 60)
    exact = oracles.left_by_kth_failure(1000, 200, 420, 3600)
    assert exact == pytest.approx(10_327, abs=1)
    seen = oracles.staircase_reaches(1000, 1000, 0.2, 100, 36)
    stairs = oracles.steps_like_a_ramp(1000, 0.2, 100, 36, seen + 420)
    assert near([o.failed_requests for o in outcomes], stairs, k=4)
    assert stairs == pytest.approx(exact, rel=0.06)


def test_an_aligned_alarm_sees_a_total_failure_at_its_second_period() -> None:
    """2 of 3 minutes above 1 %, aligned, 60 s until readable: detected 180 s after the switch."""
    scenario = bare(
        detection="alarms: [{above: 1%, datapoints: 2 of 3, delay: 60s, phase: aligned}]"
    )
    outcomes = play(scenario, 20)
    assert {o.time_to_detect for o in outcomes} == {180.0}
    assert {o.caught_by for o in outcomes} == {"alarm"}


def test_harm_is_split_where_the_watched_phase_ends() -> None:
    """A switch watched for 10 minutes and noticed after 30: 1000/s x 20 % x 600 s before, the
    rest (20 min and the decision's 2) afterwards; the release has escaped."""
    scenario = bare(
        detection="noticed: {after: 30m}",
        response="watch: 10m, page: {decide: 120s}",
        strategy=SWITCH,
    )
    outcomes = play(scenario, 60)
    assert near([o.failed_requests_watched for o in outcomes], 1000 * 0.2 * 600)
    assert near([o.failed_requests_escaped for o in outcomes], 1000 * 0.2 * (1200 + 120))
    assert {o.outcome for o in outcomes} == {"escaped"}
    assert {o.caught_at for o in outcomes} == {"after"}


def test_whether_what_is_left_of_the_error_budget_is_exhausted() -> None:
    """Two minutes without service lose 120 k of 1000/s; 99.9 % over 30 days allows 2.592 M, of
    which 4 % are 103 680 and 5 % are 129 600."""
    words = bare(service="install: 120s", strategy="big_bang: {in_place: true}")
    for left, exhausted in (("4%", 1.0), ("5%", 0.0)):
        (found,) = play(words.with_("slo.budget_left", left), 1, bad=False)
        assert found.expected_failed_requests == pytest.approx(120_000)
        assert found.budget_exhausted == exhausted
