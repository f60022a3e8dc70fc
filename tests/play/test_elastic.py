"""A service without instances: what limits it, what it costs, and who can release it."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom

from simulator.play.rehearsal import prepare, rehearse
from simulator.words import dump, loads
from simulator.words.problems import ScenarioError
from simulator.words.reading import load
from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play
from tests.play.test_judge import fails_above

FUNCTIONS = "elastic: true, concurrency: 100, service_time: 100ms"
BY_WEIGHT = [
    "big_bang: {in_place: false}",
    "canary: {}",
    "linear: {}",
    "blue_green: {}",
    "ab_test: {duration: 20m}",
    "phased: {}",
    "parallel_adoption: {overlap: 1h}",
    "shadow: {}",
    "feature_flag: {ship: {kind: big_bang, in_place: false}}",
]
BY_INSTANCES = [
    "big_bang: {}",
    "rolling: {}",
    "immutable: {}",
    "rate_controlled: {}",
    "canary: {promote: rolling}",
    "phased: {within: {kind: rolling}}",
    "shadow: {then: {kind: rolling}}",
    "feature_flag: {}",
]


def elastic(service: str = FUNCTIONS, **words: str):  # type: ignore[no-untyped-def]
    """A bare scenario of an elastic service that carries 1000 requests/s, and gets 900."""
    return bare(**{"service": service, "rate": "rate: 900 rps", **words})


def test_an_alias_canary_at_two_requests_a_second_sees_one_defect_in_three() -> None:
    """Canary10Percent5Minutes: 60 requests with 2 % errors, at least two of them in 33.8 % of cases
    (binomial); played, with Poisson numbers, the judge fails as often as its sum says."""
    scenario = bare(
        rate="rate: 2 rps",
        service="elastic: true",
        defect="{kind: errors, rate: 2%}",
        detection="judge: {test: threshold, above: 2.5%}",
        strategy="canary: {steps: [{weight: 10%, bake: 5m}]}",
    )
    outcomes = play(scenario, 1500, seed=5)
    share = sum(o.caught_by == "judge" for o in outcomes) / len(outcomes)
    exact = fails_above(60, 0.02, 0.025)
    assert abs(share - exact) < 4 * math.sqrt(exact * (1 - exact) / len(outcomes))
    assert binom.sf(1, 60, 0.02) == pytest.approx(0.338, abs=5e-4)
    assert all(o.extra_cost == o.peak_instances == 0 for o in outcomes)
    assert rehearse(scenario, "canary").duration == 300


@pytest.mark.parametrize("strategy", BY_WEIGHT)
def test_weights_need_no_instances(strategy: str) -> None:
    """Nothing is started, nobody is harmed by a good release, and no instance is paid for; copies
    need room, which is there."""
    scenario = elastic("elastic: true, concurrency: 1000, service_time: 100ms", strategy=strategy)
    plan = rehearse(scenario, scenario.planned)
    assert plan.suitable
    assert plan.instances == 0
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.outcome == "deployed"
    assert outcome.failed_requests == outcome.extra_cost == outcome.peak_instances == 0


@pytest.mark.parametrize("strategy", BY_INSTANCES)
def test_instances_that_are_not_there_cannot_be_replaced(strategy: str) -> None:
    scenario = elastic(strategy=strategy)
    assert rehearse(scenario, scenario.planned).reasons == (
        "replaces instances, an elastic service has 0",
    )


def test_both_versions_share_the_concurrency() -> None:
    """900 rps of which a half takes three times as long: in flight 900 x 0.1 s x (0.5 + 1.5) = 180
    of 100, so that 1 - 100/180 of all requests are rejected, on both versions, for five minutes."""
    scenario = elastic(
        defect="{kind: slow, factor: 3, rate: 0%}",
        detection="noticed: {after: 5m}",
        strategy="canary: {steps: [{weight: 50%, bake: 10m}]}",
    )
    expected = 900 * (1 - 100 / 180) * 300
    outcomes = play(scenario, 30)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert abs(mean - expected) < 4 * error
    assert outcomes[0].expected_failed_requests == pytest.approx(expected)
    assert outcomes[0].min_headroom == pytest.approx(100 / 180 - 1)


@pytest.mark.parametrize(
    "traffic", ["", ", daily: {mean: 900 rps, peak: 900.001 rps, peak_at: 14:00}"]
)
@pytest.mark.parametrize("router", ["", "{dns: {ttl: 100s, ignore: 0%, propagation: 0s}}"])
def test_a_limit_is_shared_while_clients_move(traffic: str, router: str) -> None:
    """All to a version three times as slow over `ttl`: in flight 90 (1 + 2 w); over the limit from
    w = 1/18 on, rejected 900 (1 - (10/9) / (1 + 2w)) requests/s, there and back; at once without
    DNS. A change that harms is noticed `after` it was made."""
    scenario = elastic(
        rate="rate: 900 rps" if not traffic else traffic[2:],
        defect="{kind: slow, factor: 3, rate: 0%}",
        detection="noticed: {after: 100s}",
        strategy="blue_green: {smoke: none}",
    )
    if router:
        scenario = scenario.with_("router", router).with_("response.page.decide", "0s")
    (outcome,) = play(scenario, 1)
    low = 1 / 18

    def rejected(a: float, b: float) -> float:
        part = math.log((1 + 2 * b) / (1 + 2 * a)) / 2
        return 900 * 100 * ((b - a) - 10 / 9 * part)

    if router:
        assert outcome.expected_failed_requests == pytest.approx(2 * rejected(low, 1), rel=1e-3)
    else:
        expected = 900 * (1 - 10 / 27) * 100
        assert outcome.expected_failed_requests == pytest.approx(expected, rel=1e-5)


def test_copies_are_paid_for_by_the_request() -> None:
    """A quarter of 900 rps for an hour at 0.0001 each: 81 in all."""
    scenario = elastic(
        "elastic: true, concurrency: 1k, service_time: 100ms, cost_per_request: 0.0001",
        strategy="shadow: {share: 25%, duration: 1h, then: {kind: canary}}",
    )
    assert play(scenario, 1, bad=False)[0].extra_cost == pytest.approx(81)


def test_code_that_crashes_fails_its_requests() -> None:
    """No start fails where nothing starts: a tenth of the requests does for five minutes."""
    scenario = elastic(
        defect="{kind: crash}",
        detection="noticed: {after: 5m}",
        strategy="canary: {steps: [{weight: 10%, bake: 10m}]}",
    )
    outcome = play(scenario, 1)[0]
    assert outcome.expected_failed_requests == pytest.approx(90 * 300)
    assert outcome.outage == 0


def test_a_leak_begins_with_the_first_traffic() -> None:
    """Ten minutes of green without traffic do not count: harm begins `onset` after the switch."""
    scenario = elastic(
        defect="{kind: leak, onset: 5m, ramp: 0s, rate: 50%}",
        detection="noticed: {after: 1m}",
        strategy="blue_green: {smoke: {for: 10m, catches: 0%}, bake: 1h}",
    )
    outcome = play(scenario, 1)[0]
    assert outcome.exposure_time == pytest.approx(360)
    assert outcome.expected_failed_requests == pytest.approx(900 * 0.5 * 60)


def test_what_is_assumed_of_it_and_what_it_does_not_need() -> None:
    text = (
        "version: 1\nservice: {elastic: true}\ntraffic: {rate: 2 rps}\nstrategies: {canary: {}}\n"
    )
    scenario = loads(text)
    assert scenario.capacity_per_instance == 10_000
    assumed = {row.path for row in scenario.assumed if row.path.startswith("service.")}
    assert "service.concurrency" in assumed
    assert not assumed & {f"service.{key}" for key in ("instances", "startup", "cost", "drain")}
    again = loads(dump(scenario))
    assert again.sha256 == scenario.sha256
    assert again.notes == scenario.notes == ()
    busy = scenario.with_("service.utilisation", "50%")
    assert busy.capacity_per_instance == pytest.approx(4)
    (note,) = load("web-shop", sets=["service.elastic=true"]).notes
    assert "without effect: service.instances, service.capacity, service.startup" in note


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("concurrency: 5", "concurrency needs elastic: true"),
        ("cost_per_request: 1", "cost_per_request needs elastic: true"),
        ("elastic: true, concurrency: 5", "concurrency needs service_time"),
    ],
)
def test_half_an_elastic_service_is_refused(service: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        elastic(service)


def copied(concurrency: int, share: str = "100%") -> Scenario:
    """Half of 1000 environments are busy; a shadow that copies everything makes all of them so."""
    return loads(
        f"""version: 1
