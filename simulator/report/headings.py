"""Headings of certification notes: what is simulated of each, by which settings, how to see it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from simulator.words import profiles
from simulator.words.documents import packaged
from simulator.words.settings import flow
from simulator.words.strategy import kinds
from simulator.words.writing import written_out

SECTIONS = (
    ("Deployment types and release techniques", "strategies/headings.yaml"),
    ("Blue/green methods", "strategies/headings-cutovers.yaml"),
    ("When blue/green is unsuitable", "strategies/headings-unsuitable.yaml"),
    ("CI/CD considerations", "strategies/headings-delivery.yaml"),
    ("Elastic Beanstalk", "platforms/beanstalk/headings.yaml"),
    ("CloudFormation: updates of instances", "platforms/cloudformation/headings.yaml"),
    ("CloudFormation: templates and policies", "platforms/cloudformation/headings-preview.yaml"),
    ("CodeDeploy", "platforms/codedeploy/headings.yaml"),
    ("Containers: ECS", "platforms/ecs/headings.yaml"),
    ("Containers: Kubernetes", "platforms/kubernetes/headings.yaml"),
    ("Spinnaker and Kayenta", "platforms/spinnaker/headings.yaml"),
    ("Containers: Argo Rollouts", "platforms/argo_rollouts/headings.yaml"),
    ("Containers: Flagger", "platforms/flagger/headings.yaml"),
    ("API Gateway and Lambda", "platforms/api_gateway/headings.yaml"),
    ("Systems Manager", "platforms/systems_manager/headings.yaml"),
    ("AppConfig", "platforms/appconfig/headings.yaml"),
    ("OpsWorks (legacy)", "platforms/opsworks/headings.yaml"),
    ("Config and drift", "platforms/config/headings.yaml"),
)
_INTRODUCTION = """# What is simulated of AWS and Kubernetes

Every heading of certification notes, what the simulator does about it, the settings with their
defaults, the source and its year, what is not modelled, and a command that shows it moving. Made by
`make platforms` from the files beside the code; every command runs in the tests.
"""


class Heading(NamedTuple):
    """One heading: what is `simulated` of it, by a kind of strategy or other `settings`, what is
    `not_modelled` (empty: nothing that matters), its source with its year, and a command (empty
    where there is no simulated effect).
    """

    heading: str
    simulated: str
    kind: str | None
    settings: tuple[str, ...]
    not_modelled: str
    source: str
    date: int
    command: str


def headings(where: str) -> tuple[Heading, ...]:
    """The headings of one file, by its place below the package."""
    entries = packaged(Path(__file__).resolve().parents[1] / where)
    return tuple(Heading(**{**e, "settings": tuple(e["settings"])}) for e in entries)


def markdown() -> str:
    """The whole document."""
    parts = [_INTRODUCTION]
    for title, where in SECTIONS:
        parts.append(f"## {title}\n")
        parts += [_entry(heading) for heading in headings(where)]
    return "\n".join(parts)


def _entry(heading: Heading) -> str:
    lines = [f"### {heading.heading}\n", heading.simulated]
    kind = f"kind `{heading.kind}`" if heading.kind else ""
    settings = ", ".join(_setting(heading.kind, name) for name in heading.settings)
    told = ": ".join(part for part in (kind, settings) if part)
    if told:
        lines.append(f"\n- Settings: {told}")
    else:
        lines.append("")
    if heading.not_modelled:
        lines.append(f"- Not modelled: {heading.not_modelled}")
    lines.append(f"- Source: {heading.source} ({heading.date})")
    if heading.command:
        lines.append(f"\n```sh\n{heading.command.strip()}\n```")
    return "\n".join(lines) + "\n"


def _setting(kind: str | None, name: str) -> str:
    """A setting with its default, where it has one."""
    usual = _usual(kind).get(name) if kind and "." not in name else _assumed().get(name)
    return f"`{name}`" if usual is None else f"`{name}` ({flow(usual)})"


@cache
def _usual(kind: str) -> dict[str, Any]:
    """The defaults of a kind's settings, as a file has them."""
    return written_out(kinds()[kind](kind=kind))


@cache
def _assumed() -> dict[str, Any]:
    """The defaults of keys of a scenario that are assumptions about the world."""
    return {row.path: row.value for row in profiles.rows()}


__all__ = ["SECTIONS", "Heading", "headings", "markdown"]
