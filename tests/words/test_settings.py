"""Settings as forms show them: every value reads back, and strategies can be taken away."""

from __future__ import annotations

import pytest

from simulator.words.changes import files, split
from simulator.words.problems import ScenarioError
from simulator.words.reading import load, packaged
from simulator.words.scenario import Scenario
from simulator.words.settings import SECTIONS, at, flow, label, new_strategy, settings, stated
from simulator.words.shape import dotted
from simulator.words.strategy import kinds


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load("textbook")


@pytest.mark.parametrize("name", packaged())
def test_every_value_reads_back_to_the_same_scenario(name: str) -> None:
    scenario = load(name)
    sections = [*SECTIONS, *(dotted(("strategies", one)) for one in scenario.strategies)]
    for section in sections:
        for setting in settings(scenario, section):
            if setting.value == "none" and at(scenario, setting.path) == "none":
                continue
            again = scenario.with_(setting.path, setting.value)
            assert at(again, setting.path) == setting.value, setting.path


def test_every_setting_says_what_it_means(scenario: Scenario) -> None:
    for section in (*SECTIONS, 'strategies["canary"]'):
        for setting in settings(scenario, section):
            assert setting.meaning.endswith("."), setting.path
            assert setting.label


def test_a_path_is_told_in_words(scenario: Scenario) -> None:
    assert label("costs.corrupt_write") == "costs: corrupt write"
    assert label("response.page.decide") == "response: page: decide"
    assert label("change.defects[0].share") == "change: defects 1: share"
    assert label("change.defects[6].repair", scenario) == "defect: mixed versions: repair"
    assert label('strategies["10 %, 5 min"].steps[1].bake') == "10 %, 5 min: steps 2: bake"
    assert label("follow_up") == "follow up"


def test_few_values_are_listed_and_examples_given(scenario: Scenario) -> None:
    found = {s.path: s for name in SECTIONS for s in settings(scenario, name)}
    assert found["traffic.sticky"].choices == ("true", "false")
    assert found["response.automatic"].choices == ("watched", "always", "never")
    assert "500 rps" in found["traffic.rate"].examples
    assert "5%" in found["change.defect_probability"].examples
    assert found["service.drain"].assumed
    assert not found["service.instances"].assumed


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_new_or_copied_strategy_is_a_valid_one(scenario: Scenario, kind: str) -> None:
    changed = scenario.with_("strategies.mine", new_strategy(kind))
    copied = changed.with_("strategies.copy", stated(changed.strategies["mine"]))
    assert copied.strategies["copy"] == changed.strategies["mine"]


def test_none_takes_a_strategy_away(scenario: Scenario) -> None:
    assert "phased" not in scenario.with_("strategies.phased", None).strategies
    assert "phased" not in scenario.with_('strategies["phased"]', "none").strategies
    with pytest.raises(ScenarioError, match="no strategy is called 'nix'"):
        scenario.with_("strategies.nix", None)
    with pytest.raises(ScenarioError, match="planned"):
        scenario.with_("strategies.canary", None)


def test_a_copy_of_waves_has_the_kind_of_what_moves_them(scenario: Scenario) -> None:
    words = "{kind: phased, by: cells, bake: 1h, within: {kind: rolling, batch: 33%}}"
    cells = scenario.with_("service.cells", "[{name: a, share: 40%}, {name: b, share: 60%}]")
    mine = cells.with_("strategies.mine", words)
    copied = mine.with_("strategies.copy", stated(mine.strategies["mine"]))
    assert copied.strategies["copy"] == mine.strategies["mine"]


def test_texts_that_yaml_would_read_otherwise_are_quoted() -> None:
    assert flow({"a": ["x", "1: 2", "yes, no", "12", "on"]}) == (
        '{a: [x, "1: 2", "yes, no", "12", on]}'
    )


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b=1", "a.b", "1"),
        ('s["x=1"].y = {z: "="}', 's["x=1"].y', '{z: "="}'),
        ("nothing", "nothing", ""),
    ],
)
def test_a_change_is_split_at_its_own_equals_sign(text: str, path: str, value: str) -> None:
    assert split(text) == (path, value)


def test_files_are_found_wherever_they_are_named() -> None:
    data = {"a": [{"file": "x"}], "b": {"empirical": "y"}, "c": {"empirical": [1, 2]}}
    assert list(files(data)) == [("a", 0, "file"), ("b", "empirical")]