profile: bare
service: {{elastic: true, concurrency: {concurrency}, service_time: 120ms}}
traffic: {{rate: 4000 rps, users: 50k}}
change: {{defects: [{{kind: slow, rate: 5%, factor: 3}}]}}
detection: {{noticed: {{after: 5m}}}}
strategies: {{shadow: {{share: {share}, duration: 1h}}}}
"""
    )


def test_what_a_slow_copy_takes_from_a_shared_concurrency_is_harm_that_is_noticed() -> None:
    """480 in flight and 3 x 480 of the copies: of 1920 1000 are carried, 47.9 % is rejected from
    the first copy on, and whoever notices harm does so five minutes later."""
    scenario = copied(1000)
    assert prepare(scenario, "shadow").reasons == ()
    (found,) = play(scenario, 1)
    assert found.time_to_detect == pytest.approx(300)
    assert found.caught_at == "shadow"
    expected = 4000 * (1 - 1000 / 1920) * 300
    assert found.expected_failed_requests == pytest.approx(expected, rel=1e-6)


def test_copies_that_a_concurrency_cannot_carry_make_a_shadow_unsuitable() -> None:
    """960 in flight where 900 can be: 8000 requests/s of which 7500 are carried."""
    (reason,) = prepare(copied(900), "shadow").reasons
    assert reason.startswith(
        "copies 100 % of up to 4000 requests/s, and the concurrency carries 7500/s"
    )
    assert prepare(copied(900, "50%"), "shadow").reasons == ()


def test_a_service_that_is_overloaded_anyway_is_told_so() -> None:
    notes = copied(400).notes
    assert any(
        note.startswith("overloaded with nothing deployed: 4000 requests/s come in the busiest")
        for note in notes
    )
    assert not any("nothing deployed" in note for note in copied(500).notes)
