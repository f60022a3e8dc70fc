"""The sweep command: forms, files, and what it refuses before anything is run."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from simulator.cli import options
from simulator.findings import study
from tests.cli.test_cli import SMALL, call

DELAY, CHANCE = "detection.alarms[0].delay", "change.defect_probability"


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    defects = "change: {defects: [{kind: errors, rate: 20%}]}"
    path.write_text(re.sub("^change: .*$", defects, SMALL, flags=re.M), "utf-8")
    return str(path)


QUICK = ("-n", "10", "--jobs", "1", "--vary", f"{DELAY}=30s,5m", "--vary", f"{CHANCE}=1%,20%")


def test_the_table_fits_and_says_what_was_played(
    small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sweep", small, *QUICK) == 0
    captured = capsys.readouterr()
    assert "4 points of a grid, 2 of them played" in captured.out
    assert max(len(line) for line in captured.out.splitlines()) <= 100
    assert sum(line.startswith("canary") for line in captured.out.splitlines()) == 1
    assert captured.err == "4 points\n"


def test_json_csv_and_parquet_say_the_same(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = (*QUICK, "--figure", "users_harmed", "--strategy", "canary")
    assert call("sweep", small, *wanted, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["paths"] == [DELAY, CHANCE]
    assert body["points"][1]["texts"] == {DELAY: "30s", CHANCE: "20%"}
    means = [row["estimate"]["mean"]["value"] for row in body["rows"]]
    assert len(means) == 4
    assert means[0] == means[1] < means[2]
    assert call("sweep", small, *wanted, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["mean"]) for row in rows] == means
    assert [row[DELAY] for row in rows] == ["30.0", "30.0", "300.0", "300.0"]
    for name in ("x.parquet", "x.csv"):
        assert call("sweep", small, *wanted, "-o", str(tmp_path / name)) == 0
    assert pd.read_parquet(tmp_path / "x.parquet")["mean"].tolist() == means
    assert pd.read_csv(tmp_path / "x.csv")["mean"].tolist() == pytest.approx(means)
    assert call("sweep", small, *wanted, "--format", "markdown") == 0
    assert capsys.readouterr().out.count("| canary |") == 4


def test_pictures(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    wanted = (*QUICK, "--figure", "loss")
    assert call("sweep", small, *wanted, "-o", str(one)) == 0
    assert capsys.readouterr().out == ""
    assert call("sweep", small, *wanted, "--chart", str(other), "--format", "csv") == 0
    assert capsys.readouterr().out.startswith("point,")
    assert one.read_bytes() == other.read_bytes()
    assert b"<svg" in one.read_bytes()


def test_a_latin_hypercube_says_its_scale(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    vary = ("--vary", f"{DELAY}=10s..10m", "--vary", "service.instances=8..9")
    assert call("sweep", small, *vary, "--lhs", "3", "-n", "10", "--jobs", "1") == 0
    shown = capsys.readouterr().out
    assert "3 points of a Latin hypercube" in shown
    assert f"drawn from evenly in the logarithm: {DELAY}" in shown


def test_an_interrupted_sweep_prints_what_was_finished(
    small: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(_: bool) -> Callable[[int, int], None]:
        def stop(done: int, total: int) -> None:
            if done > total / 2:
                raise KeyboardInterrupt

        return stop

    monkeypatch.setattr(options, "progress", stopping)
    assert call("sweep", small, *QUICK, "--format", "csv") == 130
    captured = capsys.readouterr()
    assert "this is what was finished" in captured.err
    rows = list(csv.DictReader(io.StringIO(captured.out)))
    assert 0 < len(rows) < 4 * 2 * 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--vary", "traffic.rat=1 rps"), 3, "did you mean rate"),
        (("--vary", "traffic.rate=500,600"), 3, "500 has no unit"),
        (("--vary", "traffic.rate=9 rps..5 rps", "--lhs", "3"), 3, "is not below"),
        ((), 2, "nothing is varied"),
        (("--vary", "traffic.rate"), 2, "has no values"),
        (("--vary", "traffic.rate=1 rps..9 rps"), 2, "--lhs N"),
        (("--vary", f"{DELAY}=1s,2s", "--vary", f"{DELAY}=3s"), 2, "varied twice"),
        (("--vary", f"{DELAY}=1s..2s", "--lhs", "501"), 2, "1 to 500"),
        (("--vary", f"{DELAY}=1s", "--figure", "harm"), 2, "unknown figure"),
        (("--vary", f"{DELAY}=1s", "--given", "moon"), 2, "no release is"),
        (("--vary", f"{DELAY}=1s", "--format", "xml"), 2, "is not one of"),
        (("--vary", f"{DELAY}=1s", "-o", "/nowhere/x.csv"), 2, "its folder is not there"),
        (("--vary", f"{DELAY}=1s", "--strategy", "nope"), 2, "no strategy"),
    ],
)
def test_what_is_refused_is_one_message_and_nothing_runs(
    small: str,
    arguments: tuple[str, ...],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("something was played")

    monkeypatch.setattr(study, "run", never)
    assert call("sweep", small, *arguments) == code
    captured = capsys.readouterr()
    assert message in " ".join(captured.err.split())
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_a_strategy_that_is_at_no_point_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "three.yaml"
    file.write_text(
        "version: 1\nprofile: bare\nservice: {instances: 2}\ntraffic: {rate: 1 rps, users: 10}\n"
        "strategies: {canary: {}, rolling: {}, big_bang: {}}\n"
    )
    vary = "strategies={big_bang: {}},{rolling: {}}"
    assert call("sweep", str(file), "--vary", vary, "--strategy", "canary") == 2
    assert "no point has a strategy canary" in capsys.readouterr().err
