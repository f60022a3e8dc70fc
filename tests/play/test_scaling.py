"""Capacity that follows the load: too late up, later down, and what a release meets then."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.play.plan import Plan
from simulator.play.rehearsal import rehearse
from simulator.words import dump, loads
from simulator.words.problems import ScenarioError
from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play

# ten instances of 100 rps, all of them busy
GROUP = "capacity: 100 rps, cost: 1/h, scaling: {min: 2, max: 40, target: 100%}"
BLUE_GREEN = "blue_green: {smoke: none, keep_old: 2h}"
FOUND = "noticed: {after: 1h}"


def scaled(strategy: str = BLUE_GREEN, **words: str | int) -> Scenario:
    """1000 requests/s to a group that is scaled: three minutes up, fifteen down."""
    scenario = bare(**{"service": GROUP, "strategy": strategy, **words})
    return scenario.with_("response.page.decide", "0s")


def test_capacity_follows_with_its_lag() -> None:
    """A spike of twice the load: short of half of it for `up`, too much for `down`; a ramp of slope
    s is short of s x up."""
    spiked = scaled(traffic="spikes: [{at: 1h, lasts: 30m, factor: 2}]")
    scaling = Plan(spiked, spiked.strategies["blue_green"], "blue_green").scaling
    assert scaling is not None
    minutes = np.array([59, 61, 62.9, 63.1, 89, 91, 104.9, 105.1])
    assert scaling.usual(60 * minutes).tolist() == [10, 10, 10, 20, 20, 20, 20, 10]
    daily = scaled(rate="daily: {mean: 1000 rps, peak: 1500 rps, peak_at: 12:00}")
    daily = daily.with_("traffic.start_at", '"Tue 06:00"')
    scaling = Plan(daily, daily.strategies["blue_green"], "blue_green").scaling
    assert scaling is not None
    slope = 500 * 2 * np.pi / 86400
    t = np.array([0.0, 60.0])
    short = np.asarray(daily.traffic.at(t)) - 100 * scaling.usual(t)
    assert short == pytest.approx([180 * slope] * 2, rel=1e-3)


def test_blue_is_scaled_in_while_it_waits() -> None:
    """Cut back after an hour: two instances carry a fifth of the traffic for three minutes; after
    ten minutes blue is still whole."""
    late = scaled(detection=FOUND)
    outcomes = play(late, 40)
    expected = 1000 * (0.2 * 3600 + 0.8 * 180)
    assert outcomes[0].expected_failed_requests == pytest.approx(expected, rel=1e-4)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert abs(mean - expected) < 4 * error
    assert outcomes[0].rollback_time == pytest.approx(180, abs=1)
    (early,) = play(late.with_("detection.noticed.after", "10m"), 1)
    assert early.expected_failed_requests == pytest.approx(1000 * 0.2 * 600, rel=1e-6)
    assert early.rollback_time == pytest.approx(0, abs=1)


def test_a_small_green_meets_everything_at_once() -> None:
    small = scaled("blue_green: {smoke: none, keep_old: 2h, green: scaled}")
    (outcome,) = play(small, 1, bad=False)
    assert outcome.expected_failed_requests == pytest.approx(1000 * 0.8 * 180, rel=1e-6)
    assert outcome.min_headroom == pytest.approx(-0.8)
    # blue leaves eight of its ten after 15 min, for the rest of two hours; green grows after 3 min
    held = 10 * 900 + 2 * (7200 - 900) - 8 * 180
    assert outcome.extra_cost == pytest.approx(held / 3600, rel=1e-3)
    (full,) = play(scaled(), 1, bad=False)
    assert full.expected_failed_requests == 0
    assert full.extra_cost == pytest.approx((10 * 900 + 2 * (7200 - 900)) / 3600, rel=1e-3)


def test_clients_that_follow_a_record_outrun_a_group() -> None:
    """The load of green grows by 1000/3600 rps a second for an hour: short of what came in the last
    three minutes, once more came than its two instances carry."""
    words = "smoke: none, green: scaled, cutover: {dns: {ttl: 1h, ignore: 0%, propagation: 0s}}"
    slope, up, first = 1000 / 3600, 180.0, 200.0
    until = first / slope + up  # until then it carries what the fewest do
    expected = slope * up**2 / 2 + slope * up * (3600 - until) + slope * up**2 / 2
    outcomes = play(scaled(f"blue_green: {{{words}}}"), 1, bad=False)
    assert outcomes[0].expected_failed_requests == pytest.approx(expected, rel=5e-3)


def test_slow_code_costs_instances_instead_of_errors() -> None:
    """Three times as slow, at a target of a half: a third is rejected until green is three times as
    large, and then it costs; where it may not grow a third is rejected until somebody notices."""
    slow = (
        scaled(
            defect="{kind: slow, factor: 3, rate: 0%}",
            detection=FOUND,
            strategy="blue_green: {smoke: none, keep_old: 0s}",
        )
        .with_("service.scaling.target", "50%")
        .with_("service.scaling.max", "100")
    )
    (outcome,) = play(slow, 1)
    # 20 instances carry 2000 of 3000 until 60 are there; blue was retired at once
    assert outcome.expected_failed_requests == pytest.approx(1000 * 180 / 3, rel=1e-4)
    assert outcome.extra_cost == pytest.approx(40 * (3600 - 180) / 3600, rel=0.01)
    assert outcome.peak_instances >= 60
    (tight,) = play(slow.with_("service.scaling.max", "20"), 1)
    assert tight.expected_failed_requests == pytest.approx(1000 * 3600 / 3, rel=1e-4)


def test_a_rolling_update_off_peak_is_quicker() -> None:
    """At the peak 15 instances, at night 5."""
    words = "capacity: 100 rps, startup: 60s, scaling: {min: 2, max: 40, target: 100%}"
    daily = scaled(
        "rolling: {batch: 1, surge: 1}",
        service=words,
        rate="daily: {mean: 1000 rps, peak: 1500 rps, peak_at: 12:00}",
    )
    durations = [
        rehearse(daily.with_("traffic.start_at", f'"Tue {hour}:00"'), "rolling").duration
        for hour in ("12", "00")
    ]
    assert durations == pytest.approx([15 * 60, 6 * 60])
    (outcome,) = play(daily, 1, bad=False)
    assert outcome.failed_requests == 0


def test_a_canary_of_a_group_harms_nobody() -> None:
    for strategy in ("canary: {}", "linear: {every: 2m}", "immutable: {}", "phased: {}"):
        (outcome,) = play(scaled(strategy), 1, bad=False)
        assert outcome.outcome == "deployed"
        assert outcome.expected_failed_requests == pytest.approx(0, abs=1e-6)
        assert outcome.peak_instances <= 40


def test_what_cannot_be() -> None:
    small = scaled("blue_green: {green: scaled}")
    without = small.with_("service.scaling", "none")
    (reason,) = rehearse(without, "blue_green").reasons
    assert "needs service.scaling" in reason
    swapped = small.with_("strategies.blue_green.cutover", "swap_url")
    assert rehearse(swapped, "blue_green").reasons == (reason,)
    assert loads(dump(small)).sha256 == small.sha256
    for scaling, said in (
        ("{min: 5, max: 2}", "exchange them"),
        ("{min: 2, max: 5, up: 1h}", "up is longer than down"),
    ):
        with pytest.raises(ScenarioError, match=said):
            small.with_("service.scaling", scaling)
    with pytest.raises(ScenarioError, match="scaling needs capacity"):
        small.with_("service.capacity", "none")
    (note,) = small.with_("service.scaling.max", "8").notes
    assert "10 instances are needed" in note


def test_a_group_that_keeps_up_is_not_overloaded() -> None:
    """The busiest traffic of the next hour is above what is there now, but not above what will be
    there then; a group that cannot grow is overloaded by it."""
    daily = scaled(rate="daily: {mean: 1000 rps, peak: 2000 rps, peak_at: 12:00}")
    daily = daily.with_("traffic.start_at", '"Tue 06:00"').with_("service.scaling.target", "90%")
    assert play(daily, 1)[0].overloaded == 0
    small = daily.with_("service.scaling.max", 14)
    assert play(small, 1)[0].overloaded == 1
