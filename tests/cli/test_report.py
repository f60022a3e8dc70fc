"""report: a folder for every scenario; the same command resumes; one that fails stops no other."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.app import run
from simulator.findings import runs
from simulator.report import batch
from simulator.words.reading import packaged

SMALL = """
version: 1
name: {name}
profile: ecs-fargate
service: {{instances: 8, utilisation: 50%}}
traffic: {{rate: 200 rps, users: 20k}}
change: {{defects: [{{kind: errors, rate: 5%}}, {{kind: crash}}]}}
costs: {{failed_request: 0.01}}
strategies: {{canary: {{}}, blue_green: {{}}}}
planned: canary
objectives: ["time_to_deploy p95 < 1m given good"]
"""
QUICK = ("-n", "60", "--pace", "1", "--no-gates", "--jobs", "1")
BATCHES = 2 * 3
CONFIRMED = 2 * 3


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["report", *arguments])
    return int(ended.value.code or 0)


def written(folder: Path, name: str, title: str = "") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(SMALL.format(name=title or name.title()), "utf-8")
    return str(path)


def listed(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "index.json").read_text("utf-8"))[
        "scenarios"
    ]
    return found


def test_a_folder_each_and_an_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `compare --save` writes, and chunks; again, nothing is played and nothing changes."""
    one, out = written(tmp_path, "one"), tmp_path / "runs"
    assert call(one, "-o", str(out), *QUICK) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}/one/report.html\n"
    assert f"one: {BATCHES + CONFIRMED} batches played, 0 reused" in told.err
    with pytest.raises(SystemExit):
        run(["compare", one, *QUICK[:4], "--no-assumptions", "--save", str(tmp_path / "saved")])
    first = {path.name: path.read_bytes() for path in (out / "one").iterdir() if path.is_file()}
    assert set(first) == {path.name for path in (tmp_path / "saved").iterdir()}
    for name in ("replications.parquet", "scenario.yaml"):
        assert first[name] == (tmp_path / "saved" / name).read_bytes()
    (entry,) = listed(out)
    assert entry["state"] == "done"
    assert entry["planned"] == "canary"
    assert (entry["objectives"], entry["failed"], entry["error"]) == (1, 1, "")
    assert entry["harmed_planned"] > 0
    assert entry["loss_planned"] > 0
    capsys.readouterr()
    assert call(one, "-o", str(out), *QUICK) == 0
    assert f"one: 0 batches played, {BATCHES + CONFIRMED} reused" in capsys.readouterr().err
    assert first == {p.name: p.read_bytes() for p in (out / "one").iterdir() if p.is_file()}


def test_a_failing_scenario_in_the_middle_is_listed_and_the_rest_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = written(tmp_path, "first"), written(tmp_path, "last")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(SMALL.format(name="Wrong").replace("200 rps", "200"), "utf-8")
    out = tmp_path / "runs"
    assert call(first, str(wrong), last, "-o", str(out), *QUICK) == 3
    states = {e["slug"]: e["state"] for e in listed(out)}
    assert states == {"first": "done", "wrong": "invalid", "last": "done"}
    assert f"{wrong}:6:" in listed(out)[1]["error"]
    assert f"{wrong}:6:" in capsys.readouterr().err
    assert (out / "last" / "report.html").exists()


def test_a_scenario_without_a_name_goes_by_its_file(tmp_path: Path) -> None:
    names = [written(tmp_path, name, "scenario") for name in ("one", "two")]
    assert call(*names, "-o", str(tmp_path / "runs"), *QUICK) == 0
    assert [(e["slug"], e["name"]) for e in listed(tmp_path / "runs")] == [
        ("one", "one"),
        ("two", "two"),
    ]


