"""The five cut-overs of blue/green: how traffic moves, how it comes back, what it costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.play.course import AtOnce, Course, Registering
from simulator.play.fault import GOOD
from simulator.play.fleet import NEW, OLD
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate, run
from simulator.words.cutover import method
from simulator.words.reading import load
from simulator.words.scenario import Scenario
from tests.answers import oracles_platforms as platforms
from tests.play.playing import bare, play

SERVICE = "startup: 100s, install: 60s, drain: 0s, cost: 1/h, zones: 3"


def by(method: str, more: str = "", **words: str) -> Scenario:
    return bare(
        service=words.pop("service", SERVICE),
        strategy=f"blue_green: {{smoke: none, cutover: {method}, {more}}}",
        **words,
    )


def test_half_of_the_group_by_the_middle_of_the_check() -> None:
    """u of n instances take part: u / (1 + u) of the traffic, n times that is half in the end."""
    course = Course(Registering(30.0, 1.0))
    course.change(0.0, 0.5)
    assert course.at(np.array([0.0, 15.0, 30.0, 99.0])) == pytest.approx([0, 1 / 3, 0.5, 0.5])


@pytest.mark.parametrize("favour", [0.25, 1.0, 4.0])
def test_the_area_under_a_registration(favour: float) -> None:
    """The closed form against the trapezoid rule on 100 001 points, 1e-8 relative."""
    response, x = Registering(30.0, favour), np.linspace(0.0, 40.0, 100_001)
    assert response.area(x)[-1] == pytest.approx(np.trapezoid(response.share(x), x), rel=1e-8)


@pytest.mark.parametrize(("start", "end"), [(7.0, 25.0), (40.0, 41.0)])
def test_a_change_at_once_ends_a_registration(start: float, end: float) -> None:
    """Up to the change as it would have gone on, then everything; the area against the trapezoid
    rule on 100 001 points, before it, across it and after it."""
    course = Course(Registering(30.0, 1.0))
    course.change(start, 0.5)
    course.response = AtOnce()
    course.change(end, 1.0)
    u = min((end - 1e-6 - start) / 30, 1)
    shares = course.at(np.array([start, end - 1e-6, end, end + 60]))
    assert shares == pytest.approx([0, u / (1 + u), 1, 1], abs=1e-6)
    assert course.settled() == end
    for upto in (end - 0.5, end + 3, end + 50):
        x = np.linspace(0.0, upto, 100_001)
        area = float(course.trailing(np.array([upto]), upto)[0]) * upto
        assert area == pytest.approx(np.trapezoid(course.at(x), x), rel=1e-4)


def test_a_registration_and_a_standby_cost_what_a_switch_costs() -> None:
    """Found D after the first harm, decided after R: T (1 - ln 2) seconds at full weight there,
    T ln 2 back, so that the exposure is D + R whatever the interval T of the check."""
    for check in (10, 30, 60):
        scenario = by(
            f"{{swap_group: {{check: {check}s}}}}",
            detection="noticed: {after: 5m}",
            response="page: {decide: 2m}",
        )
        outcome = play(scenario, 1)[0]
        assert outcome.outcome == "rolled_back"
        assert outcome.exposure_time == pytest.approx(420.0, rel=1e-6)
        assert outcome.rollback_90 == pytest.approx(check, abs=1e-6)


def test_a_group_swaps_behind_the_record_that_points_to_it() -> None:
    """No record changes, so its time to live does not matter: back after one check."""
    scenario = by("swap_group", detection="noticed: {after: 5m}").with_("router.dns", "{ttl: 10m}")
    outcome = play(scenario, 1)[0]
    assert outcome.rollback_90 == pytest.approx(30.0)
    assert outcome.exposure_time == pytest.approx(300.0, rel=1e-6)


def test_least_outstanding_requests_draw_traffic_to_what_fails_fast() -> None:
    """20 % fail in a tenth of the time, a request takes 0.82 of it: 1 / 1.82 of the traffic."""
    usual = "algorithm: least_outstanding_requests, beside: 1h, check: 1s"
    assert platforms.favoured(0.2, 0.1) == pytest.approx(1 / 1.82)
    scenario = by(f"{{swap_group: {{{usual}}}}}", detection="noticed: {after: 30m}")
    outcome = play(scenario, 1)[0]
    assert outcome.exposure_when_caught == pytest.approx(platforms.favoured(0.2, 0.1), rel=1e-9)
    even = by("{swap_group: {beside: 1h, check: 1s}}", detection="noticed: {after: 30m}")
    assert play(even, 1)[0].exposure_when_caught == pytest.approx(0.5)


def test_a_slow_start_spreads_the_first_minutes() -> None:
    """Over T = check + slow start T (1 - ln 2) exposed seconds, then 0.5 a second."""
    words = {"detection": "noticed: {after: 599s}"}
    scenario = by("{swap_group: {check: 30s, slow_start: 5m, beside: 1h}}", **words)
    outcome = play(scenario, 1)[0]
    at_once = play(by("{swap_group: {check: 30s, beside: 1h}}", **words), 1)[0]
    spared = (330 - 30) * (0.5 - (1 - math.log(2)))
    assert at_once.exposure_time - outcome.exposure_time == pytest.approx(spared, rel=1e-6)


def test_an_old_group_in_one_zone_costs_new_instances_and_rounds() -> None:
    """Balanced: the old ones leave in one go. All old ones in one of three zones: the group shrinks
    evenly, new ones leave too, and it goes on until no old one is left."""
    even = play(by("replace_instances"), 1, bad=False)[0]
    assert even.time_to_finish == pytest.approx(100.0)
    plan = prepare(by("{replace_instances: {skew: 100%}}"), "blue_green")
    rollout = run(plan, Luck(5), GOOD)
    shrunk = [entry.detail for entry in rollout.journal if entry.verb == "shrink"]
    size = plan.size
    assert shrunk[0][1] > 0
    assert sum(old for old, _ in shrunk) == size
    assert all(
        old + new == again for (old, new), again in zip(shrunk, _rounds(shrunk, size), strict=True)
    )
    assert rollout.fleet.up[OLD] == 0
    assert rollout.fleet.up[NEW] == size
    assert rollout.script_end == pytest.approx(100.0 * len(shrunk))


def _rounds(shrunk: list[tuple[int, int]], size: int) -> list[int]:
    """Instances started in each round: as many as old ones are left."""
    found, left = [], size
    for old, _ in shrunk:
        found.append(left)
        left -= old
    return found


def test_pooled_metrics_hide_half_of_a_defect() -> None:
    """1.5 % on new instances that are half of the group is 0.75 % of it, below the alarm's 1 %; an
    alarm that tells the versions apart sees 1.5 %. Instances start over 8 minutes."""
    words: dict[str, str] = {
        "service": "startup: {uniform: {low: 1m, high: 9m}}, install: 60s, drain: 0s, cost: 1/h",
        "detection": "alarms: [{above: 1%, period: 1m, datapoints: 1 of 1, delay: 0s}]",
        "defect": "{kind: errors, rate: 1.5%}",
    }
    pooled = play(by("replace_instances", **words), 20)
    apart = play(by("{replace_instances: {metrics: per_version}}", **words), 20)
    first = np.mean([o.exposure_when_caught for o in pooled])
    assert np.mean([o.exposure_when_caught for o in apart]) < 0.2
    assert first > 0.4


def test_a_url_swapped_and_blue_deleted_at_once_loses_half_a_time_to_live() -> None:
    """r TTL / 2 requests, within 4 standard errors of a Poisson count."""
    for ttl in (60, 300):
        record = f"ttl: {ttl}s, ignore: 0%, propagation: 0s, create: 0s"
        scenario = by(f"{{swap_url: {{{record}}}}}", "keep_old: 0s")
        exact = platforms.left_behind(scenario.traffic.mean, ttl, 0)
        failed = [outcome.failed_requests for outcome in play(scenario, 10, bad=False)]
        assert abs(np.mean(failed) - exact) < 4 * math.sqrt(exact / 10)


def test_weights_of_a_record_move_in_steps() -> None:
    """Half, then all 10 minutes later, TTL 60 s: found after 5 minutes it costs 0.5 r p (D + R)."""
    record = "weights: [50%, 100%], every: 10m, ttl: 60s, ignore: 0%, propagation: 0s"
    scenario = by(
        f"{{dns: {{{record}}}}}",
        detection="noticed: {after: 5m}",
        response="page: {decide: 1m}",
    )
    outcome = play(scenario, 1)[0]
    assert outcome.peak_exposure == pytest.approx(0.5)
    assert outcome.exposure_time == pytest.approx(0.5 * 360.0, rel=1e-6)


def test_each_of_the_five_has_its_own_way_back_and_price() -> None:
    """One passed check; new starts; a record's answers. The copied stack costs most."""
    scenario = (
        load("five-cutovers").with_("service.startup", "200s").with_("service.warm_up", "none")
    )
    found = {}
    for name in scenario.strategies:
        plan, luck = prepare(scenario, name), Luck(1)
        rows = []
        for number in range(20):
            luck.rekey(number)
            rows.append(replicate(plan, luck, scenario.change.defects[0]))
        rows = [row for row in rows if row.outcome == "rolled_back" and row.exposure_time > 0]
        back = np.nanmedian([row.rollback_90 for row in rows])
        luck.rekey(0)
        good = replicate(plan, luck, None)
        found[name] = (back, good.extra_cost, good.time_to_deploy)
    back = {name: values[0] for name, values in found.items()}
    assert back["swap group"] <= 30 < back["dns"] < back["replace instances"]
    assert back["replace instances"] == pytest.approx(200, abs=1)
    assert back["dns"] == pytest.approx(back["swap url"], rel=0.2)
    cost = {name: values[1] for name, values in found.items()}
    assert max(cost, key=cost.__getitem__) == "clone stack"
    assert min(cost, key=cost.__getitem__) == "replace instances"


