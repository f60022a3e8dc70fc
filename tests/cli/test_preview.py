"""preview on the command line: the table, the formats, exit codes, hostile files."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

import simulator as ds
from simulator.platforms.cloudformation.changes import Replacement
from tests.bring.stacks import TEMPLATES
from tests.cli.test_cli import call

EXAMPLE = ("preview", "web-tier-before", "web-tier-after", "--policy", "web-tier-policy")


def test_the_packaged_example_says_what_happens(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*EXAMPLE) == 0
    out = capsys.readouterr().out
    assert "1 added, 5 modified (2 replaced), 1 removed." in out
    assert "Jobs cannot be replaced; the stack policy denies Database" in out
    assert "kind: cloudformation_rolling" in out
    assert "What a change set cannot see" in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_json_has_every_change_with_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*EXAMPLE, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema_version"] == 1
    assert body["replaced"] == ["Database", "Jobs"]
    assert body["failing"] == ["Jobs"]
    database = next(row for row in body["changes"] if row["logical_id"] == "Database")
    assert database["replacement"] == "True"
    assert database["policy"]["outcome"] == "denied"
    assert database["details"][0] == {
        "attribute": "Properties",
        "name": "StorageEncrypted",
        "update_behaviour": "replacement",
        "note": "",
        "requires_recreation": "Always",
        "evaluation": "Static",
        "change_source": "DirectModification",
        "causing_entity": None,
        "table": "schema, memory (2024)",
        "confirmed": True,
    }
    assert body["releases"][0]["settings"]["max_batch"] == "3"


def test_markdown_goes_to_a_file_and_carries_no_markup(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    text = 'Resources: {Q: {Type: AWS::SQS::Queue, Properties: {"<b>@me</b>|x": %s}}}'
    old.write_text(text % 1, "utf-8")
    new.write_text(text % 2, "utf-8")
    out = tmp_path / "out.md"
    assert call("preview", str(old), str(new), "--format", "markdown", "-o", str(out)) == 0
    told = out.read_text("utf-8")
    assert "<b>" not in told
    assert "@me" not in told
    assert "unknown: look it up" in told
    assert "| modify | unknown |" in told


def test_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("preview", "web-tier-before", "web-tier-before") == 0
    assert "Nothing changes." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "not a CloudFormation template"),
        ("a: " + "[" * 100 + "]" * 100, "nested deeper"),
        ('Resources: {"<script>": {Type: A::B::C}}', "is no logical name"),
        ('Resources: {X: {Type: A::B::C, Properties: {"\\e[2J": !Ref No}}}', "no parameter"),
    ],
)
def test_bad_templates_are_exit_code_3_and_one_message(
    text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")
    assert call("preview", str(path), "web-tier-after") == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert reason in captured.err
    assert str(path) in captured.err
    assert "\x1b" not in captured.err
    assert len(captured.err.splitlines()) == 1
    assert call("preview", str(path), "web-tier-after", "--json") == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] == "invalid manifest"
    assert [detail["file"] for detail in error["details"]] == [str(path)]


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("preview", "-", "-") == 2
    assert call("preview", "web-tier-before", "web-tier-after", "--format", "xml") == 2
    assert "markdown" in capsys.readouterr().err


def test_help_opens_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("preview", "--help") == 0
    out = capsys.readouterr().out
    assert out.index("deploysim preview web-tier-before") < out.index("Arguments")


def test_from_python() -> None:
    found = ds.preview(TEMPLATES / "service-old.yaml", TEMPLATES / "service-new.yaml")
    assert found.replaced() == ("Task",)
    assert found.replaced(Replacement.FALSE) == ("Service",)
    assert found.releases[0].kind == "ecs_rolling"


def test_every_heading_has_a_command_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(ds.__file__).parent / "platforms" / "cloudformation"
    entries = yaml.safe_load((folder / "headings-preview.yaml").read_text("utf-8"))
    assert [entry["heading"] for entry in entries] == [
        "CloudFormation: change sets",
        "CloudFormation: stack policies",
    ]
    for entry in entries:
        program, *arguments = shlex.split(entry["command"])
        assert program == "deploysim"
        assert call(*arguments) == 0
        assert capsys.readouterr().out
