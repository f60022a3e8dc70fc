"""What the README shows works as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.words.reading import loads

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_five_lines_are_a_scenario() -> None:
    scenario = loads(blocks("yaml")[0])
    assert list(scenario.strategies) == ["rolling", "canary", "blue_green"]


def test_the_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = blocks("python")[0].replace("replications=200", "replications=20")
    exec(compile(code, "README.md", "exec"), {})
    assert "users_harmed_p95" in capsys.readouterr().out


def test_the_picture_and_the_pages_are_there() -> None:
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    for target in [*pictures, *re.findall(r"\]\(([^)#]+)\)", README)]:
        if "://" not in target:
            assert (Path(__file__).parents[1] / target).exists(), target
