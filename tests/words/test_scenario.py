"""A scenario: complete, immutable, changed only by copies, and written as it was read."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from simulator.words import Scenario, ScenarioError, dump, loads
from simulator.words.writing import stated
from tests.words.files import BARE, FIVE_LINES


def test_what_is_written_reads_back_as_the_same_scenario(file: str) -> None:
    scenario = loads(file)
    again = loads(dump(scenario))
    assert again.canonical() == scenario.canonical()
    assert again.resolved() == scenario.resolved()
    assert dump(again) == dump(scenario)


def test_what_is_written_leaves_nothing_to_assume(file: str) -> None:
    assert loads(dump(loads(file))).assumed == ()


def test_what_is_stated_reads_back_with_the_same_assumptions(file: str) -> None:
    scenario = loads(file)
    again = loads(stated(scenario))
    assert again.canonical() == scenario.canonical()
    assert again.assumed == scenario.assumed
    python = scenario.with_("response.watch", 90.0)
    assert loads(stated(python)).canonical() == python.canonical()


def test_what_is_switched_off_stays_off() -> None:
    text = FIVE_LINES.replace("55%}", "none, errors: none, incidents: {}, warm_up: none}")
    scenario = loads(text + "detection: {people: none}\n")
    again = loads(dump(scenario))
    for one in (scenario, again):
        service = one.service
        assert (service.errors, service.incidents, service.warm_up) == (None, None, None)
        assert service.utilisation is None
        assert one.detection.people is None
        assert len(one.detection.alarms) == 1


def test_the_canonical_form_is_stable_json() -> None:
    scenario = loads(FIVE_LINES)
    assert json.loads(scenario.canonical())["service"]["instances"] == 12
    assert scenario.sha256 == loads("# a comment\n" + FIVE_LINES).sha256
    assert scenario.sha256 != scenario.with_("traffic.rate", "401 rps").sha256


def test_the_canonical_form_knows_the_measured_traffic(tmp_path: Path) -> None:
    text = BARE.replace("rate: 100 rps", "trace: {file: t.csv, per: 5m}")
    rows = "timestamp,value\n2024-01-01 00:00:00,{}\n2024-01-01 00:05:00,60\n"
    (tmp_path / "t.csv").write_text(rows.format(30))
    before = loads(text, folder=str(tmp_path))
    (tmp_path / "t.csv").write_text(rows.format(31))
    after = loads(text, folder=str(tmp_path))
    assert before.resolved() == after.resolved()
    assert before.sha256 != after.sha256


def test_a_scenario_cannot_be_changed_in_place() -> None:
    scenario = loads(BARE)
    with pytest.raises(ValidationError):
        scenario.follow_up = 5.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="with_"):
        scenario.strategies["mine"] = scenario.strategies["canary"]  # type: ignore[index]
    with pytest.raises(TypeError):
        scenario.source["name"] = "other"  # type: ignore[index]


def test_a_scenario_travels_to_other_processes(file: str) -> None:
    scenario = loads(file)
    again = pickle.loads(pickle.dumps(scenario))
    assert again.canonical() == scenario.canonical()
    assert again.assumed == scenario.assumed
    assert again.with_("follow_up", "2h").follow_up == 7200
    assert hash(again) == hash(scenario)


def test_an_error_travels_to_other_processes() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(BARE + "follow_up: 5\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_a_copy_leaves_the_original_as_it_was() -> None:
    scenario = loads(BARE)
    changed = scenario.with_("strategies.canary.pace", 2)
    assert scenario.strategies["canary"].pace == 1
    assert changed.strategies["canary"].pace == 2
    assert scenario.source["strategies"] == {"rolling": {}, "canary": {}}


@pytest.mark.parametrize(
    ("path", "value", "seconds"),
    [
        ("follow_up", "2h", 7200),
        ("follow_up", 7200, 7200),
        ("follow_up", 7200.5, 7200.5),
        ("follow_up", "PT2H", 7200),
    ],
)
def test_a_copy_takes_text_with_units_or_plain_seconds(
    path: str, value: object, seconds: float
) -> None:
    assert loads(BARE).with_(path, value).follow_up == seconds


def test_a_copy_of_a_copy_keeps_both_changes() -> None:
    scenario = loads(BARE).with_("follow_up", 60.0).with_("response.watch", "5m")
    assert (scenario.follow_up, scenario.response.watch) == (60, 300)


def test_a_text_without_unit_is_refused_in_a_copy_too() -> None:
    with pytest.raises(ScenarioError, match="with_ follow_up: 60 has no unit"):
        loads(BARE).with_("follow_up", "60")


def test_none_switches_a_part_off_in_a_copy() -> None:
    scenario = loads(FIVE_LINES).with_("detection.people", None).with_("service.errors", "none")
    assert scenario.detection.people is None
    assert scenario.service.errors is None


def test_a_copy_with_a_name_that_has_spaces_and_dots() -> None:
    text = BARE.replace("canary: {}", 'careful canary: {kind: canary}, "v1.2": {kind: canary}')
    scenario = loads(text).with_("strategies.careful canary.pace", 3)
    assert scenario.strategies["careful canary"].pace == 3
    assert loads(text).with_('strategies["v1.2"].pace', 3).strategies["v1.2"].pace == 3


def test_every_assumption_can_be_varied_over_its_range() -> None:
    scenario = loads(FIVE_LINES)
    for row in scenario.assumed:
        for value in (row.low, row.value, row.high):
            if value is not None and row.path != "change.defects":
                assert isinstance(scenario.with_(row.path, value), Scenario), row.path


@pytest.mark.parametrize(
    ("service", "rps"),
    [
        ("{instances: 4, capacity: 30 rps}", 30),
        ("{instances: 4, utilisation: 50%}", 50),
        ("{instances: 4}", math.inf),
    ],
)
def test_capacity_of_one_instance(service: str, rps: float) -> None:
    """100 rps on 4 instances at half load: each could serve 100 / 4 / 0.5 = 50 rps."""
    text = BARE.replace("{instances: 4, capacity: 100 rps}", service)
    assert loads(text).capacity_per_instance == pytest.approx(rps)


def test_utilisation_means_the_busiest_hour() -> None:
    daily = "daily: {mean: 60 rps, peak: 100 rps, peak_at: 14:00}"
    text = BARE.replace("rate: 100 rps", daily).replace("capacity: 100 rps", "utilisation: 50%")
    scenario = loads(text)
    expected = scenario.traffic.busiest_hour / 4 / 0.5
    assert scenario.capacity_per_instance == pytest.approx(expected)
    assert 49 < expected < 50


def test_notes_say_when_people_will_hardly_ever_report() -> None:
    """5 000 users at 0.1 % are 5 reports if everybody is harmed: 20 come with probability 3e-7."""
    people = "detection: {people: {report_rate: 0.1%, needed: 20}}\n"
    text = BARE.replace("10k", "5k") + people
    (note,) = (note for note in loads(text).notes if "people" in note)
    assert "20 reports are needed" in note
    assert "chance 3.5e-05 %" in note
    enough = loads(text.replace("needed: 20", "needed: 3")).notes
    assert not any("people" in note for note in enough)


def test_notes_say_what_is_unlimited() -> None:
    unlimited = BARE.replace(", capacity: 100 rps", "")
    assert any("never overloaded" in note for note in loads(unlimited).notes)


def test_notes_say_that_a_queue_keeps_nobody_on_a_version() -> None:
    queue = BARE.replace("users: 10k", "users: 10k, queue: true, deadline: 5m, sticky: true")
    assert any("without effect: traffic.sticky" in note for note in loads(queue).notes)
    drawn = queue.replace("sticky: true", "sticky: false")
    assert not any("sticky" in note for note in loads(drawn).notes)


def test_the_source_is_the_file_as_written() -> None:
    assert dict(loads(BARE).source)["traffic"] == {"rate": "100 rps", "users": "10k"}
