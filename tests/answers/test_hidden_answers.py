"""What shadows, feature flags and rate-controlled commands must come to."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from tests.answers import oracles, oracles_trouble
from tests.answers.comparing import given, near, noticed
from tests.play.playing import bare, play

ALARM = "alarms: [{watch: new, above: 5%, phase: aligned}]"
SWITCH = "{kind: big_bang, in_place: false}"


def close(hits: int, count: int, share: float) -> bool:
    """Within 4 standard errors of a probability, exactly where it is 0 or 1."""
    return abs(hits / count - share) <= 4 * math.sqrt(share * (1 - share) / count) + 1e-12


@pytest.mark.parametrize("comparable", [0.0, 0.3, 0.6, 1.0])
def test_a_shadow_catches_what_can_be_compared(comparable: float) -> None:
    """A share `comparable` of the releases that fail 20 % of requests is caught in copies after one
    minute and harms nobody; the others are switched, and cost r p 60 s until the same alarm."""
    strategy = f"shadow: {{comparable: {100 * comparable:g}%, then: {SWITCH}}}"
    outcomes = play(bare(strategy=strategy, detection=ALARM), 400)
    in_copies = [o for o in outcomes if o.caught_at == "shadow"]
    assert close(len(in_copies), 400, comparable)
    assert {o.failed_requests for o in in_copies} <= {0}
    assert {o.peak_exposure for o in in_copies} <= {0.0}
    if comparable < 1:
        others = [o.failed_requests for o in outcomes if o.caught_at != "shadow"]
        assert near(others, oracles.atomic_switch(1000, 0.2, 60, 0))


@pytest.mark.parametrize(
    "defect",
    [
        "{kind: slow, factor: 1, rate: 20%}",
        "{kind: slow, factor: 3, rate: 0%}",
        "{kind: load, threshold: 30%, rate: 20%}",
        "{kind: crash}",
    ],
)
def test_slowness_load_and_crashes_show_in_copies(defect: str) -> None:
    """Whatever can be compared: copies are served and take capacity as requests do."""
    scenario = bare(
        service="utilisation: 60%, startup: 10s, start_failure: {timeout: 60s}",
        defect=defect,
        detection="alarms: [{watch: new, metric: bad, above: 5%, phase: aligned}]",
        strategy="shadow: {comparable: 0%}",
    )
    for outcome in play(scenario, 20):
        assert outcome.caught_at in ("shadow", "start")
        assert outcome.failed_requests == 0


def test_a_shadow_of_a_share_sees_that_share() -> None:
    """One request/s: an alarm that needs 30 a minute does not get them from a fifth of the requests
    (12), and does from all (60)."""
    detection = "alarms: [{watch: new, above: 5%, minimum_requests: 30, phase: aligned}]"
    for share, phases in ((20, {"watch"}), (100, {"shadow"})):
        scenario = bare(
            rate="rate: 1 rps",
            detection=detection,
            defect="{kind: errors, rate: 100%}",
            strategy=f"shadow: {{share: {share}%, comparable: 100%, then: {SWITCH}}}",
        )
        assert {o.caught_at for o in play(scenario, 20)} == phases


def test_a_shadow_takes_its_time_and_a_second_fleet() -> None:
    """An hour, then the canary's 30 min; ten more instances at 1/h for the hour (and for the
    canary's steps, whose fleet is there already)."""
    scenario = bare(
        service="cost: 1/h",
        strategy="shadow: {duration: 1h, then: {kind: big_bang, in_place: false}}",
    )
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == 3600
    assert outcome.extra_cost == pytest.approx(oracles.second_fleet(10, 1, 3600))
    (outcome,) = play(bare(strategy="shadow: {duration: 1h}"), 1, bad=False)
    assert outcome.time_to_deploy == 3600 + 1800
    (outcome,) = play(
        bare(service="cost: 1/h", strategy=f"shadow: {{share: 25%, duration: 2h, then: {SWITCH}}}"),
        1,
        bad=False,
    )
    assert outcome.extra_cost == pytest.approx(oracles.second_fleet(3, 1, 7200))


