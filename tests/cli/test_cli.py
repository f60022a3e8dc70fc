"""The command line: exit codes, clean standard output, and what the first screen shows."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simulator.cli import options
from simulator.cli.app import run
from simulator.decide import sensitivity

SMALL = """
version: 1
name: Small
profile: ecs-fargate
service: {instances: 8, utilisation: 50%}
traffic: {rate: 200 rps, users: 20k}
change: {defects: [{kind: errors, share: 70%}, {kind: crash, share: 30%}]}
costs: {failed_request: 0.01}
strategies: {canary: {}, blue_green: {}}
planned: canary
objectives: ["time_to_deploy p95 < 4h given good"]
"""


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return str(path)


QUICK = ("compare", "-n", "50", "--pace", "1", "--jobs", "1", "--no-assumptions")


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    return int(ended.value.code or 0)


def test_compare_prints_a_table_of_at_most_100_columns(
    small: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitivity, "SCREENED", 4)
    monkeypatch.setattr(sensitivity, "SCREENED_KIND", 1)
    assert call("compare", small, "-n", "20", "--pace", "1", "--jobs", "2") == 0
    captured = capsys.readouterr()
    assert "Where bad releases are caught" in captured.out
    assert "Recommended" in captured.out
    assert "Means with both uncertainties" in captured.out
    assert max(len(line) for line in captured.out.splitlines()) <= 100
    assert "Next:" in captured.err


def test_json_is_alone_on_standard_output(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*QUICK, small, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema_version"] == 1
    assert set(body["strategies"]) == {"canary", "blue_green"}
    canary = body["strategies"]["canary"]
    assert canary["given_defect"]["users_harmed"]["unit"] == "share"
    assert sum(p["value"] for p in canary["outcomes"].values()) == pytest.approx(1)


@pytest.mark.parametrize(("form", "begins"), [("csv", "strategy,condition"), ("markdown", "### ")])
def test_other_formats(
    small: str, form: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*QUICK, small, "--format", form) == 0
    assert capsys.readouterr().out.startswith(begins)


def test_check_tells_by_its_exit_code(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", small, "-n", "50", "--jobs", "1") == 0
    strict = 'objectives=["time_to_deploy p95 < 1m given good"]'
    assert call("check", small, "-n", "50", "--jobs", "1", "--set", strict) == 99
    assert "FAILED" in capsys.readouterr().out


def test_an_invalid_file_is_3_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(SMALL.replace("200 rps", "200"), "utf-8")
    assert call("compare", str(path)) == 3
    assert f"{path}:6:" in capsys.readouterr().err
    assert call("compare", str(path), "--json") == 3
    body = json.loads(capsys.readouterr().out)
    assert body["error"]["code"] == 3
    (detail,) = body["error"]["details"]
    assert (detail["file"], detail["line"]) == (str(path), 6)


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare",),
        ("compare", "textbook", "--format", "xml"),
        ("compare", "textbook", "--strategy", "nope"),
        ("compare", "textbook", "--pace", "0"),
        ("compare", "textbook", "--executor", "moon"),
        ("replay", "textbook", "nope"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err
    assert not captured.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare",),
        ("compare", "textbook", "--strategy", "nope"),
        ("compare", "textbook", "--format", "xml"),
        ("exam", "--nonsense"),
        ("batches", "textbook"),
        ("preview", "-", "-"),
    ],
)
def test_wrong_usage_is_said_as_json(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments, "--json") == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert (error["code"], error["message"]) == (2, "usage")
    assert error["details"][0]["message"]
    assert not captured.err


def test_our_own_mistake_is_1_without_a_traceback(
    small: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("simulator.play.rehearsal.rehearse", broken)
    assert call("rehearse", small) == 1
    error = capsys.readouterr().err
    assert "oops" in error
    assert "Traceback" not in error


def test_new_without_a_terminal_writes_a_scenario_that_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    path = str(tmp_path / "mine.yaml")
    assert call("new", "-o", path) == 0
    assert call("rehearse", path) == 0
    assert "canary" in capsys.readouterr().out
    assert call("new", "-o", path) == 2


def test_replay_tells_and_draws(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("replay", small, "canary", "--defect", "errors") == 0
    assert "shift 5 % of the traffic" in capsys.readouterr().out
    picture = tmp_path / "x.svg"
    assert call("replay", small, "canary", "--defect", "errors", "-o", str(picture)) == 0
    assert picture.read_text("utf-8").lstrip().startswith("<?xml")
    assert call("replay", small, "canary", "--defect", "nope") == 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder", "it is a folder; name a file in it"),
        ("nowhere/x.svg", "its folder is not there; make"),
        ("kept/x.svg", "its folder is read-only"),
        ("kept/old.svg", "it is read-only"),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "-o"),
        ("replay", "canary", "-o"),
        ("rehearse", "-o"),
        ("sweep", "--vary", "traffic.rate=1 rps", "--chart"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_played(
    arguments: tuple[str, ...],
    name: str,
    why: str,
    small: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def access(path: Path, _: int) -> bool:
        return "kept" not in Path(path).parts

    monkeypatch.setattr(os, "access", access)  # root may write anywhere
    (tmp_path / "folder").mkdir(), (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "old.svg").touch()
    command, *rest = arguments
    assert call(command, small, *rest, str(tmp_path / name)) == 2
    told = capsys.readouterr()
    message = " ".join(told.err.replace("│", "").split())
    assert why in message
    assert rest[-1] in message
    assert not told.out


def test_a_file_is_written_whole_or_what_was_there_stays(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, link = tmp_path / "plan.txt", tmp_path / "link.txt"
    file.write_text("before"), file.chmod(0o600), link.symlink_to(file)
    with monkeypatch.context() as during:
        during.setattr(os, "fsync", full)
        assert call("rehearse", small, "-o", str(link)) == 1
        assert file.read_text() == "before"
    told = capsys.readouterr().err
    assert told == f"{file} cannot be written: No space left on device\n"
    assert call("rehearse", small, "-o", str(link)) == 0
    assert "canary" in file.read_text()
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"small.yaml", "plan.txt", "link.txt"}


def test_special_files_are_written_in_place(small: str, tmp_path: Path) -> None:
    assert call("rehearse", small, "-o", os.devnull) == 0
    assert not Path(os.devnull).is_file()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_text)
        assert call("rehearse", small, "-o", str(pipe)) == 0
        assert "canary" in read.result(10)
    assert pipe.is_fifo()


def piped(small: str, command: str, *environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command of a shell; D is deploysim, F the scenario."""
    done = subprocess.run(
        ["bash", "-c", f'D() {{ {shlex.quote(sys.executable)} -m simulator "$@"; }}; {command}'],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "F": small,
            "PYTHONPATH": os.pathsep.join(sys.path),
            **dict(pair.split("=") for pair in environment),
        },
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "D defaults | head -1",
        "D --help | true",
        "D rehearse $F | true",
        "D rehearse $F --json | true",
        "D check $F -n 10 -j 1 -q | true",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_mistake(command: str, small: str) -> None:
    _, _, errors = told = piped(small, f"{command} > /dev/null; exit ${{PIPESTATUS[0]}}")
    assert told[0] == 0
    assert not errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("D rehearse $F > /dev/full", "standard output cannot be written: No space left"),
        ("D defaults > /dev/full", "standard output cannot be written: No space left"),
        ("D rehearse $F --json > /dev/full", "standard output cannot be written: No space left"),
        ("D rehearse $F -o /dev/full", "/dev/full cannot be written: No space left"),
        ("D rehearse $F >&-", "standard output cannot be written: it is closed"),
        ("D rehearse - <&-", "standard input cannot be read: it is closed"),
    ],
)
def test_trouble_outside_is_told_in_one_line(command: str, told: str, small: str) -> None:
    code, output, errors = piped(small, command)
    assert code == 1
    assert errors.startswith(told)
    assert errors.count("\n") == 1
    assert not output


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
@pytest.mark.parametrize("where", ["-o /dev/stdout | cat", "-o >(cat)"])
def test_a_pipe_may_be_named_as_a_file(small: str, where: str) -> None:
    code, output, errors = piped(small, f"D rehearse $F {where}; wait $!")
    assert (code, errors) == (0, "")
    assert "canary" in output


