"""The command exam: the question, the computed answer, and what is wrong with a question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import call

QUICK = ("-n", "6", "--jobs", "1")


def test_questions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 20
    assert max(map(len, lines)) <= 100
    assert all("exam/" not in line for line in lines)
    assert call("exam", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == [line.split()[0] for line in lines]
    assert all(one["question"].endswith(("?", ".")) for one in listed)


def test_help_opens_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam", "--help") == 0
    out = capsys.readouterr().out
    assert out.index("deploysim exam payroll-waves --ask") < out.index("Arguments")


def test_an_answer_says_why_and_when_it_flips(capsys: pytest.CaptureFixture[str]) -> None:
    """The distractors lose by numbers of the run, and a value moved by hand moves the answer."""
    assert call("exam", "payroll-waves", *QUICK) == 0
    shown, remark = capsys.readouterr()
    assert max(map(len, shown.splitlines())) <= 100
    for part in ("  A  Everyone on Monday", "Answer B:", "1,000 user-h", "200 user-h"):
        assert part in shown
    assert "C  misses time_to_deploy p95 <= 5d given good, it comes to 30 d" in shown
    assert "D with costs.delay at 25" in shown
    assert "Verified with fresh luck" in " ".join(shown.split())
    assert "--set 'costs.delay=...'" in remark
    assert call("exam", "payroll-waves", *QUICK, "--set", "costs.delay=400/h", "--no-flip") == 0
    assert "Answer D:" in capsys.readouterr().out


def test_a_question_can_be_asked_without_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam", "ecs-stuck", "--ask") == 0
    shown = capsys.readouterr().out
    assert "  D  The deployment circuit breaker" in shown
    assert "Answer" not in shown
    assert call("exam", "ecs-stuck", "--ask", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert set(body) == {"name", "question", "options"}
    assert body["options"]["D"].startswith("The deployment circuit breaker")


def test_what_cannot_be_carried_out_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam", "no-spare-instances", *QUICK, "--no-flip") == 0
    assert "A  cannot be carried out: needs 20 instances, limit 14." in capsys.readouterr().out
    few = ("--set", "service.limit=10", "--no-flip")
    assert call("exam", "no-spare-instances", *QUICK, *few) == 0
    assert "B  cannot be carried out" in capsys.readouterr().out


def test_an_answer_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam", "exam/swap-then-delete", *QUICK, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["answer"], body["close"], body["decides"]) == (
        "B",
        False,
        "failed_requests mean given good",
    )
    assert list(body["options"]) == ["B", "C", "D", "A"]
    assert body["options"]["B"]["loses"] is None
    assert body["options"]["D"]["loses"].endswith("too much.")
    assert body["options"]["A"]["value"]["value"] == pytest.approx(15_000, rel=0.02)
    (flip,) = body["flips"]
    assert (flip["flips_at"], flip["to"], flip["verified"]) == ("swap_group", "A", True)


def test_a_scenario_without_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("exam", "textbook") == 3
    assert "exam: is missing; write exam:" in capsys.readouterr().err
    assert call("exam", "nothing-like-it") == 3
    assert "cannot be read" in capsys.readouterr().err
    mine = tmp_path / "mine.yaml"
    assert call("scenarios", "exam/payroll-waves", "--copy", str(mine)) == 0
    mine.write_text(mine.read_text("utf-8").replace("strategy: in waves}", "strategy: in wave}"))
    assert call("exam", str(mine), "--json") == 3
    body = json.loads(capsys.readouterr().out)
    (detail,) = body["error"]["details"]
    assert detail["path"] == "exam.options.B.strategy"
    assert detail["line"] > 30
    assert "did you mean in waves" in detail["message"]