@pytest.mark.parametrize("covered", [0.0, 0.3, 0.7, 1.0])
def test_a_flag_covers_its_share(covered: float) -> None:
    """A covered defect does nothing until the flag is on for 5 %: seen 300 s later, decided after
    120 s, switched off within 30 s: exposed for 0.05 x 450 s, a twentieth of them. Another one acts
    as the code is shipped, all at once: 420 s of everybody, and no flag takes it back."""
    steps = "[{weight: 5%, bake: 2h}]"
    strategy = f"feature_flag: {{steps: {steps}, covered: {100 * covered:g}%, ship: {SWITCH}}}"
    outcomes = play(bare(strategy=strategy, **noticed(300, 120)), 400)
    seen = Counter((o.peak_exposure, round(o.exposure_time, 6)) for o in outcomes)
    assert set(seen) <= {(0.05, 22.5), (1.0, 420.0)}
    assert close(seen[0.05, 22.5], 400, covered)
    exact = 200 * (covered * 22.5 + (1 - covered) * 420)
    assert near([o.failed_requests for o in outcomes], exact)


def test_only_what_is_wrong_is_taken_back() -> None:
    """Behind the flag it is switched off in 30 s and the code stays; otherwise the shipped
    instances are exchanged again, ten times 60 s."""
    ship = "{kind: rolling, batch: 1, surge: 1, max_unavailable: 0}"
    steps = "[{weight: 5%, bake: 2h}]"
    for covered, back in ((100, 30), (0, 600)):
        strategy = f"feature_flag: {{steps: {steps}, covered: {covered}%, ship: {ship}}}"
        scenario = bare(service="startup: 60s", strategy=strategy, **noticed(1800))
        (outcome,) = play(scenario, 1)
        assert outcome.rollback_time == back
        assert outcome.time_to_mitigate == (back if covered else 600)


def test_crashes_are_never_behind_a_flag() -> None:
    """New code that does not start is seen while it is shipped, whatever is covered."""
    scenario = bare(
        service="startup: 10s, start_failure: {timeout: 60s}",
        defect="{kind: crash}",
        strategy=f"feature_flag: {{covered: 100%, ship: {SWITCH}}}",
    )
    assert {(o.caught_by, o.peak_exposure) for o in play(scenario, 20)} == {("health", 0.0)}


def test_a_flag_is_switched_within_its_poll() -> None:
    """Shipped at once, then 5 % and 50 % for 10 min each, all: each of three changes takes 30 s."""
    steps = "[{weight: 5%, bake: 10m}, {weight: 50%, bake: 10m}]"
    (outcome,) = play(
        bare(strategy=f"feature_flag: {{steps: {steps}, ship: {SWITCH}}}"), 1, bad=False
    )
    assert outcome.time_to_deploy == 3 * 30 + 2 * 600
    assert outcome.failed_requests == 0


def test_flags_are_sticky() -> None:
    """Mean 10 requests a user: 5 % of the users meet it, and of them 1 - e^(-10 x 0.2)."""
    scenario = bare(
        users="100k",
        strategy=f"feature_flag: {{steps: [{{weight: 5%, bake: 5h}}], poll: 0s, covered: 100%, "
        f"ship: {SWITCH}}}",
        **noticed(1000),
    )
    exact = oracles.users_harmed(10, 0.05, 0.2, True)
    for outcome in play(scenario, 5):
        assert outcome.users_harmed == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(("mean", "count", "slots"), [(60, 100, 10), (30, 12, 1), (90, 20, 20)])
def test_rate_control_is_a_window(mean: float, count: int, slots: int) -> None:
    """n targets through k slots, exponential with mean m: m (n - k)/k + m H_k."""
    scenario = bare(
        instances=count,
        strategy=f"rate_controlled: {{concurrency: {slots}, run_time: {{exponential: {{mean: "
        f"{mean}s}}}}}}",
    )
    exact = oracles.sliding_window(mean, count, slots)
    assert near([o.time_to_deploy for o in play(scenario, 300, bad=False)], exact)


def test_rate_control_drains_first() -> None:
    """Fifty targets, ten at a time, 30 s of draining and 120 s each: five times 150 s."""
    scenario = bare(
        instances=50, service="drain: 30s", strategy="rate_controlled: {concurrency: 10}"
    )
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == 750


