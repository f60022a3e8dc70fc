"""The study: the same bytes however it is run, and strata that add up."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from simulator.decide.advice import Options, at_a_glance, compare, conclude, equal_time
from simulator.findings.comparison import simulate, simulate_until
from simulator.findings.means import NOTHING
from simulator.findings.reconsider import reconsidered
from simulator.findings.results import Results
from simulator.findings.study import strata
from simulator.report.export import document
from simulator.report.headlines import recommended, verdict
from simulator.report.wording import named
from simulator.words.figures import FIGURES
from simulator.words.reading import load, loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 50%}
traffic: {rate: 400 rps, users: 30k, sticky: true}
strategies: {canary: {}, blue_green: {}, big_bang: {in_place: false}}
costs: {failed_request: 0.01}
objectives: ["users_harmed p95 < 20% given defect"]
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


def test_any_name_is_compared_at_every_pace() -> None:
    names = ["""a "quoted" one""", "it's", r"back\slash", "v1.2 [x]", "=1"]
    strategies = ", ".join(f"{json.dumps(name)}: {{kind: canary}}" for name in names)
    text = TEXT.replace(
        "{canary: {}, blue_green: {}, big_bang: {in_place: false}}", f"{{{strategies}}}"
    )
    scenario = loads(text).with_("change.defects", "[{kind: errors}]")
    found = compare(scenario, 5, options=Options(assumptions=False, gates=False))
    assert list(found.pace) == names
    assert all(len(points) > 1 for points in found.pace.values())


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return simulate(scenario, 60, seed=1)


def same(a: Results, b: Results, names: tuple[str, ...]) -> bool:
    for name in names:
        for stratum, columns in a.columns[name].items():
            for key, values in columns.items():
                other = b.columns[name][stratum][key]
                if isinstance(values, list):
                    if values != other:
                        return False
                elif not np.array_equal(values, np.asarray(other), equal_nan=True):
                    return False
    return True


def test_jobs_change_nothing(scenario: Scenario, results: Results) -> None:
    assert same(results, simulate(scenario, 60, seed=1, jobs=2), results.names)


def test_rivals_and_their_order_change_nothing(scenario: Scenario, results: Results) -> None:
    fewer = simulate(scenario, 60, seed=1, names=["big_bang", "canary"])
    assert same(results, fewer, ("canary", "big_bang"))


def test_another_seed_changes_something(scenario: Scenario, results: Results) -> None:
    assert not same(results, simulate(scenario, 60, seed=2), results.names)


def test_strata_share_by_largest_remainder_and_weigh_as_they_should(scenario: Scenario) -> None:
    groups = strata(scenario, 1000)
    assert groups[0].replications == 1000
    assert all(group.replications >= 50 for group in groups)
    assert sum(group.probability for group in groups) == pytest.approx(1)
    bad = [group for group in groups if group.number]
    assert sum(group.probability for group in bad) == pytest.approx(0.05)


def test_reweighting_is_what_a_new_study_would_say(scenario: Scenario, results: Results) -> None:
    """Another defect probability needs no simulation: the same replications, other weights."""
    riskier = scenario.with_("change.defect_probability", "20%")
    other, again = simulate(riskier, 60, seed=1), reconsidered(results, riskier)
    for name in results.names:
        expected = other.risk()[name].all.loss.mean.value
        assert again.risk()[name].all.loss.mean.value == pytest.approx(expected)


def test_unconditional_mean_is_the_mixture(results: Results) -> None:
    risk = results.risk()["canary"]
    good = risk.given_good.failed_requests.mean.value
    bad = risk.given_defect.failed_requests.mean.value
    assert good is not None
    assert bad is not None
    mixed = risk.all.failed_requests.mean.value
    assert mixed == pytest.approx(0.95 * good + 0.05 * bad)


def test_caught_shares_sum_to_one(results: Results) -> None:
    for risk in results.risk().values():
        for column in ("caught_at", "caught_by"):
            total = sum(p.value or 0.0 for p in risk.given_defect.shares(column).values())
            assert math.isclose(total, 1.0)


def test_common_luck_correlates_rivals(results: Results) -> None:
    """Severity is common: users harmed by the same bad release correlate between two switches."""
    pairs = [p for p in conclude(results).differences if p.figure == "users_harmed"]
    pair = next(p for p in pairs if {p.a, p.b} == {"blue_green", "big_bang"})
    assert pair.pair.correlation is not None
    assert pair.pair.correlation > 0.1


def test_the_frame_has_a_row_per_replication_and_enough_to_recompute(results: Results) -> None:
    frame = results.frame
    assert len(frame) == 3 * sum(g.replications for g in results.groups)
    canary = frame[(frame.strategy == "canary") & (frame.stratum != "good")]
    weighted = float((canary.users_harmed * canary.weight).sum() / canary.weight.sum())
    risk = results.risk()["canary"]
    assert weighted == pytest.approx(risk.given_defect.users_harmed.mean.value)


def test_an_interrupted_study_keeps_what_was_finished(
    scenario: Scenario, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first strategy and a half: the first is whole, the others are left out."""
    total = sum(group.replications for group in results.groups)

    def stop(done: int, _: int) -> None:
        if done > 1.2 * total:
            raise KeyboardInterrupt

    part = simulate(scenario, 60, seed=1, progress=stop)
    assert part.stopped
    assert "canary" in part.names
    assert same(part, results, ("canary",))
    assert conclude(part, confirm=False).risk["canary"].all.n == total
    assert part.missing == tuple(n for n in results.names if n not in part.names) != ()
    told = document(conclude(part, confirm=False))
    assert told["interrupted"]
    assert told["missing"] == list(part.missing)
    sentence = verdict(conclude(part, confirm=False))
    assert sentence.startswith(f"Interrupted: nothing is known of {', '.join(part.missing)} yet.")
    assert results.missing == ()


