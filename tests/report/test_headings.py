"""What each heading claims: its kind and settings exist, and its command runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import simulator
from simulator.cli.app import app
from simulator.report.headings import SECTIONS, Heading, headings, markdown
from simulator.words.scenario import Scenario
from simulator.words.shape import fields, traits
from simulator.words.strategy import Strategy, kinds

ROOT = Path(simulator.__file__).parent
ALL = [(where, heading) for _, where in SECTIONS for heading in headings(where)]


def exists(path: str) -> bool:
    """Whether the format has a key at this dotted path; inside lists and laws nobody looks."""
    model: Any = Scenario
    for part in path.replace("strategies.*.", "").split("."):
        key = part.partition("[")[0]
        if model is None or key not in fields(model):
            return model is None
        found = traits(fields(model)[key])[0]
        model = found[0] if len(found) == 1 else None
    return True


def test_every_file_of_headings_is_a_section() -> None:
    there = {str(path.relative_to(ROOT)) for path in ROOT.rglob("headings*.yaml")}
    assert there == {where for _, where in SECTIONS}


def test_every_platform_has_headings() -> None:
    packages = {path.parent.name for path in (ROOT / "platforms").glob("*/release.py")}
    assert packages <= {where.split("/")[1] for _, where in SECTIONS}


@pytest.mark.parametrize(("where", "heading"), ALL, ids=lambda x: getattr(x, "heading", ""))
def test_it_is_complete_and_names_what_there_is(where: str, heading: Heading) -> None:
    assert heading.simulated.strip().endswith(".")
    assert heading.not_modelled == "" or heading.not_modelled.strip().endswith(".")
    assert 2000 <= heading.date <= 2030
    if heading.kind is not None:
        own = {name for name in heading.settings if "." not in name}
        assert own <= set(kinds()[heading.kind].model_fields)
    for name in heading.settings:
        if "." in name and "*" not in name:
            assert exists(name), name
    assert heading.command or heading.not_modelled.startswith("No simulated effect")


def test_every_setting_of_a_platform_stands_under_a_heading() -> None:
    covered = {(heading.kind, name) for _, heading in ALL for name in heading.settings}
    for kind, model in kinds().items():
        if model.__module__.startswith("simulator.platforms."):
            missing = set(model.model_fields) - set(Strategy.model_fields)
            missing -= {name for of, name in covered if of == kind}
            assert not missing, (kind, missing)


@pytest.mark.parametrize(
    "command", [heading.command for _, heading in ALL if heading.command], ids=lambda x: x[:90]
)
def test_its_command_runs(command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "deploysim"
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output


def test_the_document_is_current() -> None:
    """`make platforms` writes it."""
    path = ROOT.parent / "docs" / "platforms.md"
    assert path.read_text("utf-8") == markdown()
