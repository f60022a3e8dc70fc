"""What comes before a deployment and after a rollback: tests, merges, a search for the culprit."""

from __future__ import annotations

import math

import pytest

from simulator.findings.comparison import simulate
from simulator.play.rehearsal import gates, rehearse
from simulator.play.replay import replay
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from tests.play.playing import mean_and_error, play

TEXT = """
version: 1
profile: bare
service: {instances: 10, startup: 60s}
traffic: {rate: 100 rps, users: 20k}
change:
  changes:
    count: 16
    each: 1%
    tests: [{catches: 60%, takes: 8m, flakes: 20%}, {catches: 0%, takes: 1h}]
  defects: [{kind: errors, rate: 10%}]
detection: {noticed: {after: 4m}}
response: {automatic: watched, page: {decide: 2m}, fix: 2h}
costs: {failed_request: 0.01, responder: 60/h, delay: 2/h, release: 30}
strategies: {switch: {kind: big_bang, in_place: false}}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


def test_stages_take_their_time_and_flakes_run_again(scenario: Scenario) -> None:
    """8 min / (1 - 20 %) + 1 h + the start-up, within 4 standard errors; at least one run."""
    times = [row.time_to_deploy for row in play(scenario, 400, bad=False)]
    mean, error = mean_and_error(times)
    assert abs(mean - (480 / 0.8 + 3600 + 60)) < 4 * error
    assert min(times) == 480 + 3600 + 60
    assert sum(time == min(times) for time in times) / 400 == pytest.approx(0.8, abs=0.08)


def test_tests_move_odds_and_time_and_nothing_else(scenario: Scenario) -> None:
    """The same luck meets the same release: what flakes does not catch and does not harm."""
    plain = scenario.with_("change.changes.tests", [])
    for one, two in zip(play(scenario, 50), play(plain, 50), strict=True):
        assert one.failed_requests == two.failed_requests
        assert one.users_harmed == two.users_harmed
        assert one.time_to_recover == two.time_to_recover
        assert one.time_to_deploy > two.time_to_deploy or math.isnan(one.time_to_deploy)


def test_the_culprit_is_found_by_halves(scenario: Scenario) -> None:
    """log2 16 = 4 steps of 10 min more until the next attempt, paid to one person."""
    found = scenario.with_("change.changes.bisect", "10m")
    for one, two in zip(play(scenario, 20), play(found, 20), strict=True):
        assert two.time_to_value - one.time_to_value == pytest.approx(4 * 600)
        assert two.loss_responders - one.loss_responders == pytest.approx(4 / 6 * 60)
    good = zip(play(scenario, 5, bad=False), play(found, 5, bad=False), strict=True)
    assert all(one == two for one, two in good if not math.isnan(one.time_to_recover))


def test_after_a_rollback_everything_is_tested_again(scenario: Scenario) -> None:
    """Tests, start-up, 4 min, 2 min, the fix, tests and start-up: no flake in this variant."""
    calm = scenario.with_("change.changes.tests[0].flakes", "0%")
    tests = 480 + 3600
    assert play(calm, 1)[0].time_to_value == tests + 60 + 240 + 120 + 7200 + tests + 60


def test_a_release_costs_its_price_and_waiting_that_of_every_change(scenario: Scenario) -> None:
    for row in play(scenario, 5, bad=False):
        assert row.loss_release == 30
        assert row.loss_delay == pytest.approx(16 * 2 * row.time_to_value / 3600)
        assert row.loss == pytest.approx(
            math.fsum(getattr(row, name) for name in row._fields if name.startswith("loss_"))
        )


def test_steps_of_several_releases_cost_and_are_tested_each(scenario: Scenario) -> None:
    """Three compatible releases, a day apart: three prices, three rounds of tests."""
    calm = scenario.with_("change.changes.tests[0].flakes", "0%")
    steps = calm.with_("change.schema", "{expand_contract: {releases: 3, apart: 1d}}")
    (row,) = play(steps, 1, bad=False)
    assert row.releases == 3
    assert row.loss_release == 90
    assert row.time_to_deploy == 3 * (480 + 3600 + 60) + 2 * 86_400


def test_a_branch_conflicts_as_often_as_its_age_says(scenario: Scenario) -> None:
    """1 - 0.95^10 = 40 % of the releases wait 3 h longer, within 4 standard errors; on the trunk
    none does."""
    plain = scenario.with_("change.changes.tests", [])
    old = plain.with_("change.branch", "{age: 10d, conflict: 5%, resolve: 3h}")
    times = [row.time_to_deploy for row in play(old, 400, bad=False)]
    assert set(times) == {60, 60 + 3 * 3600}
    share = sum(time > 60 for time in times) / 400
    assert share == pytest.approx(1 - 0.95**10, abs=4 * math.sqrt(0.24 / 400))
    flag = "{flag: {kind: feature_flag, steps: [{weight: 5%, bake: 1m}], ship: {kind: big_bang}}}"
    trunk = old.with_("strategies", flag)
    assert len({row.time_to_deploy for row in play(trunk, 50, bad=False)}) == 1


def test_a_rehearsal_and_a_replay_tell_of_it(scenario: Scenario) -> None:
    plan = rehearse(scenario, "switch")
    assert plan.before == 480 + 3600
    assert plan.duration == plan.finish == 480 + 3600 + 60
    assert gates(scenario, "switch")[0].start == 60
    assert replay(scenario, "switch").story()[0][1].endswith("of merging and testing before")


def test_nothing_is_cut_off_by_many_runs(scenario: Scenario) -> None:
    """A stage that flakes nine times of ten runs ten times on average."""
    bad = scenario.with_("change.changes.tests", "[{catches: 0%, takes: 10m, flakes: 90%}]")
    given = simulate(bad, 400, seed=2).risk()["switch"].given_good
    low, high = given.time_to_deploy.mean[1:]
    assert low is not None
    assert high is not None
    assert low < 6000 + 60 < high