def test_all_lost_means_interrupted(scenario: Scenario) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, 60, seed=1, progress=stop)


def test_more_replications_until_precise_enough(scenario: Scenario) -> None:
    """Looks at 1 000, 2 000 ...; the first replications are those of a smaller study."""
    quick = scenario.with_("strategies", "{blue_green: {}}").with_(
        "change.defects", "[{kind: errors, rate: {lognormal: {median: 3%, p95: 8%}}}]"
    )
    found = simulate_until(quick, 0.05, seed=1)
    count = found.replications["bad"]
    assert count in (2000, 4000, 8000, 16_000)
    mean = found.risk()["blue_green"].given_defect.users_harmed.mean
    assert mean.value is not None
    assert mean.low is not None
    assert mean.high is not None
    assert (mean.high - mean.low) / 2 <= 0.05 * mean.value
    small = simulate(quick, 1000, seed=1)
    first = np.asarray(small.columns["blue_green"][1]["failed_requests"])
    assert (np.asarray(found.columns["blue_green"][1]["failed_requests"])[:1000] == first).all()


def test_at_equal_time_strategies_are_compared_along_their_curves(scenario: Scenario) -> None:
    found = compare(scenario, 50, seed=1, options=Options(paces=(0.5, 1.0, 2.0), assumptions=False))
    equal = equal_time(found)
    assert equal is not None
    assert equal.time == found.risk["canary"].given_good.time_to_deploy.mean.value
    harms = [harm for _, harm in equal.ranking]
    assert harms == sorted(harms)
    assert {name for name, _ in equal.ranking} == {"canary", "blue_green", "big_bang"}


def test_an_interruption_keeps_the_last_look_at_precision(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.findings import comparison, executors

    monkeypatch.setattr(comparison, "FIRST_LOOK", 40)
    whole = simulate(scenario, 40, seed=1)
    calls = 0

    def stops_in_the_second(function: Any, tasks: Any) -> Iterator[Any]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise KeyboardInterrupt
        yield from executors.each(function, tasks, 1)

    found = simulate_until(scenario, 1e-6, seed=1, jobs=stops_in_the_second)
    assert found.stopped
    assert found.frame.equals(whole.frame)


def test_an_extra_cost_below_nothing_has_an_interval_on_both_sides() -> None:
    """Everything stopped before it is started anew costs less than the steady fleet."""
    results = simulate(load("service-eks-shop"), 60, names=["big bang"], fewest=10)
    value, low, high = results.risk()["big bang"].all.extra_cost.mean
    assert value is not None
    assert low is not None
    assert high is not None
    assert low < value < high
    assert value < 0


def test_a_figure_of_no_replications_is_nothing() -> None:
    results = simulate(load("service-eks-shop"), 10, names=["big bang"], fewest=5)
    given = results.first(dict.fromkeys(range(len(results.groups)), 0)).risk()["big bang"].all
    assert given.estimate("extra_cost").mean == NOTHING


def test_what_an_interruption_left_out_is_not_said_to_be_impossible() -> None:
    whole = simulate(load("service-queue-worker"), 4, fewest=2)
    unable = next(name for name, risk in whole.risk().items() if not risk.suitable)
    found = {unable: whole.columns[unable]}
    rest = (whole.limits, whole.reasons)
    part = Results(whole.scenario, whole.seed, whole.groups, found, *rest)
    part.stopped = True
    assert unable not in part.missing
    assert part.missing
    said = recommended(at_a_glance(part))
    assert "None of these" not in said
    assert said.count("What is known cannot be carried out: ") == 1
    told = said.split("carried out: ")[1]
    able = [name for name in whole.names if not whole.reasons[name]]
    assert f"{named(unable)} " in told
    assert not any(f"{named(name)} " in told for name in able)


@pytest.mark.parametrize("name", ["textbook", "web-shop", "service-jvm-monolith"])
def test_no_figure_ends_beyond_its_meaning(name: str) -> None:
    frame = simulate(load(name), 20, fewest=10).frame
    for figure, known in FIGURES.items():
        if figure in frame:
            values = frame[figure].dropna()
            assert ((values >= known.least) & (values <= known.most)).all(), figure
