"""The headings of CI/CD: each names settings that exist, and a command that runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from simulator.cli.app import app
from tests.test_every_key_matters import CASES, NOT_IN_A_REPLICATION, settings

FILE = Path(__file__).parents[1] / "docs" / "headings-cicd.yaml"
ENTRIES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
KEYS = {"heading", "simulated", "kind", "settings", "not_modelled", "source", "date", "command"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["heading"])
def test_it_is_whole_and_its_settings_move_something(entry: dict[str, Any]) -> None:
    assert set(entry) == KEYS
    known = {*CASES, *NOT_IN_A_REPLICATION, *(f"strategies.*.{key}" for _, key, _ in settings())}
    for path in entry["settings"]:
        assert path in known or any(one.startswith(f"{path}[") for one in known), path


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["heading"])
def test_its_command_runs(entry: dict[str, Any]) -> None:
    name, *arguments = shlex.split(entry["command"])
    assert name == "deploysim"
    result = CliRunner().invoke(app, [*arguments, "-q", "--jobs", "1"])
    assert result.exit_code == 0, result.output
