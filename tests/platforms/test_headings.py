"""What each platform's headings claim: their kinds and settings exist, and their commands run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.words.scenario import Scenario
from simulator.words.shape import fields, traits
from simulator.words.strategy import kinds

FILES = sorted((Path(__file__).parents[2] / "simulator" / "platforms").glob("*/headings.yaml"))
KEYS = ["heading", "simulated", "kind", "settings", "not_modelled", "source", "date", "command"]


def entries(path: Path) -> list[dict[str, Any]]:
    return yaml.safe_load(path.read_text("utf-8"))


def exists(path: str) -> bool:
    """Whether the format has a key at this dotted path; inside lists and laws nobody looks."""
    model: Any = Scenario
    for key in path.split("."):
        if model is None or key not in fields(model):
            return model is None
        found = traits(fields(model)[key])[0]
        model = found[0] if len(found) == 1 else None
    return True


def test_every_platform_has_headings() -> None:
    packages = {path.parent.name for path in FILES[0].parents[1].glob("*/__init__.py")}
    assert {path.parent.name for path in FILES} == packages


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_headings_are_complete_and_name_what_there_is(path: Path) -> None:
    found = entries(path)
    covered = {(e["kind"], setting) for e in found for setting in e["settings"]}
    for entry in found:
        assert list(entry) == KEYS, entry["heading"]
        assert entry["simulated"].endswith(".")
        assert entry["not_modelled"] == "" or entry["not_modelled"].endswith(".")
        assert 2010 <= entry["date"] <= 2030
        if entry["kind"] is not None:
            known = kinds()[entry["kind"]].model_fields
            own = [setting for setting in entry["settings"] if "." not in setting]
            assert set(own) <= set(known), entry["heading"]
        assert all(exists(name) for name in entry["settings"] if "." in name), entry["heading"]
        assert entry["command"] or entry["not_modelled"].startswith("No simulated effect")
    for kind, model in kinds().items():
        if model.__module__.startswith(f"simulator.platforms.{path.parent.name}."):
            missing = (
                set(model.model_fields) - {"kind", "pace"} - {s for k, s in covered if k == kind}
            )
            assert not missing, (kind, missing)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_commands_run(path: Path) -> None:
    for entry in entries(path):
        if entry["command"]:
            program, *words = shlex.split(entry["command"])
            assert program == "deploysim"
            ran = CliRunner().invoke(app, words)
            assert ran.exit_code == 0, (entry["command"], ran.output)
