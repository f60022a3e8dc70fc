"""The map of winners against arithmetic with conditional means; swings against single changes."""

from __future__ import annotations

import pytest

from simulator.decide.tornado import SHOWN, tornado
from simulator.decide.winners import Axis, winners
from simulator.findings.comparison import FEWEST, simulate
from simulator.findings.results import Results
from simulator.findings.verdict import ranking
from simulator.words.reading import loads

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
change: {defects: [{kind: errors, rate: 20%}]}
costs: {failed_request: 0.01, corrupt_write: 0, delay: 3/h, responder: 0/h, watching: 0/h}
response: {watch: 30m}
strategies: {canary: {}, big_bang: {in_place: false}}
"""
CHANCE, PRICE = "change.defect_probability", "costs.failed_request"


@pytest.fixture(scope="module")
def results() -> Results:
    return simulate(loads(TEXT), 60, seed=2, fewest=FEWEST)


def test_the_border_between_two_strategies_is_where_their_losses_are_equal(
    results: Results,
) -> None:
    """loss(p, c) = p (c F_bad + D_bad) + (1 - p) (c F_good + D_good), with D all that c does not
    touch; every cell's winner has the smaller one."""
    axes = Axis(CHANCE, 0.001, 0.5), Axis(PRICE, 1e-5, 1.0)
    *_, last = winners(results, *axes)
    assert last.size == 9
    now = results.scenario.costs.failed_request

    def loss(name: str, p: float, c: float) -> float:
        risk = results.risk()[name]
        total = 0.0
        for weight, given in ((p, risk.given_defect), (1 - p, risk.given_good)):
            failed = given.mean("failed_requests") or 0.0
            total += weight * ((given.mean("loss") or 0.0) + (c - now) * failed)
        return total

    winning = set()
    for cell in last.cells:
        losses = {name: loss(name, cell.across, cell.down) for name in results.names}
        assert cell.winner == min(losses, key=lambda name: losses[name])
        winning.add(cell.winner)
    assert winning == {"canary", "big_bang"}
    near = [c for c in last.cells if c.close]
    assert len(near) < len(last.cells) / 2


def test_the_present_values_have_the_present_winner(results: Results) -> None:
    chance = results.scenario.change.defect_probability
    axes = Axis(CHANCE, chance, chance * 4), Axis("response.watch", 1800.0, 7200.0)
    first = next(winners(results, *axes, sizes=(3,)))
    assert first.cells[0].winner == ranking(results)[0]
    assert first.replications == 60
    assert len(first.cells) == 9


def test_finer_maps_keep_what_is_there(results: Results) -> None:
    axes = Axis("service.instances", 6, 48), Axis(PRICE, 0.001, 0.1)
    maps = list(winners(results, *axes, sizes=(3, 5)))
    coarse = {(round(c.across, 6), round(c.down, 6)): c.winner for c in maps[0].cells}
    fine = {(round(c.across, 6), round(c.down, 6)): c.winner for c in maps[1].cells}
    assert coarse.items() <= fine.items()


def test_values_that_are_no_scenario_have_no_winner(results: Results) -> None:
    axes = Axis(CHANCE, 0.5, 1.5), Axis(PRICE, 0.001, 0.1)
    found = next(winners(results, *axes, sizes=(3,)))
    assert [bool(c.winner) for c in found.cells] == [True, True, False] * 3


def test_a_swing_is_what_the_changed_scenario_says(results: Results) -> None:
    *_, whole = tornado(results, "canary")
    assert whole.replications == 60
    groups = {g.number: g.replications for g in results.groups}
    for swing in whole.widest("users_harmed")[:2] + whole.widest("loss")[:2]:
        row = swing.assumption
        for value, moved in ((row.low, swing.at_low), (row.high, swing.at_high)):
            changed = simulate(
                results.scenario.with_(row.path, value), 60, 2, ["canary"], fewest=FEWEST
            )
            assert {g.number: g.replications for g in changed.groups} == groups
            for figure, given in SHOWN.items():
                mean = changed.risk()["canary"].under(given).mean(figure)
                assert whole.now[figure] + moved[figure] == pytest.approx(mean)


def test_assumptions_are_sorted_by_how_far_they_move_a_figure(results: Results) -> None:
    first = next(tornado(results, "canary"))
    widths = [swing.width("time_to_deploy") for swing in first.widest("time_to_deploy")]
    assert widths == sorted(widths, reverse=True)
    assert all(width > 0 for width in widths)
