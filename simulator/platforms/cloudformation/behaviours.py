"""What a change of a property does to its resource: the table, read once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from simulator.words.documents import packaged


class Behaviour(StrEnum):
    """What CloudFormation does to a resource when one of its properties changes."""

    NO_INTERRUPTION = "no interruption"
    SOME_INTERRUPTIONS = "some interruptions"
    CONDITIONAL = "depends"
    UNKNOWN = "unknown: look it up"
    REPLACEMENT = "replacement"


class Rule(NamedTuple):
    """The behaviour of one property; `note` says on what it depends, `source` where it stands.

    Without `confirmed` the entry rests on memory.
    """

    behaviour: Behaviour
    note: str = ""
    source: str = ""
    confirmed: bool = False


UNKNOWN = Rule(Behaviour.UNKNOWN)
_CUSTOM = Rule(Behaviour.CONDITIONAL, "the function behind it decides whether it is replaced")
_TAGS = Rule(Behaviour.NO_INTERRUPTION, "", "guide", True)
_SECTIONS = (Behaviour.NO_INTERRUPTION, Behaviour.SOME_INTERRUPTIONS, Behaviour.REPLACEMENT)


class Kind(NamedTuple):
    """A type of resource: its rules by property, and what a second one beside it means.

    `identity` names the values of which there can be one only; `data` what a replacement loses.
    """

    rules: Mapping[str, Rule]
    identity: tuple[str, ...]
    data: str


def is_custom(kind: str) -> bool:
    """Whether a function of the user's own stands behind a type."""
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def kind_of(name: str) -> Kind | None:
    """What is known of a type of resource, or None."""
    return _table().get(name)


def types() -> tuple[str, ...]:
    """The types of resources of which something is known."""
    return tuple(_table())


def rule(kind: str, prop: str, part: str = "") -> Rule:
    """The rule for a property (or a part of one); `UNKNOWN` if the table does not have it."""
    if is_custom(kind):
        return _CUSTOM
    known = kind_of(kind)
    if known is None:
        return UNKNOWN
    found = known.rules.get(f"{prop}.{part}") if part else None
    return found or known.rules.get(prop) or (_TAGS if prop == "Tags" else UNKNOWN)


@cache
def _table() -> dict[str, Kind]:
    entries = packaged(Path(__file__).with_name("replacement.yaml"))
    return {name: _kind(entry) for name, entry in entries.items()}


def _kind(entry: Mapping[str, Any]) -> Kind:
    source = f"{entry['source']} ({entry['year']})"
    confirmed = entry.get("confirmed", ())
    rules = {}
    for behaviour in _SECTIONS:
        for prop in entry.get(behaviour.name.lower(), ()):
            sure = confirmed == "all" or prop in confirmed
            rules[prop] = Rule(behaviour, "", source, sure)
    for prop, note in entry.get("conditional", {}).items():
        sure = confirmed == "all" or prop in confirmed
        rules[prop] = Rule(Behaviour.CONDITIONAL, note, source, sure)
    return Kind(rules, tuple(entry.get("identity", ())), entry.get("data", ""))
