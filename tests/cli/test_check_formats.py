"""The formats of `check` that pipelines read, held against the rules of their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from tests.cli.test_cli import call

TEXT = """
version: 1
name: Kept & "failed" <b>
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors, rate: 2%}]}
detection: {noticed: {after: {lognormal: {median: 4h, sigma: 0.5}}}}
strategies: {big_bang: {in_place: false}, rolling: {}}
planned: big_bang
objectives:
  - time_to_deploy p95 < 4h given good for rolling
  - time_to_deploy mean < 1h given good
  - "time_to_deploy mean < 1s given good"
  - users_harmed mean < 91% given defect
"""
QUICK = ("-n", "30", "--jobs", "1", "-q")
KEPT, FAILED, OPEN = TEXT.strip().splitlines()[-3:]

# What junit-10.xsd (Jenkins) allows: attributes, of which those with ! are required, and children.
_JUNIT = {
    "testsuites": ("name tests failures errors time", "testsuite"),
    "testsuite": (
        "name! tests! failures! errors! skipped time timestamp hostname id package file",
        "properties testcase system-out system-err",
    ),
    "properties": ("", "property"),
    "property": ("name! value!", ""),
    "testcase": ("name! classname time group", "skipped error failure system-out system-err"),
    "failure": ("message type", ""),
    "error": ("message type", ""),
    "skipped": ("message type", ""),
    "system-out": ("", ""),
}
# The parts of SARIF 2.1.0's schema that are used here, and nothing beside them.
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_FILE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "minLength": 1}, "uriBaseId": {"type": "string"}},
}
_REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["startLine"],
    "properties": {
        "startLine": {"type": "integer", "minimum": 1},
        "startColumn": {"type": "integer", "minimum": 1},
    },
}
_PLACE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {"artifactLocation": _FILE, "region": _REGION},
        }
    },
}
_RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": _LEVEL,
        "message": _TEXT,
        "locations": {"type": "array", "items": _PLACE},
        "partialFingerprints": {
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
    },
}
_RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": _TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": _LEVEL}},
    },
}
_DRIVER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "rules": {"type": "array", "uniqueItems": True, "items": _RULE},
    },
}
_RUN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tool", "results"],
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": _DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["executionSuccessful"],
                "properties": {
                    "executionSuccessful": {"type": "boolean"},
                    "exitCode": {"type": "integer"},
                },
            },
        },
        "results": {"type": "array", "items": _RESULT},
    },
}
_SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": _RUN},
    },
}


def faults(element: ElementTree.Element) -> list[str]:
    """What the schema of JUnit files forbids in an element and below it."""
    allowed, children = (part.split() for part in _JUNIT[element.tag])
    names = {name.rstrip("!") for name in allowed}
    found = [f"{element.tag} has {name}" for name in element.attrib if name not in names]
    needed = [name[:-1] for name in allowed if name.endswith("!")]
    found += [f"{element.tag} lacks {name}" for name in needed if name not in element.attrib]
    for child in element:
        if child.tag in children:
            found += faults(child)
        else:
            found.append(f"{child.tag} in {element.tag}")
    return found


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("my files").mkdir()
    Path("my files/mine.yaml").write_text(TEXT.lstrip(), "utf-8")
    return "my files/mine.yaml"


def log(text: str) -> dict[str, Any]:
    """The run of a SARIF log that keeps to the schema."""
    body = json.loads(text)
    assert [error.message for error in Draft7Validator(_SARIF).iter_errors(body)] == []
    (run,) = body["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    return dict(run)


def test_junit_has_a_case_for_every_objective_of_the_planned_strategy(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("check", where, *QUICK, "--format", "junit") == 99
    root = ElementTree.fromstring(capsys.readouterr().out.encode())
    assert faults(root) == []
    (suite,) = root
    assert suite.get("name") == 'Kept & "failed" <b>'
    counted = [suite.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counted == ["3", "1", "0", "1"]
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    kept, failed, undecided = cases.values()
    assert {case.get("classname") for case in cases.values()} == {"big_bang"}
    assert kept.find("failure") is None
    assert kept.find("skipped") is None
    assert "my files/mine.yaml:13:" in str(failed.findtext("failure"))
    skipped = undecided.find("skipped")
    assert skipped is not None
    assert "not decided" in str(skipped.get("message"))


def test_sarif_stands_at_the_objectives_line(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("check", where, *QUICK, "--format", "sarif") == 99
    run = log(capsys.readouterr().out)
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 99}]
    failed, undecided = run["results"]
    lines = Path(where).read_text("utf-8").splitlines()
    for result, rule, level, line in (
        (failed, "objective-failed", "error", FAILED),
        (undecided, "objective-undecided", "warning", OPEN),
    ):
        assert (result["ruleId"], result["level"]) == (rule, level)
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {
            "uri": "my%20files/mine.yaml",
            "uriBaseId": "%SRCROOT%",
        }
        assert lines[place["region"]["startLine"] - 1] == line
    assert "not decided" in undecided["message"]["text"]
    assert "not decided" not in failed["message"]["text"]


def test_all_formats_say_what_is_not_decided(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("check", where, *QUICK) == 99
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if "not decided" in line] == [shown[2]]
    assert call("check", where, *QUICK, "--json") == 99
    found = json.loads(capsys.readouterr().out)["thresholds"]
    assert [(t["passed"], t["decided"]) for t in found] == [
        (True, True),
        (False, True),
        (True, False),
    ]


def test_a_kept_check_has_no_result_and_ends_with_0(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--set", "objectives=[time_to_deploy mean < 1h given good]")
    assert call("check", where, *QUICK, *sets, "--format", "sarif") == 0
    run = log(capsys.readouterr().out)
    assert run["results"] == []
    assert run["invocations"][0]["exitCode"] == 0


@pytest.mark.parametrize("form", ["sarif", "junit"])
def test_an_invalid_file_is_told_in_the_format_too(
    where: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(where).write_text(TEXT.lstrip().replace("20 rps", "20").replace("2%", "5"), "utf-8")
    assert call("check", where, *QUICK, "--format", form, "-o", "out") == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{where}:5:" in captured.err
    text = Path("out").read_text("utf-8")
    if form == "sarif":
        run = log(text)
        assert not run["invocations"][0]["executionSuccessful"]
        regions = [r["locations"][0]["physicalLocation"]["region"] for r in run["results"]]
        assert [region["startLine"] for region in regions] == [5, 6]
    else:
        root = ElementTree.fromstring(text.encode())
        assert faults(root) == []
        assert f"{where}:6:" in str(next(root.iter("error")).text)


def test_what_comes_from_standard_input_or_a_change_has_no_line(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--set", "objectives=[time_to_deploy mean < 2s given good]")
    assert call("check", where, *QUICK, *sets, "--format", "sarif") == 99
    (result,) = log(capsys.readouterr().out)["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert call("check", where, *QUICK, "--set", "traffic.rate=7", "--format", "sarif") == 3
    (result,) = log(capsys.readouterr().out)["results"]
    assert "locations" not in result


def test_objectives_of_others_alone_are_nothing_to_check(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    others = "objectives=[time_to_deploy mean < 1h given good for rolling]"
    assert call("check", where, *QUICK, "--set", others) == 2
    assert "big_bang" in capsys.readouterr().err


def test_any_name_makes_xml() -> None:
    from simulator.report import annotations
    from simulator.words.problems import Problem

    text = annotations.junit_problems([Problem("a\x01b\x0c\ufffe.yaml", "x", 1, 1, "no \x00 <b>")])
    assert ElementTree.fromstring(text).tag == "testsuites"
