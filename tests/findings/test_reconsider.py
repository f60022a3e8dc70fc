"""Other odds, prices and objectives: the same as a new study, without one."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.decide import advice
from simulator.decide.advice import Options, compare, refined
from simulator.findings.comparison import extended, simulate
from simulator.findings.executors import each
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.results import Results
from simulator.report import series
from simulator.words.changes import parse_path
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
costs: {failed_request: 0.01, delay: 3/h}
objectives: [users_harmed p95 < 15% given defect]
strategies: {canary: {}, blue_green: {}}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return simulate(scenario, 40, seed=3, fewest=5)


CHANGES: dict[str, Any] = {
    "change.defect_probability": "40%",
    "change.defects[1].share": "90%",
    "costs.failed_request": "2",
    "costs.corrupt_write": "7",
    "costs.outage": "90/h",
    "costs.delay": "30/h",
    "costs.release": "70",
    "objectives": "[loss < 5, users_harmed < 1% given defect]",
    "planned": "blue_green",
    "name": "another",
}


@pytest.mark.parametrize("path", CHANGES)
def test_it_is_what_a_study_of_the_changed_scenario_says(
    scenario: Scenario, results: Results, path: str
) -> None:
    changed = scenario.with_(path, CHANGES[path])
    groups = [group.replications for group in results.groups]
    played = simulate(changed, 40, seed=3, fewest=5)
    again = reconsidered(results, changed)
    assert only_weighs(parse_path(path))
    for name, risk in again.risk().items():
        other = played.risk()[name]
        if [group.replications for group in played.groups] == groups:
            assert risk.all.mean("loss") == pytest.approx(other.all.mean("loss"))
            assert risk.given_defect.mean("users_harmed") == pytest.approx(
                other.given_defect.mean("users_harmed")
            )
    weights = [g.probability for g in again.groups]
    assert weights == pytest.approx([g.probability for g in played.groups])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("change.changes.each", "5%"),
        ("change.changes.tests[0].catches", "90%"),
        ("costs.delay", "9/h"),
    ],
)
def test_so_it_is_with_a_chance_that_follows_from_changes(
    scenario: Scenario, path: str, value: str
) -> None:
    """The delay is that of eight changes."""
    carried = "{count: 8, each: 1%, tests: [{catches: 50%, takes: 5m, flakes: 10%}]}"
    begun = scenario.with_("change", f"{{changes: {carried}}}")
    changed = begun.with_(path, value)
    assert only_weighs(parse_path(path))
    again = reconsidered(simulate(begun, 20, seed=3, fewest=3), changed)
    played = simulate(changed, 20, seed=3, fewest=3)
    for name, risk in again.risk().items():
        assert risk.all.mean("loss") == pytest.approx(played.risk()[name].all.mean("loss"))


def test_what_was_worked_out_is_kept_only_where_it_still_holds(
    scenario: Scenario, results: Results
) -> None:
    for risk in results.risk().values():
        for given in (risk.given_good, risk.given_defect):
            given.estimates()
    changed = scenario.with_all({"change.defects[1].share": "90%", "costs.failed_request": "2"})
    again, anew = reconsidered(results, changed), reconsidered(results, changed)
    for name, risk in again.risk().items():
        for given, fresh in (
            (risk.given_good, anew.risk()[name].given_good),
            (risk.given_defect, anew.risk()[name].given_defect),
        ):
            kept = {figure: given.estimate(figure) for figure in ("loss", "users_harmed")}
            fresh._known.clear()
            assert kept == {figure: fresh.estimate(figure) for figure in kept}


@pytest.mark.parametrize(
    "path", ["service.instances", "costs.responder", "change.defects[0].rate", "strategies.canary"]
)
def test_everything_else_is_played_again(path: str) -> None:
    assert not only_weighs(parse_path(path))


def test_a_study_that_grew_is_the_study_begun_at_that_size(scenario: Scenario) -> None:
    small = simulate(scenario, 20, seed=3, fewest=5)
    grown, whole = extended(small, 60), simulate(scenario, 60, seed=3)
    assert [g.replications for g in grown.groups] == [g.replications for g in whole.groups]
    assert grown.frame.equals(whole.frame)


def test_ever_more_of_an_answer_ends_with_the_answer(scenario: Scenario) -> None:
    options = Options(paces=(0.5, 1.0), assumptions=False, gates=False)
    found = list(refined(scenario, 160, 3, options))
    sizes = [one.results.replications["good"] for one in found]
    assert sizes == [20, 60, 160, 160]
    whole = compare(scenario, 160, 3, options=options)
    assert found[-1].results.frame.equals(whole.results.frame)
    assert found[-1].recommendation == whole.recommendation
    assert found[-1].flips == whole.flips
    assert found[-1].pace == whole.pace
    widths = [look.high - look.low for look in series.narrowing(found[-1], "canary")]
    assert widths[-1] < widths[0]


def test_pictures_show_what_tables_say(scenario: Scenario, results: Results) -> None:
    found = advice.at_a_glance(results)
    for point in series.points(found):
        assert point.harm == found.risk[point.strategy].given_defect.mean("users_harmed")
        assert point.harm_low <= point.harm <= point.harm_high
    for name, risk in found.risk.items():
        stages = [s.share for s in series.stages(found) if s.strategy == name]
        assert sum(stages) == pytest.approx(1)
        paid = sum(part.amount for part in series.bill(found) if part.strategy == name)
        assert paid == pytest.approx(risk.all.mean("loss"))


def test_calls_are_carried_out_wherever_they_are_told_to() -> None:
    def backwards(function: Any, calls: Any) -> Any:
        return (function(*call) for call in reversed(calls))

    calls = [(k, 2) for k in range(5)]
    assert sorted(each(pow, calls)) == sorted(each(pow, calls, 2)) == [0, 1, 4, 9, 16]
    assert list(each(pow, calls, backwards)) == [16, 9, 4, 1, 0]
