"""Where the recommendation changes, against the crossing of two straight lines."""

from __future__ import annotations

import pytest

from simulator.decide.advice import Options, compare
from simulator.decide.flip import (
    CHANCE,
    DELAY,
    Search,
    assumed,
    checked,
    flips,
    number_at,
    search,
    searched_flips,
)
from simulator.findings.comparison import simulate
from simulator.findings.reconsider import reconsidered
from simulator.findings.results import Results
from simulator.findings.verdict import ranking
from simulator.words.problems import ScenarioError
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: bare
service: {instances: 10, capacity: 50 rps, startup: 60s}
traffic: {rate: 200 rps, users: 30k}
change: {defect_probability: 5%, defects: [{kind: errors, rate: 20%}]}
detection:
  alarms: [{watch: new, metric: errors, above: 5%, period: 1m, minimum_requests: 20}]
response: {automatic: watched, watch: 15m, decide: 10s, fix: 1h, retry: 1h}
follow_up: 2h
costs: {failed_request: 0.02}
strategies:
  switch: {kind: big_bang, in_place: false}
  canary: {steps: [{weight: 5%, bake: 30m}]}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return simulate(scenario, 100, seed=1)


def _lines(results: Results, figure: str) -> dict[str, tuple[float, float]]:
    """Mean given a good and given a bad release, of each strategy."""
    found = {}
    for name, risk in results.risk().items():
        good, bad = risk.given_good.mean(figure), risk.given_defect.mean(figure)
        assert good is not None
        assert bad is not None
        found[name] = (good, bad)
    return found


def test_the_price_of_an_hour_at_which_the_quick_one_wins(results: Results) -> None:
    """Loss is linear in the price of delay: the lines cross at (L_canary - L_switch) /
    (T_switch - T_canary) an hour; the bisection is 1 % wide."""
    assert ranking(results)[0] == "canary"
    risk = results.risk()
    loss = {name: risk[name].all.mean("loss") or 0.0 for name in risk}
    time = {name: (risk[name].all.mean("time_to_value") or 0.0) / 3600 for name in risk}
    exact = (loss["switch"] - loss["canary"]) / (time["canary"] - time["switch"])
    found = next(f for f in flips(results, "canary") if f.path == DELAY)
    assert found.flips_at == pytest.approx(exact, rel=0.011)
    assert (found.now, found.to) == (0.0, "switch")


def test_the_chance_of_a_defect_at_which_it_flips(scenario: Scenario) -> None:
    """With delay at 0.5 an hour: p x bad + (1 - p) x good is equal for both at one p."""
    results = simulate(scenario.with_("costs.delay", "0.5/h"), 100, seed=1)
    lines = _lines(results, "loss")
    assert ranking(results)[0] == "canary"
    good = lines["canary"][0] - lines["switch"][0]
    bad = lines["switch"][1] - lines["canary"][1]
    turns = checked(flips(results, "canary"), "canary", results)
    found = next(f for f in turns if f.path == CHANCE)
    assert found.flips_at == pytest.approx(good / (good + bad), rel=0.011)
    assert found.to == "switch"
    assert found.verified


def test_a_price_needs_no_new_replications(scenario: Scenario, results: Results) -> None:
    high = scenario.with_("costs.failed_request", 0.5)
    dearer = simulate(high, 100, seed=1)
    for name, risk in reconsidered(results, high).risk().items():
        assert risk.all.mean("loss") == pytest.approx(dearer.risk()[name].all.mean("loss"))


def test_any_setting_is_searched_by_bisection(scenario: Scenario) -> None:
    """On both sides of where it flips, side studies have different leaders."""
    dear = scenario.with_("costs.delay", "0.5/h")
    results = simulate(dear, 60, seed=1)
    path = "change.defects[0].rate"
    (found,) = searched_flips(results, "canary", [Search(path, "0.1%", "50%")])
    assert found.to == "switch"
    assert 0.001 < found.flips_at < 0.2
    for value, leader in ((found.flips_at * 1.3, "canary"), (found.flips_at / 1.3, "switch")):
        assert ranking(simulate(dear.with_(path, value), 60, seed=1))[0] == leader


def test_searches_are_checked_first(scenario: Scenario) -> None:
    assert search(scenario, "response.watch", "5m", "1h").low == "5m"
    assert number_at(scenario, "response.watch") == 900.0
    with pytest.raises(ValueError, match="is not below"):
        search(scenario, "response.watch", "1h", "5m")
    with pytest.raises(TypeError, match="no number"):
        search(scenario, "name", "a", "b")
    with pytest.raises(ScenarioError):
        search(scenario, "response.wait", "5m", "1h")


def test_assumptions_without_a_range_of_numbers_are_left_out() -> None:
    whole = loads(
        "version: 1\nservice: {instances: 4}\ntraffic: {rate: 9 rps}\nstrategies: {canary: {}}"
    )
    assert all(s.low != s.high for s in assumed(whole))


def test_a_comparison_tells_what_was_searched(scenario: Scenario) -> None:
    wanted = Options(paces=(1.0,), assumptions=False, flips=[Search("follow_up", "1h", "1d")])
    found = compare(scenario, 30, seed=1, options=wanted)
    assert found.searched == (Search("follow_up", "1h", "1d"),)
