"""Parameters that are given, and nested stacks: what is compared, and what is never read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.preview import Preview, preview
from simulator.platforms.cloudformation.changes import Replacement
from simulator.platforms.cloudformation.unseen import Blind
from tests.cli.test_cli import call

DB = """
Parameters: {Size: {Type: String}, Name: {Type: String, Default: main}}
Resources:
  Table:
    Type: AWS::RDS::DBInstance
    Properties: {DBInstanceClass: !Ref Size, Engine: mysql, DBInstanceIdentifier: !Ref Name}
"""


def outer(url: str, size: str = "small", name: str = "main", queue: str = "jobs") -> str:
    """A stack with a queue and a nested one."""
    return f"""
Parameters: {{Stage: {{Type: String, Default: test, AllowedValues: [test, prod]}}}}
Resources:
  Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub "{queue}-${{Stage}}"}}}}
  Db:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: {url}
      Parameters: {{Size: db.{size}, Name: {name}}}
"""


def compared(folder: Path, old: str, new: str, **inside: str) -> Preview:
    """The preview of two texts beside these files."""
    for name, text in {"old": old, "new": new, **inside}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return preview(folder / "old.yaml", folder / "new.yaml")


def not_compared(found: Preview) -> tuple[str, ...]:
    return next((spot.names for spot in found.unseen if spot.blind is Blind.NESTED), ())


def test_a_nested_stack_is_compared_with_what_it_is_given(tmp_path: Path) -> None:
    old, new = outer("./db.yaml"), outer("db.yaml", size="large")
    found = compared(tmp_path, old, new, db=DB)
    ((path, inner),) = found.nested
    assert path == "Db"
    assert (inner.old, inner.new) == ("db.yaml", "db.yaml")
    (row,) = inner.rows
    assert row.change.name == "Table"
    assert [detail.cause for detail in row.change.details] == ["Size"]
    assert not_compared(found) == ()
    assert not compared(tmp_path, old, old).nested[0][1].rows


@pytest.mark.parametrize(("queue", "how"), [("work", Replacement.CONDITIONAL), ("jobs", None)])
def test_what_comes_from_a_replaced_resource_may_replace_inside(
    tmp_path: Path, queue: str, how: Replacement | None
) -> None:
    """The queue gets another name, so that it is replaced, and the database is named after it."""
    name = "!GetAtt Queue.QueueName"
    found = compared(
        tmp_path, outer("db.yaml", name=name), outer("db.yaml", name=name, queue=queue), db=DB
    )
    rows = found.nested[0][1].rows
    assert [row.change.replacement for row in rows] == ([how] if how else [])


def test_stacks_inside_stacks_added_and_removed(tmp_path: Path) -> None:
    """Two deep; a stack that is added or removed brings or takes all that it has."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "db.yaml").write_text(DB, "utf-8")
    middle = outer("db.yaml").replace("Queue", "Inbox")
    (tmp_path / "deep" / "middle.yaml").write_text(middle, "utf-8")
    stack = (
        "Resources: {{{}: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {}}}}}}}"
    )
    was, will = stack.format("One", "deep/middle.yaml"), stack.format("Two", "deep/middle.yaml")
    found = compared(tmp_path, was, will)
    actions = {path: {str(row.change.action) for row in one.rows} for path, one in found.nested}
    assert actions == {
        "Two": {"Add"},
        "Two/Db": {"Add"},
        "One": {"Remove"},
        "One/Db": {"Remove"},
    }
    assert all("/" not in one.new or one.new.startswith("deep/") for _, one in found.nested[:1])


@pytest.mark.parametrize(
    "url",
    [
        "https://bucket.s3.amazonaws.com/db.yaml",
        "s3://bucket/db.yaml",
        "../outside.yaml",
        "sub/../../outside.yaml",
        "link.yaml",
        "/etc/hostname",
        "missing.yaml",
        ".",
        '"a\\0b"',
        "!Sub '${AWS::Region}.yaml'",
        "loop.yaml",
    ],
)
def test_nothing_else_is_read(tmp_path: Path, url: str) -> None:
    """Never outside the folder, by a path, a link or a network: named instead."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text("SECRET: [", "utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    found = compared(folder, outer(url), outer(url, size="large"))
    assert not_compared(found) == ("Db",)
    assert found.nested == ()


def test_a_stack_that_holds_itself_comes_to_an_end(tmp_path: Path) -> None:
    found = compared(tmp_path, outer("new.yaml"), outer("new.yaml"))
    assert len(found.nested) == 8
    assert len(not_compared(found)) == 1


def test_a_wrong_template_inside_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"db.yaml.*Resources"):
        compared(tmp_path, outer("db.yaml"), outer("db.yaml"), db="Resource: {}")


def test_parameters_are_those_of_both(tmp_path: Path) -> None:
    compared(tmp_path, outer("db.yaml"), outer("db.yaml", queue="x"), db=DB)
    files = tmp_path / "old.yaml", tmp_path / "new.yaml"
    found = preview(*files, parameters={"Stage": "prod"})
    (queue,) = (row.change for row in found.rows if row.change.name == "Queue")
    assert queue.old is not None
    assert queue.new is not None
    assert queue.old.properties["QueueName"] == "jobs-prod"
    assert queue.new.properties["QueueName"] == "x-prod"
    assert not [spot for spot in found.unseen if spot.blind is Blind.PARAMETERS]
    with pytest.raises(ManifestError, match=r"AllowedValues: test, prod"):
        preview(*files, parameters={"Stage": "live"})
    with pytest.raises(ManifestError, match=r"no parameter 'Stagee'.*did you mean Stage"):
        preview(*files, parameters={"Stagee": "prod"})


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compared(tmp_path, outer("db.yaml"), outer("db.yaml", size="large"), db=DB)
    arguments = "preview", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")
    given = "--parameter", "Stage=prod"
    assert call(*arguments, *given) == 0
    out = capsys.readouterr().out
    assert "Nested stack Db: db.yaml -> db.yaml" in out
    assert "Table (AWS::RDS::DBInstance)" in out
    assert "Parameters stand at their defaults" not in out
    assert max(len(line) for line in out.splitlines()) <= 100
    assert call(*arguments, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert [one["path"] for one in body["nested"]] == ["Db"]
    assert body["nested"][0]["changes"][0]["logical_id"] == "Table"
    assert call(*arguments, "--format", "markdown") == 0
    assert "#### Nested stack Db" in capsys.readouterr().out
    assert call(*arguments, *given, *given) == 2
    assert call(*arguments, "--parameter", "Stage") == 2
    assert "KEY=VALUE" in capsys.readouterr().err