def test_two_scenarios_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    one, two = written(tmp_path, "a", "Web shop!"), written(tmp_path, "b", "web-shop")
    out = tmp_path / "runs"
    changed = ("--set", "costs.failed_request=0.02")
    assert call(one, two, "-o", str(out), *QUICK, *changed) == 0
    assert [e["slug"] for e in listed(out)] == ["web-shop", "web-shop-2"]
    for entry in listed(out):
        manifest = json.loads((out / entry["slug"] / "manifest.json").read_text("utf-8"))
        assert manifest["scenario"] == {"name": entry["name"], "sha256": entry["sha256"]}
        assert "--set costs.failed_request=0.02" in manifest["command"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Web shop", "web-shop"), ("../../x", "x"), ("Café 24/7", "cafe-24-7"), ("支付", "")],
)
def test_slugs(name: str, expected: str) -> None:
    assert batch.slug(name) == expected
    assert len(batch.slug("long " * 50)) <= 60


def test_files_folders_and_packaged_names(tmp_path: Path) -> None:
    """Folders with all that is in them, but for what is hidden or kept by runs."""
    one = written(tmp_path, "one")
    (tmp_path / "deep").mkdir()
    deep = written(tmp_path / "deep", "deep")
    (tmp_path / ".hidden").mkdir()
    written(tmp_path / ".hidden", "not")
    (tmp_path / "run").mkdir()
    written(tmp_path / "run", "scenario")
    (tmp_path / "run" / "manifest.json").write_text("{}", "utf-8")
    found = batch.sources([str(tmp_path), one, "textbook"])
    assert found == (deep, one, "textbook")
    assert batch.sources(["exam"]) == tuple(packaged("exam"))
    (tmp_path / "empty").mkdir()
    assert call(str(tmp_path / "empty"), "-o", str(tmp_path / "runs")) == 2


@pytest.fixture
def limited() -> Iterator[None]:
    """Files of at most 100 kB: a chunk fits, the tables do not; the system then says EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_does_not_fit_is_told(
    tmp_path: Path, limited: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    assert call(written(tmp_path, "one"), "-o", str(out), *QUICK) == 1
    (entry,) = listed(out)
    assert entry["state"] == "failed"
    assert "File too large" in entry["error"]
    assert "File too large" in capsys.readouterr().err
    assert not list((out / "one").glob("*.part"))


def mounted(options: str, where: Path) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(where)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("needs the right to mount")


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")
@pytest.mark.parametrize(("options", "told"), [("size=128k", "No space left"), ("ro", "Read-only")])
def test_a_full_disk_and_a_read_only_one(
    options: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one folder that cannot be written fails; the other scenario is done."""
    bad, good = written(tmp_path, "bad"), written(tmp_path, "good")
    out = tmp_path / "runs"
    (out / "bad").mkdir(parents=True)
    mounted(options, out / "bad")
    try:
        assert call(bad, good, "-o", str(out), *QUICK) == 1
        assert [e["state"] for e in listed(out)] == ["failed", "done"]
        assert told in listed(out)[0]["error"]
        assert "Traceback" not in capsys.readouterr().err
    finally:
        subprocess.run(["umount", str(out / "bad")], check=True)


def test_an_index_that_cannot_be_written_is_told_whatever_is_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [written(tmp_path, "one"), written(tmp_path, "two")]
    (tmp_path / "runs" / "index.html").mkdir(parents=True)
    assert call(*files, "-o", str(tmp_path / "runs"), "-q", *QUICK) == 1
    told = capsys.readouterr()
    assert "index.html cannot be written" in told.err
    assert "index.html" not in told.out
    assert len(listed(tmp_path / "runs")) == 2


def test_a_folder_that_becomes_full_is_told_by_compare_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "summary.json").mkdir(parents=True)
    arguments = ["compare", written(tmp_path, "one"), "-n", "5", "--pace", "1", "-q"]
    with pytest.raises(SystemExit) as ended:
        run([*arguments, "--no-assumptions", "--save", str(tmp_path / "run")])
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert "something went wrong" not in told


