"""Stages of a pipeline: in which order they run, and what their names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.bring.view import View

_BASELINE, _CANARY = re.compile("baseline|control", re.I), re.compile("canary|experiment", re.I)


def ordered(stages: Sequence[View]) -> list[View]:
    """Stages in an order in which each comes after those it waits for, else as they stand."""
    left, done = list(stages), set[str]()
    found: list[View] = []
    while left:
        ready = [one for one in left if waits_for(one) <= done]
        one = (ready or left)[0]
        left.remove(one)
        found.append(one)
        done.add(one.name("refId"))
    return found


def waits_for(stage: View) -> set[str]:
    """The stages that a stage waits for, by their refId."""
    return {ref.name() for ref in stage.at("requisiteStageRefIds").items()}


def told(stage: View) -> str:
    """What tells whether a stage is about a canary: its name, and those of what it deploys."""
    names = [stage.name("name"), stage.name("moniker", "cluster"), stage.name("manifestName")]
    names += [inline(stage).name("metadata", "name"), stage.name("cluster")]
    cluster = stage.at("clusters", 0)
    names += [cluster.name("freeFormDetails"), cluster.name("stack")]
    return " ".join(names)


def inline(stage: View) -> View:
    """The first manifest that stands in a stage."""
    several = stage.at("manifests", 0)
    return several if several.exists else stage.at("manifest")


def side(name: str) -> str:
    """Whether a name tells of a canary or of a baseline; "" for production."""
    if _BASELINE.search(name):
        return "baseline"
    return "canary" if _CANARY.search(name) else ""