OTHER = {
    "dns": {
        "ttl": "10m",
        "ignore": "50%",
        "ignore_for": "3h",
        "propagation": "5m",
        "weights": "[50%, 100%]",
        "every": "20m",
    },
    "swap_group": {
        "check": "10s",
        "beside": "10m",
        "slow_start": "5m",
        "algorithm": "least_outstanding_requests",
        "failing_takes": "50%",
    },
    "replace_instances": {
        "metrics": "per_version",
        "skew": "100%",
        "standby": "true",
        "check": "10s",
    },
    "swap_url": {
        "ttl": "10m",
        "ignore": "50%",
        "ignore_for": "3h",
        "propagation": "5m",
        "create": "20m",
    },
    "clone_stack": {
        "ttl": "10m",
        "ignore": "50%",
        "ignore_for": "3h",
        "propagation": "5m",
        "other_layers": "9",
        "setup": "20m",
        "deploy": "20m",
    },
}
BESIDE = {
    ("dns", "every"): "weights: [50%, 100%]",
    ("swap_group", "slow_start"): "beside: 10m",
    ("swap_group", "failing_takes"): "algorithm: least_outstanding_requests, beside: 10m",
    ("swap_group", "algorithm"): "beside: 10m",
    ("replace_instances", "check"): "standby: true",
}


@pytest.mark.parametrize(("name", "key"), [(m, key) for m, keys in OTHER.items() for key in keys])
def test_every_setting_of_a_method_matters(name: str, key: str) -> None:
    """Changing it alone changes what a good or a bad release comes to."""
    beside = BESIDE.get((name, key), "")
    words = {
        "service": "startup: {uniform: {low: 1m, high: 9m}}, drain: 30s, cost: 1/h, zones: 3",
        "detection": "alarms: [{above: 1%, delay: 0s}]",
        "defect": "{kind: errors, rate: 1.5%}",
    }
    usual = by(f"{{{name}: {{{beside}}}}}" if beside else name, **words)
    more = f"{beside}, " if beside else ""
    changed = by(f"{{{name}: {{{more}{key}: {OTHER[name][key]}}}}}", **words)
    assert any(
        repr(play(usual, 3, bad=bad)) != repr(play(changed, 3, bad=bad)) for bad in (False, True)
    )


def test_every_setting_of_a_method_is_listed() -> None:
    for name, keys in OTHER.items():
        assert set(keys) == set(type(method(name)).model_fields)  # type: ignore[arg-type]
