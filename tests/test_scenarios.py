"""The packaged scenarios: each reads, writes, plays, and teaches what it says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.findings.comparison import simulate
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.words.reading import load, loads, packaged, packaged_folder
from simulator.words.writing import dump

NAMES = packaged()


def test_they_are_all_there() -> None:
    wanted = {
        *("textbook", "web-shop", "payroll-cutover"),
        *("quiet-api", "busy-fleet", "daily-traffic", "canary-blind"),
        *("flip-slow-detection", "flip-mixed-versions", "flip-sync-error"),
        *("flip-dns-ttl", "flip-in-place"),
    }
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_a_question_and_names_its_schema(name: str) -> None:
    text = (packaged_folder() / f"{name}.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    assert load(name).question.endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_written_out_it_is_the_same(name: str) -> None:
    scenario = load(name)
    again = loads(dump(scenario), folder=str(packaged_folder()))
    assert again.resolved() == scenario.resolved()
    assert again.sha256 == scenario.sha256


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_plays_every_kind_of_release(name: str) -> None:
    scenario = load(name)
    change = scenario.change
    for strategy in scenario.strategies:
        plan, luck = prepare(scenario, strategy), Luck(1)
        for defect in (None, *change.defects):
            for number in range(2):
                luck.rekey(number)
                outcome = replicate(plan, luck, defect, "x")
                assert outcome.failed_requests >= 0
                assert 0 <= outcome.users_harmed <= 1
                assert outcome.ended <= plan.limit


def test_in_the_web_shop_people_catch_a_third_of_the_bad_releases() -> None:
    """30 to 40 %, weighted by the default mix, over the shop's strategies (29 % of severe
    incidents at a large service were reported by external users, 10 % internally); n = 60 per
    stratum group, standard error below 1.5 points. Parallel adoption is left out: its users get
    the old version's answers until the cut-over, so they have nothing to report."""
    scenario = load("web-shop")
    names = [name for name in scenario.strategies if name != "parallel_adoption"]
    risk = simulate(scenario, 60, seed=3, names=names).risk()
    shares = [risk[name].given_defect.proportion("caught_by", "people").value for name in names]
    assert 0.30 <= float(np.mean([share or 0.0 for share in shares])) <= 0.40


def test_in_the_quiet_api_a_smaller_first_step_exposes_more() -> None:
    """1 % for half an hour sees 36 requests, 10 % sees 360: the smaller step misses most."""
    risk = simulate(load("quiet-api"), 300, seed=1).risk()
    small = risk["1 %, 30 min"].given_defect.peak_exposure.mean
    large = risk["10 %, 30 min"].given_defect.peak_exposure.mean
    assert small.low is not None
    assert large.high is not None
    assert small.low > large.high


def test_a_peak_harms_as_many_more_as_come() -> None:
    """A defect noticed 10 minutes after its first harm: failed requests at a peak and at a trough
    differ by the ratio of the integrated rates, within 4 standard errors."""
    means = {}
    for start in ("Tue 13:00", "Tue 1:00"):
        scenario = load(
            "daily-traffic",
            sets=[
                f'traffic.start_at="{start}"',
                "profile=bare",
                "detection={noticed: {after: 10m}}",
                "change={defect_probability: 5%, defects: [{kind: errors, rate: 20%}]}",
                "strategies={switch: {kind: big_bang, in_place: false}}",
                "planned=switch",
                "response={automatic: always}",
            ],
        )
        plan, luck = prepare(scenario, "switch"), Luck(1)
        found = []
        for number in range(100):
            luck.rekey(number)
            outcome = replicate(plan, luck, scenario.change.defects[0], "x")
            found.append(outcome.failed_requests)
        exact = 0.2 * float(scenario.traffic.integral(np.array([0.0, 600.0]))[0])
        assert abs(np.mean(found) - exact) < 4 * math.sqrt(exact / len(found))
        means[start] = np.mean(found)
    assert means["Tue 13:00"] > 5 * means["Tue 1:00"]


def test_two_weeks_of_a_real_load_balancer(shared: Path) -> None:
    """Deployed at a peak and at a trough of measured traffic. Harm lasts from the switch at 100 s
    until it is found 10 minutes later and the old version, given back by then, has started again
    in another 100 s: failed requests differ by the ratio of the integrated rates, within 2 %."""
    file = shared / "data" / "elb_request_count_5min.csv"
    failed, exact = {}, {}
    for start in ("2014-04-10 14:00:00", "2014-04-11 06:00:00"):
        scenario = load(
            "web-shop",
            sets=[
                f"traffic={{trace: {{file: {file}, time: timestamp, value: value, per: 5m, "
                f'scale: 2000}}, users: 250k, start_at: "{start}"}}',
                "detection={noticed: {after: 10m}, alarms: none, people: none}",
                "service.errors=none",
                "service.incidents=none",
                "service.warm_up=none",
                "change.defects=[{kind: errors, rate: 20%}]",
                "response.page={acknowledge: 0s, decide: 0s, off_hours: 1}",
                "strategies={switch: {kind: big_bang, in_place: false}}",
                "objectives=[]",
                "planned=switch",
                "service.startup=100s",
                "service.start_failure={probability: 0%, timeout: 10m}",
            ],
        )
        plan, luck = prepare(scenario, "switch"), Luck(1)
        found = []
        for number in range(200):
            luck.rekey(number)
            outcome = replicate(plan, luck, scenario.change.defects[0], "x")
            found.append(outcome.failed_requests)
        failed[start] = float(np.mean(found))
        exact[start] = float(scenario.traffic.integral(np.array([100.0, 800.0]))[0])
    peak, trough = failed
    ratio = exact[peak] / exact[trough]
    assert ratio > 5
    assert failed[peak] / failed[trough] == pytest.approx(ratio, rel=0.02)


def test_the_blind_canary_is_seen_late_or_by_an_alarm_of_its_own() -> None:
    """On 5 % the defect is 1 % of the service: 14.4x over 1 h never fires, 6x over 6 h after 3.6 h
    (evaluated each minute, at a random phase); all at once 14.4x fires at the first evaluation at
    or after 259.2 s. Four standard deviations of the counts needed are 150 and 5 s. An alarm on the
    new version needs minutes."""
    scenario = load("canary-blind")
    risk = simulate(scenario, 100, seed=1).risk()
    hour, six = risk["canary, 1 h"].given_defect, risk["canary, 6 h"].given_defect
    assert hour.proportion("caught_at", "5%").value == 0
    assert six.proportion("caught_at", "5%").value == 1
    detect = six.values("time_to_detect")
    assert 12_960 - 150 <= detect.min() <= detect.max() <= 12_960 + 60 + 150
    once = risk["all at once"].given_defect.values("time_to_detect")
    assert 259.2 - 5 <= once.min() <= once.max() <= 259.2 + 60 + 5
    seen = simulate(scenario.with_("detection.alarms", "[{watch: new, above: 1%}]"), 100, seed=1)
    assert seen.risk()["canary, 1 h"].given_defect.values("time_to_detect").max() <= 120