def test_what_is_private_stays_so_and_names_that_lead_nowhere_are_refused(
    small: str, tmp_path: Path
) -> None:
    private, other, loop = tmp_path / "private", tmp_path / "other", tmp_path / "loop"
    private.write_text("old")
    private.chmod(0o600)
    assert piped(small, f"D rehearse $F -o {private}")[0] == 0
    assert private.stat().st_mode & 0o777 == 0o600
    other.hardlink_to(private)
    assert piped(small, f"D rehearse $F --json -o {private}")[0] == 0
    assert other.read_text("utf-8") == private.read_text("utf-8")
    loop.symlink_to(loop)
    code, _, errors = piped(small, f"D rehearse $F -o {loop}")
    assert code == 2
    assert "cannot write" in errors


def test_what_goes_into_a_file_needs_no_standard_output(small: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.txt"
    assert piped(small, f"D rehearse $F -o {file} >&- 2>&-") == (0, "", "")
    assert "canary" in file.read_text("utf-8")


def test_a_letter_that_cannot_be_shown_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        SMALL.replace("canary", "canäry").replace("{canäry: {}", "{canäry: {kind: canary}")
    )
    code, output, errors = piped(str(file), "D rehearse $F", "PYTHONIOENCODING=ascii")
    assert (code, errors) == (0, "")
    assert "can?ry" in output


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_what_to_try_next_may_be_pasted_into_a_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my $HOME.yaml"
    file.write_text(SMALL.replace("canary: {},", '"it\'s $5": {kind: rolling},', 1), "utf-8")
    assert call(*QUICK, str(file), "--set", "planned=blue_green") == 0
    replay, report = capsys.readouterr().err.splitlines()[-2:]
    assert shlex.split(replay)[:4] == ["deploysim", "replay", str(file), "it's $5"]
    assert shlex.split(report)[:5] == [
        *("deploysim", "compare", str(file)),
        *("--save", "runs/my $HOME.yaml"),
    ]


