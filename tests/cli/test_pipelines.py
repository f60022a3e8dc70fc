"""What pipelines are given works as it stands: the action's steps, the hook, and the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.words.reading import packaged_folder
from tests.cli import pipelines
from tests.cli.test_cli import call

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
TEXT = """version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors, rate: 2%}]}
strategies: {big_bang: {in_place: false}, "in steps": {kind: rolling}}
objectives: [time_to_deploy mean < 40s given good]
"""


def step(name: str) -> dict[str, Any]:
    return next(dict(one) for one in ACTION["runs"]["steps"] if one["name"] == name)


def perform(name: str, folder: Path, **inputs: str) -> int:
    """Run a step as a runner does: inputs by their expressions, outputs and summary in files."""
    told = {key: str(value.get("default", "")) for key, value in ACTION["inputs"].items()} | inputs

    def said(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: told[found[1]], text)

    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    program = commands / "deploysim"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m simulator "$@"\n', "utf-8")
    program.chmod(0o755)
    script = folder / "step.sh"
    script.write_text(step(name)["run"], "utf-8")
    environment = os.environ | {key: said(value) for key, value in step(name)["env"].items()}
    environment |= {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


@pytest.mark.slow
def test_the_actions_steps_check_summarise_and_report(tmp_path: Path) -> None:
    (tmp_path / "my scenario.yaml").write_text(TEXT, "utf-8")
    inputs = {"scenario": "my scenario.yaml", "replications": "5"}
    assert perform("Check", tmp_path, **inputs, strategy="in steps") == 99
    assert perform("Report", tmp_path, **inputs, strategy="in steps") == 0
    outputs = dict(
        line.split("=", 1) for line in (tmp_path / "output").read_text("utf-8").splitlines()
    )
    assert set(outputs) == set(ACTION["outputs"])
    assert '"objective-failed"' in (tmp_path / outputs["sarif"]).read_text("utf-8")
    comment = (tmp_path / outputs["comment"]).read_text("utf-8")
    assert (tmp_path / "summary").read_text("utf-8") == comment
    assert "in steps" in comment
    uploaded = tmp_path / step("Upload")["with"]["path"]
    assert (uploaded / "report.html").exists()


def test_no_input_stands_inside_a_script() -> None:
    for one in ACTION["runs"]["steps"]:
        assert "${{" not in one.get("run", "")


def test_the_hook_names_what_is_wrong_with_scenarios_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, *arguments = HOOK["entry"].split()
    found = sorted(str(path) for path in packaged_folder().rglob("*.yaml"))
    assert all(re.search(HOOK["files"], path) for path in found)
    files = [path for path in found if not re.search(HOOK["exclude"], path)]
    assert 0 < len(files) < len(found)
    assert call(*arguments, *files) == 0
    assert capsys.readouterr().out == ""
    for number in (1, 2):
        text = TEXT.replace("20 rps", "20") if number == 2 else TEXT.replace("2%", "5")
        (tmp_path / f"{number}.yaml").write_text(text, "utf-8")
    assert call(*arguments, files[0], str(tmp_path / "1.yaml"), str(tmp_path / "2.yaml")) == 3
    error = capsys.readouterr().err
    assert f"{tmp_path}/1.yaml:5:" in error
    assert f"{tmp_path}/2.yaml:4:" in error


def test_the_example_of_the_page_is_what_its_command_prints() -> None:
    text = pipelines.PAGE.read_text("utf-8")
    assert pipelines.COMMAND in " ".join(text.split())
    assert pipelines.page(text, pipelines.example()) == text, (
        "write it anew: python -m tests.cli.pipelines"
    )