def test_rate_control_doubles() -> None:
    """1, 2, 4, 8, 10, 10, 10, 5 targets, each group after the one before: 8 x 120 s; with random
    times the sum of the slowest of each group, m (H_1 + H_2 + H_4 + ...)."""
    sizes = oracles_trouble.groups_that_double(50, 10)
    assert sizes == [1, 2, 4, 8, 10, 10, 10, 5]
    words = "concurrency: 10, ramp: doubling"
    (outcome,) = play(bare(instances=50, strategy=f"rate_controlled: {{{words}}}"), 1, bad=False)
    assert outcome.time_to_deploy == 8 * 120
    scenario = bare(
        instances=50,
        strategy=f"rate_controlled: {{{words}, run_time: {{exponential: {{mean: 60s}}}}}}",
    )
    exact = sum(oracles.slowest_exponential(60, size) for size in sizes)
    assert near([o.time_to_deploy for o in play(scenario, 300, bad=False)], exact)


def test_rate_control_rejects_what_the_rest_cannot_carry() -> None:
    """A third away at 75 %: 11.1 % of the requests, three times 120 s."""
    scenario = bare(
        instances=9,
        service="utilisation: 75%",
        strategy="rate_controlled: {concurrency: 3}",
    )
    exact = 1000 * 360 * oracles.rejected_in_place(0.75, 1 / 3)
    assert near([o.failed_requests for o in play(scenario, 30, bad=False)], exact)


@pytest.mark.parametrize("accepted", [0, 1, 4])
def test_it_stops_at_one_error_too_many(accepted: int) -> None:
    """Nothing starts, one after the other: the error above the accepted ones is at (e + 1) x 120 s,
    and is the detection by health, e x 120 s after the first one; e + 1 of ten targets are out of
    service by then, and repaired in the same window."""
    scenario = bare(
        defect="{kind: crash}",
        service="utilisation: 50%",
        strategy=f"rate_controlled: {{concurrency: 1, max_errors: {accepted}}}",
    )
    outcomes = play(scenario, 5)
    assert {o.caught_by for o in outcomes} == {"health"}
    assert {o.outcome for o in outcomes} == {"rolled_back"}
    assert {o.time_to_detect for o in outcomes} == {120.0 * accepted}
    assert {o.rollback_time for o in outcomes} == {120.0 * (accepted + 1)}
    least = (10 - accepted - 1) / 10 / 0.5 - 1
    assert outcomes[0].min_headroom == pytest.approx(least)


@pytest.mark.parametrize("accepted", [0, 2, 5])
def test_how_many_errors_good_releases_make(accepted: int) -> None:
    """20 targets that fail with 10 % each: more than e fail with the binomial's tail; the others
    are deployed, targets that failed included."""
    scenario = bare(
        instances=20,
        service="start_failure: {probability: 10%, timeout: 10m}",
        strategy=f"rate_controlled: {{concurrency: 5, max_errors: {accepted}}}",
    )
    outcomes = play(scenario, 500, bad=False)
    stopped = sum(o.outcome == "false_alarm" for o in outcomes)
    assert close(stopped, 500, oracles_trouble.too_many_errors(20, 0.1, accepted))
    assert {o.outcome for o in outcomes} <= {"false_alarm", "deployed"}


def test_accepted_errors_that_cannot_be_repaired_are_found_by_the_operator() -> None:
    """All errors are accepted and no target ever starts: nothing is left to stop the command, and
    it never finishes; somebody looks when it is overdue."""
    scenario = given(
        {"response.overdue": "30m"},
        defect="{kind: crash}",
        strategy="rate_controlled: {concurrency: 5, max_errors: 100%}",
    )
    outcomes = play(scenario, 3)
    assert {(o.outcome, o.caught_by) for o in outcomes} == {("stuck", "operator")}
    assert all(o.ended < 3 * 3600 for o in outcomes)


def test_it_goes_back_in_the_same_window() -> None:
    """Ten targets one by one, 120 s each, nine in service: k/9 of the traffic from 120 k s on. Seen
    470 s after the first, at 590 s, with four new and the fifth away: all five are reinstalled,
    600 s, the one that is away first: 4/9, 3/9, 2/9, 1/9 and nothing for 120 s each."""
    forward = 120 * (1 + 2 + 3) / 9 + 110 * 4 / 9
    back = 120 * (4 + 3 + 2 + 1) / 9
    outcomes = play(bare(strategy="rate_controlled: {concurrency: 1}", **noticed(470)), 20)
    for outcome in outcomes:
        assert outcome.rollback_time == 600
        assert outcome.exposure_time == pytest.approx(forward + back)
    assert near([o.failed_requests for o in outcomes], 200 * (forward + back))