def test_a_run_folder_holds_everything(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    command = [*QUICK, small, "--pace", "1,2", "--save", str(folder)]
    assert call(*command) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "scenario.yaml",
        "manifest.json",
        "replications.parquet",
        "summary.json",
        "report.html",
    }
    page = (folder / "report.html").read_text("utf-8")
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert call(*command) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_describing_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("scenarios") == 0
    plain, _, questions = capsys.readouterr().out.partition("Exam questions")
    assert "textbook" in plain
    assert "exam/" not in plain
    assert "exam/payroll-waves" in questions
    assert call("scenarios", "exam/payroll-waves") == 0
    assert "decides: loss mean" in capsys.readouterr().out
    assert call("defaults", "ecs-fargate") == 0
    assert "service.startup" in capsys.readouterr().out
    assert call("defaults") == 0
    assert "deploysim defaults bare|ecs-fargate|" in capsys.readouterr().out
    assert call("schema") == 0
    assert json.loads(capsys.readouterr().out)["properties"]["strategies"]


def test_help_is_quick_and_light() -> None:
    """Under 0.2 s where the machine is idle; the best of three, and no heavy import."""
    code = (
        "import sys\nsys.argv = ['deploysim', '--help']\n"
        "from simulator.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'streamlit', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    best = 9.0
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        best = min(best, time.perf_counter() - began)
    assert "deploysim compare" in done.stdout
    assert done.stderr.strip() == "[]"
    assert best < 0.5


def test_flips_are_searched_on_demand(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*QUICK, small, "--flips", "detection.alarms[0].above=0.5%..5%") == 0
    shown = capsys.readouterr().out
    assert "Where the recommendation changes" in shown
    assert "detection.alarms[0].above" in shown
    assert call(*QUICK, small, "--flips", "response.watch=1h") == 2
    assert call(*QUICK, small, "--flips", "response.watch=1h..5m") == 2
    assert call(*QUICK, small, "--flips", "response.wait=5m..1h") == 3


TORNADO = ("--tornado", "users_harmed p95 given defect", "--tornado", "loss")
BARE = """
version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors}]}
strategies: {canary: {steps: [{weight: 5%, bake: 1m}]}, big_bang: {in_place: false}}
"""


def test_a_precision_that_is_not_reached_is_told(
    small: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulator.findings import comparison

    monkeypatch.setattr(comparison, "FIRST_LOOK", 20)
    monkeypatch.setattr(comparison, "LAST_LOOK", 40)
    asked = [*QUICK[:1], *QUICK[3:], small, "--strategy", "canary", "--precision"]
    assert call(*asked, "0.001%") == 0
    assert "not reached with 40 replications of each kind" in capsys.readouterr().err
    assert call(*asked, "100%") == 0
    assert "not reached" not in capsys.readouterr().err


def test_what_every_assumption_does_to_a_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(BARE, "utf-8")
    command = (*QUICK, str(bare), "-n", "20", "--strategy", "canary", *TORNADO)
    assert call(*command, "--json", "--save", str(tmp_path / "run")) == 0
    shown = capsys.readouterr()
    assert "more replications" in shown.err
    body = json.loads(shown.out)
    assert [(one["strategy"], one["expression"]) for one in body["tornado"]] == [
        ("canary", "users_harmed p95 given defect"),
        ("canary", "loss"),
    ]
    first = body["tornado"][0]
    assert (first["figure"], first["statistic"], first["given"]) == (
        "users_harmed",
        "p95",
        "defect",
    )
    ranged = [row["path"] for row in body["assumed"] if row["low"] is not None]
    assert sorted(row["path"] for row in first["rows"]) == sorted(ranged)
    swings = [row["swing"] for row in first["rows"]]
    assert swings == sorted(swings, reverse=True)
    assert {row["effect"] for row in first["rows"]} <= {"yes", "within noise", "none"}
    for row in first["rows"]:
        for end in ("low", "high"):
            apart = row[f"at_{end}"]["value"] - first["now"]["value"]
            assert row[f"moved_at_{end}"]["value"] == pytest.approx(apart)
    report = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "What moves a figure" in report
    assert "--tornado" in json.loads((tmp_path / "run" / "manifest.json").read_text())["command"]


def test_a_figure_that_is_none_is_refused_at_once(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (("compare", small), ("report", small, "-o", str(tmp_path / "all"))):
        assert call(*command, "--tornado", "users_harmd p95") == 2
        assert "did you mean users_harmed" in " ".join(capsys.readouterr().err.split())
    assert call("compare", small, "--tornado", "users_harmed given crush") == 2
    assert "did you mean crash" in " ".join(capsys.readouterr().err.split())


def test_marks_for_a_terminal_stay_out_of_files() -> None:
    assert options.colour(False, None)
    assert options.colour(False, "-")
    assert not options.colour(False, "result.txt")
    assert not options.colour(True, None)
