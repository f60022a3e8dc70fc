"""Cells of a service and waves of them: what may be said, and what is said of what may not."""

from __future__ import annotations

import pytest

from simulator.words.reading import ScenarioError, loads
from simulator.words.waves import SCHEDULES
from simulator.words.writing import dump

HEAD = """\
version: 1
profile: bare
service:
  instances: 20
  zones: 2
  cells: [{name: small, share: 10%}, {name: east, share: 30%}, {name: west, share: 60%}]
traffic: {rate: 100 rps, users: 10k}
strategies:
"""
WAVES = "waves: [{cells: [small], bake: 12h}, {cells: [east, west]}]"


def test_waves_of_cells_have_their_shares_names_and_bakes() -> None:
    scenario = loads(f"{HEAD}  it: {{kind: phased, by: cells, {WAVES}, bake: 1h}}\n")
    parts = scenario.strategies["it"].parts(scenario.service)  # type: ignore[attr-defined]
    assert [(part.name, part.bake) for part in parts] == [("small", 43_200), ("east + west", 3600)]
    assert [part.share for part in parts] == pytest.approx([0.1, 0.9])
    assert loads(dump(scenario)).canonical() == scenario.canonical()


@pytest.mark.parametrize(
    ("words", "names", "shares"),
    [
        ("by: cells", ["small", "east", "west"], [0.1, 0.3, 0.6]),
        ("by: zones", ["zone 1", "zone 2"], [0.5, 0.5]),
        ("bake: 1h", ["", "", ""], [0.1, 0.3, 0.6]),
    ],
)
def test_without_waves_each_moves_by_itself(
    words: str, names: list[str], shares: list[float]
) -> None:
    scenario = loads(f"{HEAD}  it: {{kind: phased, {words}}}\n")
    parts = scenario.strategies["it"].parts(scenario.service)  # type: ignore[attr-defined]
    assert [part.name for part in parts] == names
    assert [part.share for part in parts] == pytest.approx(shares)
    assert loads(dump(scenario)).canonical() == scenario.canonical()


def test_a_schedule_has_one_box_of_each_wave_go_first() -> None:
    """10 % of a wave, but at least one of 20 instances: of 60 % 6 %, of 10 and of 30 % one."""
    scenario = loads(f"{HEAD}  it: {{kind: phased, by: cells, schedule: amazon}}\n")
    parts = scenario.strategies["it"].parts(scenario.service)  # type: ignore[attr-defined]
    hours = [(part.name, part.bake / 3600) for part in parts]
    assert hours == [
        *(("small, one box", 1), ("small", 12), ("east, one box", 1), ("east", 3)),
        *(("west, one box", 1), ("west", 3)),
    ]
    assert [part.share for part in parts] == pytest.approx([0.05, 0.05, 0.05, 0.25, 0.06, 0.54])
    tiny = scenario.with_("service.instances", "5")
    boxes = tiny.strategies["it"].parts(tiny.service)  # type: ignore[attr-defined]
    assert boxes[0] == ("small", 0.1, 13 * 3600, 0.1)  # less than an instance is one box
    assert SCHEDULES["amazon"].box == 0.1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "by: cells, waves: [{cells: [small]}, {cells: [eats, west]}]",
            "strategies.it: no cell is called 'eats'; there are small, east, west (did you mean "
            "east?)",
        ),
        (
            "by: cells, waves: [{cells: [small]}, {cells: [east]}]",
            "strategies.it: west: in no wave; name every cell once",
        ),
        (
            "by: cells, waves: [{cells: [small, east]}, {cells: [east, west]}]",
            "strategies.it: east: in more than one wave; name each cell once",
        ),
        ("by: cells, waves: [10%, 90%]", "by: cells has waves of cells: write [{cells: [name,"),
        (WAVES, "waves of cells need by: cells; add it, or write shares, e.g. [10%, 30%, 60%]"),
        ("by: cells, waves: [{cells: []}]", "a wave has no cells: name at least one"),
        ("by: zones, waves: [50%, 50%]", "by: zones moves one zone after the other: remove waves"),
        ("by: zones, bake: [1h, 1h, 2h]", "3 bakes for 2 zones: give one, or one for each"),
        ("by: cells, bake: [1h]", "1 bakes for 3 cells: give one, or one for each"),
        (f"by: cells, {WAVES}, bake: [1h]", "1 bakes for 2 waves: give one, or one per wave"),
        ("by: regions", "a region is a cell: name regions in service.cells, write by: cells"),
        ("by: region", "'region' is not allowed; allowed: users, cells, zones"),
        ("by: cells, schedule: amazon, bake: 1h", "says how long waves are watched: remove bake"),
        ("by: cells, schedule: google", "'google' is not allowed; allowed: amazon"),
        ("by: cells, bake: none", "bake cannot be none: write 0s"),
        ("by: cells, within: {kind: big_bang}", "within: big_bang moves everybody, not one wave"),
    ],
)
def test_waves_that_cannot_be(words: str, says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        loads(f"{HEAD}  it: {{kind: phased, {words}}}\n")
    (problem,) = refused.value.problems
    assert problem.line == 9
    assert says in str(problem)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("[{name: a, share: 40%}]", "service.cells: cells sum to 40%, not 100%"),
        ("[{name: a, share: 50%}, {name: a, share: 50%}]", "two cells are called 'a'"),
        ("[{name: a, share: 50}]", "write 50%"),
        ("[{name: a}]", "service.cells[0].share: is missing"),
    ],
)
def test_cells_that_cannot_be(cells: str, says: str) -> None:
    with pytest.raises(ScenarioError, match="service") as refused:
        loads(f"{HEAD}  rolling: {{}}\n").with_("service.cells", cells)
    assert says in str(refused.value)


@pytest.mark.parametrize("inner", ["ship: {kind: phased, by: cells}", "ship: {kind: phased}"])
def test_cells_are_missed_inside_other_strategies_too(inner: str) -> None:
    text = f"{HEAD}  feature_flag: {{{inner}}}\n".replace("  cells:", "  # cells:")
    if "cells" not in inner:
        assert loads(text).service.cells == ()
        return
    with pytest.raises(ScenarioError, match=r"ship: by: cells needs service\.cells"):
        loads(text)
    with pytest.raises(ScenarioError, match=r"by: zones needs service\.zones"):
        loads(text.replace("by: cells", "by: zones").replace("  zones: 2\n", ""))
