"""batches from the command line: the table, the data, and what is refused."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import simulator as ds
from simulator.cli.app import app, run

QUICK = ["-n", "10", "--jobs", "1", "-q"]


def told(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["batches", *arguments, *QUICK])
    return result.exit_code, result.output


def test_a_table_of_a_hundred_columns_says_who_wins_and_where_that_ends() -> None:
    code, text = told("small-batches", "--in", "1,4,20")
    assert code == 0
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "Cheapest: 4 releases." in text
    assert "1 release from costs.release = 4" in text
    assert "fresh replications agree on both sides" in text


def test_the_data_have_an_interval_on_every_figure() -> None:
    code, text = told("small-batches", "--in", "1,20", "--per-year", "100", "--json")
    assert code == 0
    found = json.loads(text)
    assert [way["releases"] for way in found["ways"]] == [1, 20]
    assert found["changes_per_year"] == 100
    for way in found["ways"]:
        for key in ("failed_requests", "lead_time", "culprit_hours", "overhead", "total"):
            assert way[key]["low"] <= way[key]["value"] <= way[key]["high"]
    assert found["flips"][0]["path"] == "costs.release"


def test_without_numbers_one_all_and_one_between_are_compared() -> None:
    code, text = told("small-batches", "--format", "markdown", "--strategy", "rolling")
    assert code == 0
    assert "| 1 of 20 |" in text
    assert "| 5 of 4 |" in text
    assert "| 20 of 1 |" in text


def test_any_setting_can_be_searched() -> None:
    """The delay at which more releases pay, and a setting that has to be played."""
    code, text = told("small-batches", "--in", "4,20", "--flips", "costs.delay=0/h..10/h")
    assert code == 0
    assert "20 releases from costs.delay = 0.5" in text
    code, text = told("small-batches", "--in", "4,20", "--flips", "response.fix=1h..5h")
    assert code == 0
    assert "No other way takes over in the range of response.fix." in text


def test_without_prices_nothing_is_the_cheapest() -> None:
    prices = ["--set", "costs.failed_request=0", "--set", "costs.delay=0/h"]
    code, text = told("small-batches", "--in", "1,20", *prices)
    assert code == 0
    assert "nothing is the cheapest" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["textbook"], "does not say what a release carries; add change.changes"),
        (["small-batches", "--in", "3"], "20 changes do not fit into 3 releases"),
        (["small-batches", "--in", "0"], "write some of 1, 2, 4, 5, 10, 20"),
        (["small-batches", "--in", "a"], "no list of whole numbers"),
        (["small-batches", "--strategy", "nix"], "no strategy 'nix'"),
        (["small-batches", "--format", "csv"], "not one of table, json, markdown"),
        (["small-batches", "--flips", "costs.release"], "is no range"),
        (["small-batches", "--flips", "change.changes.count=1..20"], "search another setting"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(arguments: list[str], says: str) -> None:
    code, text = told(*arguments)
    assert code == 2
    assert says in " ".join(text.replace("│", " ").split())


def test_a_file_that_cannot_be_read_is_three(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(["batches", "small-batches", "--set", "change.defect_probability=5%"])
    assert stop.value.code == 3
    assert "remove one of the two" in capsys.readouterr().err


def test_a_search_of_what_is_not_there_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(["batches", "small-batches", "--flips", "x=1..2"])
    assert stop.value.code == 3
    assert capsys.readouterr().err.startswith("--flips x: unknown key; allowed here: calendar,")


def test_help_opens_with_examples_and_colour_can_be_refused() -> None:
    code, text = told("--help")
    assert code == 0
    assert text.index("deploysim batches small-batches --in 1,4,20") < text.index("Arguments")
    code, text = told("small-batches", "--in", "4,20", "--no-color")
    assert code == 0
    assert "\x1b" not in text


def test_from_python() -> None:
    """The same figures as on the command line, with the usual numbers of releases."""
    code, text = told("small-batches", "--json")
    assert code == 0
    scenario = ds.load("small-batches")
    found = ds.batches(scenario, replications=10)
    assert [way.releases for way in found.ways] == [1, 5, 20]
    assert [way.total._asdict() for way in found.ways if way.total] == [
        way["total"] for way in json.loads(text)["ways"]
    ]
    with pytest.raises(ValueError, match="do not fit into 3 releases"):
        ds.batches(scenario, [3])
    with pytest.raises(ValueError, match="does not say what a release carries"):
        ds.batches(ds.load("textbook"))
