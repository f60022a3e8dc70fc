"""Reading: the rules of the file, where it may come from, and changing keys on the way."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.words import ScenarioError, documents, load, loads, packaged
from simulator.words.changes import parse_path, split
from simulator.words.shape import dotted
from tests.words.files import BARE, FIVE_LINES


def test_five_lines_are_enough() -> None:
    scenario = loads(FIVE_LINES)
    assert scenario.service.instances == 12
    assert list(scenario.strategies) == ["rolling", "canary", "blue_green"]
    assert scenario.planned == "rolling"


def test_a_profile_stands_in_for_the_service() -> None:
    text = "version: 1\nprofile: bare\ntraffic: {rate: 1 rps}\nstrategies: {big_bang: {}}\n"
    assert loads(text).service.instances >= 1


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("at: 14:00", "14:00"),
        ("at: 12:30:00", "12:30:00"),
        ("a: on", "on"),
        ("a: no", "no"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: 010", "010"),
        ("a: 0o10", "0o10"),
        ("a: 0x10", "0x10"),
        ("a: 1_000", "1_000"),
        ("a: true", True),
        ("a: False", False),
        ("a: 1e3", 1000.0),
        ("a: -.5", -0.5),
        ("a: 12", 12),
        ("a: '12'", "12"),
        ('a: "true"', "true"),
        ("a: null", None),
        ("a: ~", None),
        ("a:", None),
        ("a: {}", {}),
        ("a: [1, two]", [1, "two"]),
        ("a: |\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_values_follow_yaml_1_2(text: str, data: object) -> None:
    (value,) = documents.read(text).data.values()
    assert value == data
    assert type(value) is type(data)


def test_an_alias_repeats_a_value() -> None:
    text = BARE + "costs: {watching: &price 5/h, outage: *price}\n"
    assert loads(text).costs.outage == 5


def test_line_ends_marks_and_other_scripts_are_read() -> None:
    plain = loads(BARE + "name: Bücher 本\n")
    assert loads(("\ufeff" + BARE + "name: Bücher 本\n").replace("\n", "\r\n")[1:]) is not None
    assert plain.name == "Bücher 本"


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + BARE.encode())
    assert load(file).canonical() == loads(BARE).canonical()


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(BARE.encode())

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert load("-").service.instances == 4


def test_packaged_scenarios_are_read_by_name() -> None:
    for name in packaged():
        assert load(name).strategies


def test_a_file_is_preferred_to_a_packaged_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop").write_text(BARE)
    assert load("shop").service.instances == 4


def test_files_are_relative_to_the_file_and_in_sets_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "times.csv").write_text("value\n10s\n20s\n")
    (here / "times.csv").write_text("value\n30s\n40s\n")
    file = there / "shop.yaml"
    startup = "startup: {empirical: times.csv}"
    file.write_text(BARE.replace("capacity: 100 rps", startup))
    monkeypatch.chdir(here)
    assert load(file).service.startup.mean() == pytest.approx(15)
    changed = load(file, sets=["service.startup={empirical: times.csv}"])
    assert changed.service.startup.mean() == pytest.approx(35)


@pytest.mark.parametrize(
    ("item", "path", "value"),
    [
        ("traffic.rate=500 rps", "traffic.rate", 500.0),
        ("service.instances = 8", "service.instances", 8),
        ("slo.availability=99.95%", "slo.availability", 0.9995),
        ("response.hold=false", "response.hold", False),
        ("strategies.canary.pace=2", "strategies.canary.pace", 2.0),
        ("name=a=b", "name", "a=b"),
    ],
)
def test_a_set_changes_one_key(item: str, path: str, value: object) -> None:
    found: object = loads(BARE, sets=[item])
    for key in path.split("."):
        found = found[key] if isinstance(found, dict) else getattr(found, key)
    assert found == value


def test_a_set_may_replace_all_strategies() -> None:
    scenario = loads(BARE, sets=["strategies={big_bang: {}}"])
    assert list(scenario.strategies) == ["big_bang"]


def test_a_set_may_follow_another() -> None:
    sets = ["service.capacity=none", "service.utilisation=50%"]
    assert loads(BARE, sets=sets).capacity_per_instance == pytest.approx(50)


def test_a_set_reaches_into_what_the_profile_brings() -> None:
    scenario = loads(FIVE_LINES, sets=["detection.alarms[0].delay=5m"])
    (alarm,) = scenario.detection.alarms
    assert (alarm.delay, alarm.above) == (300, 0.01)
    scenario = loads(FIVE_LINES, sets=["service.startup.lognormal.median=5s"])
    assert scenario.service.startup.quantile(0.5) == pytest.approx(5)


def test_a_set_reaches_into_the_default_steps_of_a_strategy() -> None:
    scenario = loads(BARE, sets=["strategies.canary.steps[1].weight=30%"])
    weights = [step.weight for step in scenario.strategies["canary"].steps]  # type: ignore[attr-defined]
    assert weights == [0.05, 0.30, 0.50]


def test_a_set_of_a_plain_share_keeps_the_mean() -> None:
    text = BARE.replace("capacity: 100 rps", "errors: 0.2%")
    errors = loads(text, sets=["service.errors.cv=2"]).service.errors
    assert errors is not None
    assert (errors.mean, errors.cv) == (0.002, 2)


def test_a_problem_elsewhere_keeps_its_line_beside_a_set() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(BARE + "follow_up: 5\n", "f", sets=["traffic.rate=none"])
    assert [str(problem).split(": ")[0] for problem in caught.value.problems] == [
        "--set traffic",
        "f:6:1",
    ]


keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text(
    '"\\\\.=[] a', max_size=6
)


@given(keys, st.lists(keys | st.integers(0, 99)))
def test_a_path_reads_back_as_it_is_written(first: str, others: list[str | int]) -> None:
    path = (first, *others)
    assert parse_path(dotted(path)) == path
    assert split(f"{dotted(path)}=a=b") == (dotted(path), "a=b")


def test_words_import_nothing_heavy() -> None:
    code = (
        "import sys, simulator.words;"
        "heavy = {'pandas', 'scipy', 'matplotlib', 'simpy', 'streamlit', 'typer', 'joblib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_control_character_in_a_path_is_refused_and_not_repeated() -> None:
    with pytest.raises(ScenarioError) as wrong:
        loads(BARE, sets=['strategies["a\x1b[2J"]={kind: canary}'])
    assert "a control character (U+001B) in a text; leave it out" in str(wrong.value)
    assert "\x1b" not in str(wrong.value)


@pytest.mark.parametrize("end", ["\\r\\n", "\\n", "\\N"])
def test_ends_of_lines_are_no_control_characters(end: str) -> None:
    assert loads(f'{BARE}\nquestion: "one{end}two"\n').question.startswith("one")
