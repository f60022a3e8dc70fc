"""What trouble that is not the change must come to: failures, stalls, slips, rollbacks, stuck."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from tests.answers import oracles, oracles_trouble
from tests.answers.comparing import given, near, noticed
from tests.play.playing import bare, play

SWITCH = "big_bang: {in_place: false}"


def slow(load: float, factor: float, late: float) -> dict[str, str]:
    """A fleet at this load whose new version takes `factor` times as long."""
    return {
        "service": f"utilisation: {100 * load:g}%",
        "defect": f"{{kind: slow, factor: {factor:g}, rate: {100 * late:g}%}}",
    }


def fails(part: str, mtbf: float, repair: float) -> dict[str, str]:
    """What breaks down; replications short enough to follow every failure."""
    return {f"failures.{part}": f"{{mtbf: {mtbf:g}s, repair: {repair:g}s}}", "follow_up": "30m"}


def test_broken_instances_carry_nothing() -> None:
    """20 instances, mtbf 5 h, repaired after 10 min: n/mtbf min(t, repair) are down at t on average
    (0.67 in the end). A version with 1.5 times the fleet's load is always over it, so what is
    rejected is linear in the capacity: r (L (1 - 1/1.5) + (lost instances x time)/(20 x 1.5))."""
    scenario = given(
        fails("instance", 18_000, 600),
        instances=20,
        strategy=SWITCH,
        **slow(0.5, 3, 0),
        **noticed(1500, 300),
    )
    lost = oracles_trouble.broken_mean(20, 18_000, 600, 1800)
    assert lost == pytest.approx(1000)
    exact = 1000 * (1800 * (1 - 1 / 1.5) + lost / 20 / 1.5)
    assert near([o.expected_failed_requests for o in play(scenario, 800)], exact)


def test_what_one_broken_instance_costs_where_there_is_no_room() -> None:
    """Ten instances at 95 % of what the slow version can carry: each broken one makes it reject
    1 - (1 - k/10)/0.95 (nothing for none), k Poisson. With nothing deployed five may be down."""
    scenario = given(
        fails("instance", 9000, 600), strategy=SWITCH, **slow(0.475, 2, 0.01), **noticed(1500, 300)
    )
    value = [oracles_trouble.slow_and_less(0.475, 2, 1 - k / 10, 0.01) for k in range(11)]
    exact = 1000 * oracles_trouble.over_broken(10, 9000, 600, 1800, lambda k: value[k])
    assert near([o.expected_failed_requests for o in play(scenario, 800)], exact)


@pytest.mark.parametrize(("load", "mtbf", "repair"), [(0.75, 1200, 600), (0.7, 2400, 3000)])
def test_instances_that_fail_while_one_is_away(load: float, mtbf: float, repair: float) -> None:
    """Four in place, one after the other for 300 s each: whoever is replaced has taken its failure
    along, whoever is away cannot fail, and what a full fleet would reject is taken off."""
    scenario = given(
        {"failures.instance": f"{{mtbf: {mtbf}s, repair: {{exponential: {{mean: {repair}s}}}}}}"},
        instances=4,
        service=f"utilisation: {100 * load:g}%, install: 300s",
        strategy="rolling: {batch: 1, in_place: true, mode: batch}",
    ).with_("follow_up", "1m")
    exact = 1000 * oracles_trouble.failing_while_one_is_away(4, load, mtbf, repair, 300)
    assert near([o.expected_failed_requests for o in play(scenario, 1500, bad=False)], exact)


def test_where_failures_are_many_a_constant_number_is_down() -> None:
    """100 instances, mtbf 1 h, repair 10 min: 700 failures are to be expected in a replication, so
    the number down is drawn once, mean 100 x 10/70 = 14.3 and as scattered as a Poisson number;
    what the slow version rejects is linear in it."""
    scenario = given(
        {"failures.instance": "{mtbf: 1h, repair: 10m}", "follow_up": "6h"},
        instances=100,
        strategy=SWITCH,
        **slow(0.5, 3, 0),
        **noticed(1500, 300),
    )
    outcomes = play(scenario, 600)
    down = 100 / 7
    assert near(
        [o.expected_failed_requests for o in outcomes], 1_800_000 * (1 - (1 - down / 100) / 1.5)
    )
    scatter = np.var([o.expected_failed_requests for o in outcomes], ddof=1)
    exact = (1_800_000 / 1.5 / 100) ** 2 * down
    assert abs(scatter / exact - 1) < 4 * math.sqrt(2 / 600)


def test_where_failures_are_rare_but_last_for_long_the_mean_is_right() -> None:
    """20 instances, mtbf 1 000 min, repair 10 min, 4 500 min: 30 failures are followed until the
    next (31 x 50 min on average, 30 x 600 s are down less the 60 s that it cuts off), from there on
    20 x 10/1010 = 0.2 are down, a binomial number. A normal law would be down for half as much
    again, because none can be down less than once."""
    scenario = given(
        {"failures.instance": "{mtbf: 1000m, repair: 10m}", "follow_up": "100h"},
        instances=20,
        strategy=SWITCH,
        **slow(0.5, 3, 0),
        **noticed(269_700, 300),
    )
    lost = 30 * 600 - 60 + 20 * 10 / 1010 * (270_000 - 31 * 3000)
    exact = 1000 * (270_000 * (1 - 1 / 1.5) + lost / 20 / 1.5)
    found = near([o.expected_failed_requests for o in play(scenario, 600)], exact)
    assert found
    assert found.bound < 1000 * lost / 20 / 1.5 / 3


def test_a_version_on_a_single_instance_has_no_other_when_it_fails() -> None:
    """A canary of 10 % on one instance beside ten, mended too late: of N failures in t, Poisson
    with mean 10 t/mtbf, one has hit it with probability N/11, so that at t it carries nothing with
    probability (10/11) t/mtbf, and r/10 requests/s are rejected although others have room."""
    scenario = given(
        {"failures.instance": "{mtbf: 6000s, repair: 30d}"},
        service="utilisation: 10%, startup: 0s",
        strategy="canary: {steps: [{weight: 10%, bake: 30m}]}",
    ).with_("follow_up", "1m")
    exact = 1000 / 10 * 10 / 11 * 1800**2 / 2 / 6000
    assert near([o.expected_failed_requests for o in play(scenario, 1500, bad=False)], exact)


@pytest.mark.parametrize("part", ["instance", "zone"])
def test_what_would_break_anyway_is_not_counted(part: str) -> None:
    """At 95 % of the capacity every failure rejects requests, with or without a deployment: a
    switch, which never has less capacity than the old fleet, harms nobody."""
    scenario = given(
        {f"failures.{part}": "{mtbf: 2h, repair: 20m}"},
        service="utilisation: 95%, zones: 3",
        strategy="blue_green: {keep_old: 3h}",
    )
    outcomes = play(scenario, 40, bad=False)
    assert {o.failed_requests for o in outcomes} == {0}
    assert min(o.min_headroom for o in outcomes) < -0.05


def test_a_zone_is_a_third_of_the_capacity() -> None:
    """Three zones at 60 %: the headroom is 1/0.6 - 1 with all of them, (2/3)/0.6 - 1 without one,
    (1/3)/0.6 - 1 without two; one is lost within 3 h with probability 1 - e^(-3 h x 3/mtbf)."""
    scenario = given(
        {"failures.zone": "{mtbf: 30h, repair: 60s}", "follow_up": "3h"},
        service="utilisation: 60%, zones: 3",
        strategy=SWITCH,
    )
    outcomes = play(scenario, 600, bad=False)
    seen = Counter(round(1 + o.min_headroom, 9) for o in outcomes)
    levels = [round((1 - k / 3) / 0.6, 9) for k in range(3)]
    assert set(seen) <= set(levels)
    exact = 1 - math.exp(-3 * 3 / 30)
    lost = 1 - seen[levels[0]] / 600
    assert abs(lost - exact) < 4 * math.sqrt(exact * (1 - exact) / 600)


@pytest.mark.parametrize(("size", "mode"), [(12, "batch"), (240, "window")])
def test_a_zone_lost_while_a_quarter_is_away(size: int, mode: str) -> None:
    """In place a quarter is away for 400 s, batch by batch or along a mean course (above 200), at
    70 %: nothing is rejected until a zone is lost too, then 1 - (3/4)(2/3)/0.7 less what the zone
    alone would reject. The zones lost so far are Poisson, and none is back before the end."""
    scenario = given(
        {"failures.zone": "{mtbf: 2h, repair: 30d}", "follow_up": "1m"},
        instances=size,
        service="utilisation: 70%, zones: 3, install: 100s",
        strategy=f"rolling: {{batch: 25%, in_place: true, mode: {mode}}}",
    )
    excess = [oracles_trouble.excess_of_a_zone(0.7, 0.25, 3, k) for k in range(12)]
    times = np.linspace(0, 400, 4001)
    lost = [stats.poisson.pmf(k, 3 * times / 7200) * excess[k] for k in range(12)]
    exact = 1000 * float(np.trapezoid(np.sum(lost, axis=0), times))
    assert near([o.expected_failed_requests for o in play(scenario, 1500, bad=False)], exact)


@pytest.mark.parametrize("chance", [0.2, 0.5])
def test_a_rollback_that_fails_is_tried_again(chance: float) -> None:
    """Every attempt does nothing with this probability and costs the 180 s of looking and deciding;
    geometric: r p (D + R + 180 f/(1 - f)), and k failed ones with probability (1 - f) f^k."""
    scenario = given(
        {"failures.rollback": f"{100 * chance:g}%", "response.page.acknowledge": "60s"},
        strategy="blue_green: {smoke: none, keep_old: 30d}",
        **noticed(300, 120),
    )
    outcomes = play(scenario, 600)
    exact = oracles.atomic_switch(1000, 0.2, 300, 120 + 180 * oracles_trouble.tries(chance))
    assert near([o.failed_requests for o in outcomes], exact)
    failed = Counter(round((o.time_to_mitigate - 120) / 180, 9) for o in outcomes)
    for k in range(3):
        share = (1 - chance) * chance**k
        assert abs(failed[float(k)] / 600 - share) < 4 * math.sqrt(share * (1 - share) / 600)


STALL = {"failures.tool_stall": "{mtbf: {uniform: {low: 299.99s, high: 300.01s}}, repair: 600s}"}


def test_a_stalled_tool_begins_no_step() -> None:
    """Stalled from 300 s to 900 s: the step that is due at 600 s comes 300 s later; one due at
    200 s is not delayed."""
    for bake, time in ((600, 900), (200, 200)):
        words = f"canary: {{steps: [{{weight: 10%, bake: {bake}s}}]}}"
        (outcome,) = play(given(STALL, strategy=words), 1, bad=False)
        assert outcome.time_to_deploy == pytest.approx(time, abs=0.02)
        assert outcome.failed_requests == 0


def test_a_stalled_tool_cannot_go_back() -> None:
    """Everything switched at 0, seen after 400 s: the way back begins when the tool is repaired, at
    900 s; seen after 200 s, at once."""
    for after, whole in ((400, 900), (200, 200)):
        scenario = given(
            STALL, strategy="blue_green: {smoke: none, keep_old: 1d}", **noticed(after)
        )
        (outcome,) = play(scenario, 1)
        exact = oracles.atomic_switch(1000, 0.2, whole, 0)
        assert outcome.expected_failed_requests == pytest.approx(exact, rel=1e-4)


def test_how_long_a_stall_delays_a_step() -> None:
    """Stalls begin after an exponential time of mean 2 000 s and last 1 200 s; a step is due after
    900 s: late by S + 1 200 - 900 if S < 900, on average (r - B)(1 - e^(-B/M)) + M - (M + B)
    e^(-B/M)."""
    scenario = given(
        {"failures.tool_stall": "{mtbf: 2000s, repair: 1200s}"},
        strategy="canary: {steps: [{weight: 10%, bake: 900s}]}",
    )
    exact = 900 + oracles_trouble.stalled_step(900, 2000, 1200)
    assert near([o.time_to_deploy for o in play(scenario, 800, bad=False)], exact)


@pytest.mark.parametrize("chance", [0.5, 1.0])
def test_a_slip_after_an_approval_reaches_everyone(chance: float) -> None:
    """5 % for 600 s and an approval, then 25 %; by a slip everybody instead until somebody has
    noticed, 300 s later. Seen 1 200 s after the first harm and decided 300 s later: exposed for
    30 s + 0.25 x 900 s, or 30 s + 300 s + 0.25 x 600 s; a good release only takes longer."""
    steps = "[{weight: 5%, bake: 600s, approve: 0s}, {weight: 25%, bake: 2h}]"
    words = {"strategy": f"canary: {{steps: {steps}}}", "instances": 20}
    scenario = given({"failures.slip": f"{100 * chance:g}%"}, **words, **noticed(1200, 300))
    outcomes = play(scenario, 300)
    seen = {round(o.exposure_time, 6) for o in outcomes}
    assert seen == ({255.0, 480.0} if chance < 1 else {480.0})
    assert near([o.exposure_time for o in outcomes], 255 + chance * 225)
    assert near([o.failed_requests for o in outcomes], 200 * (255 + chance * 225))
    assert {o.peak_exposure for o in outcomes} == ({0.25, 1.0} if chance < 1 else {1.0})
    good = play(scenario, 50, bad=False)
    assert {o.failed_requests for o in good} == {0}
    assert {round(o.time_to_deploy, 6) for o in good} <= {7800.0, 8100.0}


def test_a_slip_overloads_what_was_prepared_for_a_step() -> None:
    """Two of ten new instances are there when everybody comes: they carry 20 % of the 1 000 at full
    load, for 300 s, although the release is good."""
    steps = "[{weight: 10%, bake: 600s, approve: 0s}, {weight: 20%, bake: 600s}]"
    scenario = given(
        {"failures.slip": "100%", "response.page.decide": "300s"},
        service="utilisation: 100%",
        strategy=f"canary: {{steps: {steps}}}",
    )
    assert near([o.failed_requests for o in play(scenario, 20, bad=False)], 1000 * 0.8 * 300)


def test_a_slip_in_a_wave_and_of_a_flag() -> None:
    """A wave of half of the users, or a flag for a tenth of them, reaches everyone for 300 s; seen
    after 900 s and decided 300 s later (without the slip: 900 + 300 s at the step's weight)."""
    flag = "feature_flag: {steps: [{weight: 10%, bake: 3h}], poll: 0s, covered: 100%}"
    for strategy, weight in (("phased: {waves: [50%, 50%], bake: 3h}", 0.5), (flag, 0.1)):
        for slip, exposed in (("0%", 1200 * weight), ("100%", 300 + 900 * weight)):
            scenario = given({"failures.slip": slip}, strategy=strategy, **noticed(900, 300))
            (outcome,) = play(scenario, 1)
            assert outcome.exposure_time == pytest.approx(exposed)


def test_a_slip_installs_everything_twice() -> None:
    """In place the outage is twice as long."""
    scenario = given({"failures.slip": "100%"}, service="install: 90s", strategy="big_bang: {}")
    outcomes = play(scenario, 20, bad=False)
    assert {o.outage for o in outcomes} == {180.0}
    assert near([o.failed_requests for o in outcomes], 1000 * 180)


STUCK = {"response.overdue": "30m", "response.page.acknowledge": "60s"}


def test_nobody_sees_a_rollout_that_hangs_until_it_is_overdue() -> None:
    """Three of nine instances are replaced by ones that never start, at 75 %: 11.1 % are rejected
    until somebody looks after 30 min, acknowledges and decides: r x 0.111 x (1 800 + 60 + 300)."""
    scenario = given(
        STUCK,
        instances=9,
        service="utilisation: 75%",
        defect="{kind: crash}",
        detection="health: none",
        response="page: {decide: 300s}",
        strategy="rolling: {batch: 3, mode: batch}",
    )
    outcomes = play(scenario, 30)
    assert {(o.outcome, o.caught_by) for o in outcomes} == {("stuck", "operator")}
    exact = 1000 * oracles.rejected_in_place(0.75, 1 / 3) * (1800 + 60 + 300)
    assert near([o.failed_requests for o in outcomes], exact)
    assert {o.peak_exposure for o in outcomes} == {0.0}


def test_on_a_saturday_it_hangs_for_longer() -> None:
    """Everybody who looks and decides is three times as slow: 1 800 + 3 x (60 + 300) s."""
    words = {"page.off_hours": "3", "page.acknowledge": "60s", "page.decide": "300s"}
    scenario = given(
        {f"response.{key}": value for key, value in words.items()} | {"response.overdue": "30m"},
        defect="{kind: crash}",
        detection="health: none",
        traffic="start_at: Sat 12:00",
    )
    assert {o.ended for o in play(scenario, 3)} == {1800.0 + 3 * 360}


@pytest.mark.parametrize(
    "strategy",
    [
        "canary: {}",
        "rolling: {batch: 2, surge: 2}",
        "blue_green: {}",
        SWITCH,
        "immutable: {}",
        "shadow: {}",
        "feature_flag: {ship: {kind: canary}}",
        "linear: {}",
    ],
)
def test_with_health_it_would_have_been_seen(strategy: str) -> None:
    """Starts that never succeed are a detection by health after the second timeout; without it the
    rollout is stuck and found by the operator. Beside a fleet that goes on serving neither harms
    anybody, and the second one takes more than 30 min longer."""
    words = {"service": "startup: 30s, start_failure: {timeout: 2m}", "defect": "{kind: crash}"}
    (seen,) = play(bare(strategy=strategy, **words), 1)
    (stuck,) = play(given(STUCK, detection="health: none", strategy=strategy, **words), 1)
    assert (seen.outcome, seen.caught_by) == ("rolled_back", "health")
    assert (stuck.outcome, stuck.caught_by) == ("stuck", "operator")
    assert seen.failed_requests == stuck.failed_requests == 0
    assert stuck.ended >= 1860 > seen.ended
    assert math.isinf(stuck.time_to_deploy) or math.isnan(stuck.time_to_deploy)
