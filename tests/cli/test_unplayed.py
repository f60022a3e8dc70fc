"""Strategies that can never finish: a row with the reason everywhere, and no figure."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from simulator.cli.app import run
from simulator.findings.comparison import simulate
from simulator.words.reading import loads
from tests.report.pages import Page

ALL = """
version: 1
service: {instances: 10, utilisation: 50%, startup: 15m}
traffic: {rate: 100 rps}
strategies: {rolling: {}, canary: {}}
"""
ONE = """
version: 1
profile: bare
service: {instances: 10, utilisation: 50%, install: 15m, start_failure: {timeout: 10m}}
traffic: {rate: 100 rps}
change: {defects: [{kind: crash}]}
strategies: {bb: {kind: big_bang, in_place: true}, c: {kind: canary}}
"""
WHY = "can never finish: a start takes longer than its timeout of 10m"
GOAL = ("--set", 'objectives=["time_to_deploy p95 < 4h given good"]')
QUICK = ("-n", "50", "--pace", "1", "--jobs", "1", "--no-assumptions", "-q")


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture(params=[ALL, ONE], ids=["all", "one"])
def stuck(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, set[str]]:
    """A file, and which of its strategies can never finish."""
    path = tmp_path / "stuck.yaml"
    path.write_text(request.param, "utf-8")
    return str(path), {"rolling", "canary"} if request.param is ALL else {"bb"}


def test_json_has_every_strategy_with_its_reasons(
    stuck: tuple[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, names = stuck
    assert call("compare", file, *QUICK, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    found = {name for name, one in body["strategies"].items() if not one["suitable"]}
    assert found == names
    assert all(WHY in body["strategies"][name]["reasons"][0] for name in names)
    assert set(body["strategies"]) >= {"canary" if "canary" in names else "c"}
    keys = {frozenset(one) for one in body["strategies"].values()}
    assert len(keys) == 1
    assert body["recommendation"] is None


def test_table_csv_and_markdown_say_why(
    stuck: tuple[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, names = stuck
    assert call("compare", file, *QUICK) == 0
    shown = capsys.readouterr().out
    assert shown.count(f"unsuitable: {WHY}") == len(names)
    assert ("None of these can be carried out" in shown) == (len(names) == 2)
    assert call("compare", file, *QUICK, "--format", "csv") == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    said = {x["strategy"]: x["statistic"] for x in lines if x["figure"] == "unsuitable"}
    assert set(said) == names
    assert all(WHY in text for text in said.values())
    assert call("compare", file, *QUICK, "--format", "markdown") == 0
    assert capsys.readouterr().out.count(f"<br>unsuitable: {WHY}") == len(names)


def test_it_keeps_no_objective(
    stuck: tuple[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = stuck
    assert call("check", file, "-n", "50", "--jobs", "1", "-q", *GOAL) == 99
    assert "cannot be carried out" in capsys.readouterr().out
    assert call("compare", file, *QUICK, "--check", *GOAL) == 99


def test_the_report_says_so(tmp_path: Path) -> None:
    path = tmp_path / "stuck.yaml"
    path.write_text(ALL, "utf-8")
    assert call("report", str(path), "-o", str(tmp_path / "out"), "-n", "50", "--jobs", "1") == 0
    text = (tmp_path / "out" / "stuck" / "report.html").read_text("utf-8")
    assert Page(text).faults == []
    assert text.count(f"cannot be carried out here: {WHY}") == 2
    assert "None of these can be carried out" in text
    assert "#flips" not in text
    assert 'id="flips"' not in text
    index = (tmp_path / "out" / "index.md").read_text("utf-8")
    assert "rolling cannot be carried out as planned" in index


def test_frames_are_empty() -> None:
    results = simulate(loads(ALL), 20)
    assert results.unplayed == ("rolling", "canary")
    assert results.replications == {"bad": 0, "good": 0}
    assert results.frame.empty
    assert results.risk().table().empty
