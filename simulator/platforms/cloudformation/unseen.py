"""What a change set cannot see, in general and in these templates.

Source: AWS CloudFormation user guide, "Updating stacks using change sets" (2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from simulator.platforms.cloudformation.behaviours import Behaviour, is_custom
from simulator.platforms.cloudformation.changes import Action, Change
from simulator.platforms.cloudformation.stack import Function, Template

NESTED = "AWS::CloudFormation::Stack"


class Blind(StrEnum):
    """A thing that decides over an update and does not show in a change set."""

    QUOTA = "quotas of the account"
    PERMISSION = "permissions of whoever updates"
    DRIFT = "drift"
    STABILITY = "whether resources become stable"
    PARAMETERS = "parameter values"
    UNRESOLVED = "values known only while updating"
    NESTED = "nested stacks"
    CUSTOM = "custom resources"
    MACROS = "macros"
    UNKNOWN = "properties that the table does not know"
    UNCONFIRMED = "properties known from memory only"


class Unseen(NamedTuple):
    """One blind spot, with the names in these templates that it concerns (none: all of them)."""

    blind: Blind
    names: tuple[str, ...]


def unseen(
    old: Template, new: Template, changes: Iterable[Change], nested: Iterable[str] = ()
) -> tuple[Unseen, ...]:
    """The blind spots of a change set; those that concern nothing in these templates left out.

    `nested` names the nested stacks whose templates were not compared.
    """
    found = [
        Unseen(blind, ()) for blind in (Blind.QUOTA, Blind.PERMISSION, Blind.STABILITY, Blind.DRIFT)
    ]
    listed = list(changes)
    kinds = {name: resource.type for name, resource in new.resources.items()}
    details = [(c, d) for c in listed if c.action is Action.MODIFY for d in c.details if d.name]
    named = {
        Blind.PARAMETERS: [
            name
            for name, value in new.parameters.items()
            if not isinstance(value, Function) and name not in new.given
        ],
        Blind.UNRESOLVED: [*old.unresolved, *new.unresolved, *_secrets(new)],
        Blind.NESTED: list(nested),
        Blind.CUSTOM: [name for name, kind in kinds.items() if is_custom(kind)],
        Blind.MACROS: [*old.transforms, *new.transforms],
        Blind.UNKNOWN: [
            f"{c.name}.{d.name}" for c, d in details if d.rule.behaviour is Behaviour.UNKNOWN
        ],
        Blind.UNCONFIRMED: [
            f"{c.name}.{d.name}" for c, d in details if d.rule.source and not d.rule.confirmed
        ],
    }
    for blind, names in named.items():
        if names:
            found.append(Unseen(blind, tuple(dict.fromkeys(names))))
    return tuple(found)


def _secrets(template: Template) -> list[str]:
    """Resources with a dynamic reference: its value is fetched while updating."""
    return [
        f"{name} (a dynamic reference)"
        for name, resource in template.resources.items()
        if _has_dynamic(resource.properties)
    ]


def _has_dynamic(value: Any) -> bool:
    if isinstance(value, str):
        return "{{resolve:" in value
    if isinstance(value, Mapping):
        return any(_has_dynamic(item) for item in value.values())
    if isinstance(value, Function):
        return _has_dynamic(value.argument)
    return isinstance(value, list) and any(_has_dynamic(item) for item in value)