def test_a_folder_that_is_written_in_part_has_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the old one; and what it keeps is no scenario of one's own."""
    out = tmp_path / "runs"
    arguments = (written(tmp_path, "one"), "-o", str(out), *QUICK)
    assert call(*arguments) == 0
    assert (out / "one" / "manifest.json").exists()

    def full(path: Path, content: bytes) -> None:
        if path.name == "report.html":
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    write = runs.write
    monkeypatch.setattr("simulator.report.folder.write", full)
    assert call(*arguments) == 1
    assert f"{out}/one/report.html No space left" in listed(out)[0]["error"]
    assert not (out / "one" / "manifest.json").exists()
    assert batch.sources([str(tmp_path)]) == (str(tmp_path / "one.yaml"),)


def test_scenarios_may_lie_where_the_runs_go_and_the_index_names_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "one"), written(tmp_path, "two")
    seen: list[list[tuple[str, str]]] = []
    pages = batch._pages

    def noted(runs: Any, seed: int) -> dict[str, str]:
        seen.append([(run.source, run.state) for run in runs])
        return pages(runs, seed)

    monkeypatch.setattr(batch, "_pages", noted)
    for _ in range(2):
        assert call(str(tmp_path), "-o", str(tmp_path), *QUICK, "-q") == 0
    assert [[state for _, state in runs] for runs in seen] == [
        ["done", "waiting"],
        ["done"] * 2,
    ] * 2


def test_the_next_scenario_is_played_while_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With workers: the first is written only once the second has batches, and told first."""
    names = [written(tmp_path, name) for name in ("one", "two")]
    out, save, found = tmp_path / "runs", batch.save, list[bool]()

    def waits(comparison: Any, where: str, command: str) -> Path:
        began = time.monotonic()
        while not list((out / "two").rglob("*.npz")) and time.monotonic() - began < 60:
            time.sleep(0.01)
        found.append(time.monotonic() - began < 60)
        return save(comparison, where, command)

    monkeypatch.setattr(batch, "save", waits)
    assert call(*names, "-o", str(out), *QUICK[:-1], "2") == 0
    assert found == [True, True]
    told = capsys.readouterr().out.splitlines()[:2]
    assert told == [f"{out}/{name}/report.html" for name in ("one", "two")]


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    out.mkdir()
    (out / "one").write_text("in the way", "utf-8")
    assert call(written(tmp_path, "one"), "-o", str(out), *QUICK) == 1
    assert listed(out)[0]["state"] == "failed"
    assert call(written(tmp_path, "one"), "-o", str(out / "one"), *QUICK) == 2


@pytest.mark.parametrize(
    ("how", "jobs", "code"), [("SIGINT", 2, 130), ("SIGTERM", 1, 143), ("SIGTERM", 2, 143)]
)
def test_an_interrupted_batch_keeps_what_was_finished_and_resumes(
    how: str, jobs: int, code: int, tmp_path: Path
) -> None:
    """Ctrl-C while the second scenario is played: the first is done, the same command resumes; a
    request to end, to this process alone, is the same."""
    names = [written(tmp_path, name) for name in ("one", "two", "three")]
    out = tmp_path / "runs"
    arguments = [*names, "-o", str(out), "-n", "300", *QUICK[2:-1], str(jobs)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "report", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    signal.signal(signal.SIGINT, before)
    began = time.monotonic()
    while len(list((out / "two" / ".chunks").glob("*.npz"))) < 2:
        assert time.monotonic() - began < 60
        assert process.poll() is None
        time.sleep(0.002)
    if how == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    _, told = process.communicate(timeout=30)
    assert process.returncode == code, told
    assert "Traceback" not in told
    assert [e["state"] for e in listed(out)] == ["done", "interrupted", "interrupted"]
    kept = {path.name for path in (out / "two" / ".chunks").glob("*.npz")}
    assert len(kept) >= 2
    assert call(names[1], "-o", str(out), "-n", "300", *QUICK[2:]) == 0
    assert [e["state"] for e in listed(out)] == ["done"]
    alone = tmp_path / "alone"
    assert call(names[1], "-o", str(alone), "-n", "300", *QUICK[2:]) == 0
    for name in ("replications.parquet", "summary.json"):
        assert (out / "two" / name).read_bytes() == (alone / "two" / name).read_bytes()
    assert kept <= {path.name for path in (alone / "two" / ".chunks").iterdir()}
