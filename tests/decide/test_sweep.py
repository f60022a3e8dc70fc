"""Sweeps against single studies, a closed form along a path, and the law of the hypercube."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from simulator.decide.sweep import MOST, Sweep, asked, designed, sweep
from simulator.findings.comparison import FEWEST, simulate
from simulator.report import sweep_charts, sweeps
from simulator.words.problems import ScenarioError
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from tests.answers import oracles
from tests.play.playing import bare

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
change: {defects: [{kind: errors, share: 60%, rate: 20%}, {kind: crash, share: 40%}]}
costs: {failed_request: 0.01, corrupt_write: 0, delay: 3/h, responder: 0/h, watching: 0/h}
strategies: {canary: {}, big_bang: {in_place: false}}
"""
DELAY, CHANCE = "detection.alarms[0].delay", "change.defect_probability"
SHARE, PRICE = "change.defects[0].share", "costs.failed_request"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


class Counting:
    """An executor that counts what it is asked for, and gives the results the other way round."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, function: Any, calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        self.calls += len(calls)
        yield from [function(*call) for call in reversed(calls)]


@pytest.fixture(scope="module")
def counting() -> Counting:
    return Counting()


@pytest.fixture(scope="module")
def grid(scenario: Scenario, counting: Counting) -> Sweep:
    vary = {DELAY: "30s, 5m", CHANCE: "1%,20%", PRICE: ["0.01", 0.5], SHARE: "10%,60%"}
    return sweep(designed(scenario, vary), replications=40, seed=3, jobs=counting)


def test_every_point_is_what_a_study_of_its_own_says(grid: Sweep) -> None:
    """All statistics of all figures: played, other odds, other prices (equal to rounding)."""
    for number in (1, 7, 13):
        point = grid.design.points[number]
        assert point.values[3] == pytest.approx(0.6)
        risk = simulate(point.scenario, 40, 3, fewest=FEWEST).risk()
        rows = [row for row in grid.rows if row.point == number]
        assert len(rows) == 2 * 5
        for row in rows:
            alone = risk[row.strategy].under(None if row.given == "all" else row.given)
            assert row.estimate is not None
            for name in ("mean", "p50", "p95", "cvar95", "applicable"):
                expected = getattr(alone.estimate(row.figure), name)
                for found, exact in zip(getattr(row.estimate, name), expected, strict=True):
                    assert found == (None if exact is None else pytest.approx(exact))


def test_points_that_only_weigh_are_not_played(grid: Sweep, counting: Counting) -> None:
    """16 points, 2 delays: 2 studies of 2 strategies and 3 strata, a batch each."""
    assert len(grid.design.points) == 16
    assert grid.studies == 2
    assert counting.calls == 2 * 2 * 3


def test_the_loss_is_linear_in_the_chance_of_a_defect(grid: Sweep) -> None:
    """E loss = (1 - p) E_good + p E_bad: from p = 1 % and 20 % the same E_good follows, whatever
    the mix of the kinds is."""
    loss = {
        (*point.values, row.strategy): row.estimate.mean.value or 0.0
        for row in grid.rows
        if row.figure == "loss" and row.estimate
        for point in [grid.design.points[row.point]]
    }
    for delay, price, name in itertools.product((30.0, 300.0), (0.01, 0.5), grid.strategies):
        few, many = (
            [loss[delay, p, price, share, name] for share in (0.1, 0.6)] for p in (0.01, 0.2)
        )
        good = [(20 * low - high) / 19 for low, high in zip(few, many, strict=True)]
        assert good[0] == pytest.approx(good[1], rel=1e-9)
        assert many[0] != many[1]


def test_every_point_has_the_same_luck(grid: Sweep) -> None:
    """What a delay of the alarm cannot touch is the same to the last digit."""
    times = {
        (row.strategy, row.estimate)
        for row in grid.rows
        if row.figure == "time_to_deploy" and row.strategy == "big_bang"
    }
    assert len(times) == 1


def test_a_path_follows_its_closed_form() -> None:
    """An atomic switch fails r p (D + R) requests, at every point of a grid and of a hypercube."""
    scenario = bare(detection="noticed: {after: 300s}", response="page: {decide: 120s}")
    rate, seen = "traffic.rate", "detection.noticed.after"
    wanted = asked(scenario, ["failed_requests"], "defect")
    for design in (
        designed(scenario, {rate: "100 rps,1000 rps", seen: "1m,5m,1h"}),
        designed(scenario, {rate: "50 rps..5000 rps", seen: "1m..2h"}, 8, seed=4),
    ):
        found = sweep(design, wanted, 60)
        for row in found.rows:
            r, after = (float(v) for v in design.points[row.point].values)
            assert row.estimate is not None
            mean = row.estimate.mean
            assert None not in mean
            assert mean.value is not None
            assert mean.high is not None
            error = (mean.high - mean.value) / 2
            exact = oracles.atomic_switch(r, 0.2, after, 120)
            assert abs(mean.value - exact) < 4 * error


def test_a_latin_hypercube_has_one_point_in_every_slice(scenario: Scenario) -> None:
    vary = {
        "traffic.rate": "200 rps..600 rps",
        "change.defects[0].rate": "0.1%..50%",
        "service.instances": "20..39",
        "response.watch": "5m, 1h",
    }
    design = designed(scenario, vary, 20, seed=2)
    assert design.logarithmic == (False, True, False, False)
    rate, share, instances, watch = zip(*(point.values for point in design.points), strict=True)
    slices = np.floor((np.array(rate) - 200) / 400 * 20 - 1e-3)
    assert len(set(slices.tolist())) >= 19
    slices = np.floor(np.log(np.array(share) / 0.001) / np.log(500) * 20)
    assert len(set(slices.tolist())) >= 19
    assert all(isinstance(n, float) and n == int(n) and 20 <= n <= 39 for n in instances)
    assert watch.count(300.0) == watch.count(3600.0) == 10
    again = designed(scenario, vary, 20, seed=2)
    assert [p.values for p in again.points] == [p.values for p in design.points]
    other = designed(scenario, vary, 20, seed=3)
    assert [p.values for p in other.points] != [p.values for p in design.points]


def test_ranges_of_parts_of_a_fleet(scenario: Scenario) -> None:
    """Shares stay shares, up to all of it, and counts stay counts."""
    rolled = scenario.with_("strategies", "{rolling: {batch: 25%}}")
    vary = {"strategies.rolling.batch": "99.99%..100%", "strategies.rolling.surge": "1..6"}
    for point in designed(rolled, vary, 6).points:
        batch, surge = (
            getattr(point.scenario.strategies["rolling"], k) for k in ("batch", "surge")
        )
        assert batch.is_share
        assert 0.9999 - 1e-12 <= batch.number <= 1
        assert not surge.is_share
        assert point.texts[0].endswith("%")


def test_whole_values_and_names_with_spaces(scenario: Scenario) -> None:
    named = scenario.with_("strategies", "{careful canary: {kind: canary}, canary: {}}")
    design = designed(
        named,
        {
            'strategies["careful canary"].steps': "[{weight: 1%, bake: 1h}],"
            "[{weight: 5%, bake: 9m}]",
            "service.startup": "60s, {exponential: {mean: 90s}}",
        },
    )
    assert [point.texts for point in design.points] == [
        ("[{weight: 1%, bake: 1h}]", "60s"),
        ("[{weight: 1%, bake: 1h}]", "{exponential: {mean: 90s}}"),
        ("[{weight: 5%, bake: 9m}]", "60s"),
        ("[{weight: 5%, bake: 9m}]", "{exponential: {mean: 90s}}"),
    ]
    assert [point.values[1] for point in design.points] == [60.0, 90.0, 60.0, 90.0]
    assert len({point.key for point in design.points}) == 4


def test_strategies_can_be_what_varies(scenario: Scenario) -> None:
    """A strategy that is not there has no row; one that cannot be played has an empty one."""
    vary = {"strategies": "{canary: {}}, {big_bang: {}, rolling: {}}"}
    found = sweep(designed(scenario, vary), {"users_harmed": "defect"}, 10)
    assert [(row.point, row.strategy) for row in found.rows] == [
        (0, "canary"),
        (1, "big_bang"),
        (1, "rolling"),
    ]
    limited = sweep(designed(scenario, {"service.limit": "12, 40"}), {"users_harmed": "defect"}, 10)
    assert [row.suitable for row in limited.rows] == [False, False, True, True]


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"traffic.rat": "5 rps"}, "did you mean rate"),
        ({"traffic.rate": "500, 600 rps"}, "500 has no unit"),
        ({"traffic.rate": "5 rps", "service.instances": "3, -2"}, "-2 is not a count"),
        ({"steps[": "1"}, "is not a path"),
        ({"change.defects[7].rate": "1%"}, "has no item"),
    ],
)
def test_what_the_scenario_refuses(scenario: Scenario, vary: Any, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as raised:
        designed(scenario, vary)
    assert str(raised.value).startswith("vary ")
    assert len(raised.value.problems) == 1


def test_the_point_is_told_when_the_wrong_place_is_none_that_varies(scenario: Scenario) -> None:
    """The objective for a strategy that one of the values takes away."""
    judged = scenario.with_("objectives", "[loss < 5 for canary]")
    vary = {"strategies": "{canary: {}}, {rolling: {}}", "response.watch": "5m"}
    with pytest.raises(
        ScenarioError, match=r"\(at strategies = {rolling: {}}, response.watch = 5m"
    ):
        designed(judged, vary)


@pytest.mark.parametrize(
    ("vary", "samples", "message"),
    [
        ({}, None, "nothing is varied"),
        ({DELAY: "30s..5m"}, None, "needs --lhs N"),
        ({DELAY: ""}, None, "has no values"),
        ({DELAY: "["}, None, "cannot be read"),
        ({DELAY: [f"{k}s" for k in range(MOST + 1)]}, None, "1 to 500; take fewer"),
        ({DELAY: "30s..5m"}, MOST + 1, "draw fewer"),
        ({DELAY: "30s..5m"}, 0, "draw fewer"),
        ({DELAY: "5m..30s"}, 3, "5m is not below 30s"),
        ({"strategies.canary.steps": "1..2"}, 3, "is not"),
        ({"traffic.sticky": "1..2"}, 3, "is"),
    ],
)
def test_what_is_no_design(
    scenario: Scenario, vary: Any, samples: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        designed(scenario, vary, samples)


def test_an_interrupted_sweep_keeps_what_was_finished(scenario: Scenario) -> None:
    """Stopped after half of it: what is there is what the whole sweep says."""

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    design = designed(scenario, {DELAY: "30s, 5m"})
    whole = sweep(design, replications=10)
    part = sweep(design, replications=10, progress=stop)
    assert part.stopped
    assert not whole.stopped
    assert 10 <= len(part.rows) < len(whole.rows)
    assert set(part.rows) <= set(whole.rows)
    assert "canary" in sweep_charts.picture(part)

    def at_once(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(design, replications=10, progress=at_once)


def test_figures_and_conditions(scenario: Scenario) -> None:
    assert asked(scenario)["time_to_deploy"] == "good"
    assert asked(scenario, ["outage"]) == {"outage": None}
    assert asked(scenario, ["outage"], "crash") == {"outage": "crash"}
    assert asked(scenario, ["users_harmed"], "all") == {"users_harmed": None}
    with pytest.raises(ValueError, match="did you mean users_harmed"):
        asked(scenario, ["user_harmed"])
    with pytest.raises(ValueError, match="no release is 'leak'"):
        asked(scenario, (), "leak")


def test_the_frame_is_tidy(grid: Sweep) -> None:
    frame = grid.frame
    assert len(frame) == 16 * 2 * 5
    assert list(frame.columns[:8]) == [
        *("point", DELAY, CHANCE, PRICE, SHARE),
        *("strategy", "suitable", "figure"),
    ]
    assert set(frame[DELAY]) == {30.0, 300.0}
    whole = frame[frame["mean"].notna()]
    assert ((whole["low"] <= whole["mean"]) & (whole["mean"] <= whole["high"])).all()
    assert not frame.duplicated(["point", "strategy", "figure"]).any()


@pytest.mark.parametrize(
    ("vary", "samples", "panels"),
    [
        ({DELAY: "30s,5m"}, None, 1),
        ({DELAY: "30s,5m", CHANCE: "1%,20%"}, None, 2),
        ({DELAY: "30s..5m", CHANCE: "1%..20%"}, 3, 2),
        ({"strategies.canary.steps": "[{weight: 1%, bake: 9m}],[{weight: 5%, bake: 9m}]"}, None, 1),
    ],
)
def test_pictures_show_every_value_and_strategy(
    scenario: Scenario, vary: Any, samples: int | None, panels: int
) -> None:
    found = sweep(designed(scenario, vary, samples), {"users_harmed": "defect"}, 10)
    drawn = sweep_charts.picture(found)
    assert drawn == sweep_charts.picture(found)
    for text in ("canary", "big_bang", *vary, *found.design.points[0].texts):
        assert text in drawn
    if samples is None and len(vary) == 2:
        for line in sweeps.lines(found):
            assert line.cells[0].value in drawn
    assert drawn.count("<clipPath") >= panels


def test_small_values_are_written_as_they_are(scenario: Scenario) -> None:
    price = {"costs.failed_request": "0.001,0.0125", CHANCE: "1%,20%"}
    found = sweep(designed(scenario, price, None), {"loss": "all"}, 10)
    drawn = sweep_charts.picture(found)
    assert ">0.001<" in drawn
    assert ">0.0125<" in drawn


def test_methods_are_told(grid: Sweep, scenario: Scenario) -> None:
    assert sweeps.method(grid).startswith("16 points of a grid, 2 of them played")
    assert sweeps.scales(grid) == ""
    drawn = designed(scenario, {DELAY: "30s..5m", "response.watch": "1m..5m"}, 2)
    one = Sweep(drawn, (), 10, 1, 2)
    assert sweeps.scales(one) == f"drawn from evenly in the logarithm: {DELAY}"
