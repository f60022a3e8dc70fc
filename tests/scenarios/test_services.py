"""Services that an architect recognises: short to describe, and each with a figure of its own."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from simulator.decide.advice import conclude
from simulator.findings.comparison import simulate
from simulator.findings.power import sights
from simulator.findings.results import Results
from simulator.findings.verdict import ranking, thresholds
from simulator.play.luck import Luck
from simulator.play.outcome import Outcome
from simulator.play.rehearsal import prepare, rehearse
from simulator.play.replication import replicate
from simulator.report.headlines import rows
from simulator.words.reading import load, loads, packaged, packaged_folder

NEVER = """
version: 1
profile: bare
service: {instances: 4, capacity: 25 rps, startup: 1m, warm_up: {for: 10m, capacity: 50%}}
traffic: {rate: 80 rps, users: 10k}
detection: {alarms: [{above: 1%}]}
objectives: [time_to_deploy p95 < 1h given good]
strategies: {blue_green: {}}
"""
DAY, HOUR, MINUTE = 86_400.0, 3600.0, 60.0
MOST_LINES = 12
# What a verdict must come to: the strategy, and how many objectives it keeps.
RECOMMENDED = {
    "service-serverless-api": ("10 %, 5 min", 2),
    "service-eks-shop": ("canary of pods", 2),
    "service-queue-worker": ("rolling", 2),
    "service-chat": ("flag", 2),
    "service-mobile-app": ("seven days", 2),
    "service-saas-regions": ("amazon", 2),
    "service-jvm-monolith": ("blue/green, 3 h", 2),
    "service-vendor-product": ("stop and install", 2),
    "service-payroll-nights": ("two a week", 2),
    "service-inference": ("rolling, two more", 2),
}
# Fewer replications a kind of release, and of fewer strategies, where one takes long.
COSTLY = {
    "service-chat": (10, ("canary", "flag")),
    "service-mobile-app": (3, ()),
    "service-queue-worker": (10, ("stop and start", "rolling")),
    "service-eks-shop": (12, ("deployment", "canary of pods")),
}
UNSUITABLE = {
    ("service-serverless-api", "rolling"): "replaces instances, an elastic service has 0",
    ("service-eks-shop", "deployment"): "needs 350 connections, the store takes 300",
    ("service-eks-shop", "blue/green"): "needs 400 connections, the store takes 300",
    ("service-queue-worker", "canary"): "shifts a weight of 5 %, and consumers pull from a queue",
    ("service-vendor-product", "second system"): "needs 4 licences, 3 are there",
    ("service-inference", "blue/green"): "needs 24 instances, limit 16",
}
QUIET = (
    "service.errors=none",
    "service.incidents=none",
    "detection={alarms: none, people: none, audit: none}",
)
STARTS = ("service.warm_up=none", "service.start_failure={probability: 0%, timeout: 3h}")


@cache
def played(name: str) -> Results:
    count, names = COSTLY.get(name, (25, ()))
    return simulate(load(name), count, seed=1, names=names, fewest=count)


def good(name: str, strategy: str, *sets: str, count: int = 20) -> list[Outcome]:
    """Good releases of one strategy, nothing drawn from the study."""
    plan, luck = prepare(load(name, sets=list(sets)), strategy), Luck(1)
    found = []
    for number in range(count):
        luck.rekey(number)
        found.append(replicate(plan, luck, None, "x"))
    return found


def test_all_of_them_are_here() -> None:
    assert set(RECOMMENDED) == {name for name in packaged() if name.startswith("service-")}


@pytest.mark.parametrize("name", RECOMMENDED)
def test_twelve_lines_describe_it(name: str) -> None:
    lines = (packaged_folder() / f"{name}.yaml").read_text("utf-8").splitlines()
    question = next(n for n, line in enumerate(lines) if line.startswith("question:"))
    assert 5 <= len(lines[question + 1 :]) <= MOST_LINES
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", RECOMMENDED)
def test_the_verdict(name: str) -> None:
    best, kept = RECOMMENDED[name]
    results = played(name)
    assert ranking(results)[0] == best
    passed = [row.passed for row in thresholds(results) if row.strategy == best]
    assert sum(passed) == kept


@pytest.mark.parametrize(("name", "strategy"), UNSUITABLE)
def test_what_cannot_be_carried_out_says_why_in_numbers(name: str, strategy: str) -> None:
    elastic = ["strategies.rolling={batch: 25%}"] if strategy == "rolling" else []
    scenario = load(name, sets=elastic)
    assert any(UNSUITABLE[name, strategy] in r for r in rehearse(scenario, strategy).reasons)
    assert not rehearse(scenario, RECOMMENDED[name][0]).reasons


def test_copies_of_a_serverless_api_cost_their_price() -> None:
    """4 000/s x 3 600 s x 0.0000004 USD; and its gates can be looked at without instances."""
    for outcome in good("service-serverless-api", "copies for 1 h", *QUIET, count=2):
        assert outcome.extra_cost == pytest.approx(4000 * HOUR * 0.0000004, rel=1e-6)
    seen = sights(load("service-serverless-api"), "copies for 1 h", 1, 10, ("all",), 2)
    assert [sight.gate.phase for sight in seen][:2] == ["shadow", "5%"]


def test_pods_that_just_stop_lose_two_seconds_each() -> None:
    """20 stops of 2 s x rate / pods in service, of which there are 15 to 25 (25 % either way)."""
    name = "service-eks-shop"
    found = [x.failed_requests for x in good(name, "canary of pods", *QUIET, *STARTS)]
    assert 2 * 1200 * 20 / 25 <= np.mean(found) <= 2 * 1200 * 20 / 15


def test_a_stop_shorter_than_the_deadline_harms_nobody() -> None:
    """An outage L of 300 s: nothing is late after 15 min, c r (L - D)/(c - r) is after 60 s."""
    name, outage = "service-queue-worker", "service.install=300s"
    for outcome in good(name, "stop and start", *QUIET, *STARTS, outage, count=5):
        assert outcome.failed_requests == 0
    sets = (*QUIET, *STARTS, outage, "traffic.deadline=60s")
    late = [x.failed_requests for x in good(name, "stop and start", *sets, count=5)]
    assert np.mean(late) == pytest.approx(400 * 250 * (300 - 60) / (400 - 250), rel=0.02)


def test_connections_of_a_chat_come_back_as_they_end() -> None:
    """0.1 = e^(-t/20 min): 46.05 min by weights; a flag takes its poll, 30 s."""
    risk = played("service-chat").risk()
    for name, exact in (("canary", 20 * MINUTE * math.log(10)), ("flag", 30.0)):
        back = risk[name].given_defect.measure("rollback_90", "p50").value
        assert back == pytest.approx(exact, rel=0.01)


def test_an_app_reaches_everybody_as_updates_are_installed() -> None:
    """0.1 % have not yet installed the good version after 1 d x ln 1000; a bad one is repaired
    after 2 d, and installed by 90 % of those who have it after 1 d x ln 10 more, however many. The
    phased one, with Apple's daily shares of 1, 2, 5, 10, 20, 50 and 100 %, harms a sixth of those
    whom the other one harms, at most."""
    results = played("service-mobile-app")
    risk = results.risk()
    deployed = risk["everybody"].given_good.measure("time_to_deploy", "p50").value
    assert deployed == pytest.approx(DAY * math.log(1000), rel=1e-3)
    phased = results.scenario.strategies["seven days"]
    shares = np.cumsum([part.share for part in phased.parts(results.scenario.service)])
    assert shares.tolist() == pytest.approx([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
    scenario = load("service-mobile-app", sets=["response.fix=2d"])
    for name in scenario.strategies:
        plan, luck = prepare(scenario, name), Luck(1)
        outcome = replicate(plan, luck, scenario.change.defects[0], "errors")
        assert outcome.rollback_90 == pytest.approx(2 * DAY + DAY * math.log(10), rel=1e-6)
    harmed = [risk[name].given_defect.users_harmed.mean.value for name in risk]
    assert harmed[0] is not None
    assert harmed[1] is not None
    assert harmed[0] < harmed[1] / 6
    assert [row.passed for row in thresholds(results) if row.strategy == "everybody"] == [
        False,
        True,
    ]


def test_a_store_that_could_call_back_would_let_everybody_have_it_at_once() -> None:
    """With a limit of 1 M failed requests: sent out to everybody at once and taken back by a weight
    a bad release keeps it, although all get it at once; where nothing takes it back it does not."""
    limit = "failed_requests mean < 1M given defect"
    called_back = load(
        "service-mobile-app",
        sets=[
            'strategies={everybody: {kind: phased, waves: ["100%"], bake: 0s}}',
            "planned=everybody",
            f"objectives=[{limit}]",
        ],
    )
    (row,) = thresholds(simulate(called_back, 3, seed=1, fewest=3))
    assert row.passed
    kept = played("service-mobile-app").risk()["everybody"].given_defect
    assert kept.failed_requests.mean.value > 1e6


def test_amazon_schedule_takes_three_days_for_five_cells() -> None:
    """Monday 9:00 a box, 10:00 the rest and 12 h; Tuesday two cells of 1 h + 3 h each, which is the
    working day; Wednesday two more. On each of the four last steps of Wednesday 100 s of starts."""
    sets = (*QUIET, *STARTS, "service.startup=100s")
    (outcome,) = good("service-saas-regions", "amazon", *sets, count=1)
    assert outcome.time_to_deploy == pytest.approx(2 * DAY + 2 * 4 * HOUR + 4 * 100)


@pytest.mark.parametrize(
    ("strategy", "kept"), [("blue/green, 5 min", 300), ("blue/green, 3 h", 10_800)]
)
def test_sessions_of_a_monolith_end_while_the_old_machines_are_kept(
    strategy: str, kept: float
) -> None:
    """400/s x 30 min / 60 = 12 000 sessions, of which e^(-(kept + drain)/30 min) are lost; 20
    releases, four standard errors of a Poisson number."""
    name = "service-jvm-monolith"
    found = [x.failed_requests for x in good(name, strategy, *QUIET, *STARTS)]
    exact = 12_000 * math.exp(-(kept + 300) / 1800)
    assert abs(np.mean(found) - exact) < 4 * math.sqrt(exact / len(found))


def test_a_vendor_installs_in_the_outage() -> None:
    """20 min of the routine and 15 min of installing, nobody served."""
    (outcome,) = good("service-vendor-product", "stop and install", *QUIET, count=1)
    assert outcome.outage == pytest.approx(35 * MINUTE)
    assert outcome.time_to_deploy == pytest.approx(35 * MINUTE)


def test_two_partitions_fit_into_a_window() -> None:
    """3 h less 1 h of cutoff begin two runs of an hour; the other two end 2 h into the next."""
    (outcome,) = good("service-payroll-nights", "two a week", *QUIET, count=1)
    assert outcome.time_to_deploy == pytest.approx(7 * DAY + 2 * HOUR)


def test_machines_that_start_two_at_a_time() -> None:
    """Twelve in six pairs of 8 min."""
    sets = (*QUIET, *STARTS, "service.startup=8m")
    (outcome,) = good("service-inference", "rolling, two more", *sets, count=1)
    assert outcome.time_to_deploy == pytest.approx(6 * 8 * MINUTE)


def test_a_strategy_that_cannot_begin_has_a_row_with_its_reason() -> None:
    scenario = load("service-serverless-api").with_("strategies.rolling", "{batch: 25%}")
    found = conclude(simulate(scenario, 4, names=("10 %, 5 min", "rolling")), confirm=False)
    row = next(row for row in rows(found) if row.strategy == "rolling")
    assert row.note == "replaces instances, an elastic service has 0"
    assert {cell.value for cell in row.cells} == {"-"}


def test_a_release_that_never_deploys_is_not_fast() -> None:
    """Warming up at 50 % of capacity and 80 % load, all good releases are taken back."""
    scenario = loads(NEVER)
    results = simulate(scenario, 20, fewest=5)
    assert results.risk()["blue_green"].given_good.mean("time_to_deploy") is None
    (check,) = thresholds(results)
    assert not check.passed
