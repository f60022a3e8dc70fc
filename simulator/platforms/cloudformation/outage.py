"""What a change does to a resource while the stack is updated: outage, failure, lost data.

Source: AWS CloudFormation user guide, "Update behaviors of stack resources" (2023): for a
replacement the new resource is created first, then references move to it, then the old one goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from simulator.platforms.cloudformation.behaviours import Behaviour, Kind, kind_of
from simulator.platforms.cloudformation.changes import Action, Change, Replacement
from simulator.platforms.cloudformation.stack import Function


class Effect(StrEnum):
    """What happens to a resource: nothing that is felt, an interruption, a new one in its place."""

    NONE = "none"
    INTERRUPTED = "interrupted"
    DEPENDS = "depends"
    UNKNOWN = "unknown"
    NEW_FIRST = "new one first"
    FAILS = "the update fails"
    ADDED = "added"
    REMOVED = "removed"


class Impact(NamedTuple):
    """What a change does; `perhaps` is what it does if it comes to a replacement after all.

    `fixed` names the values that forbid a second resource beside the old one, `data` what the old
    one stores, `kept` what a policy of the template keeps of it (Retain or Snapshot), `notes` says
    on what it depends. How long an interruption lasts is not known.
    """

    effect: Effect
    perhaps: Effect | None
    fixed: tuple[str, ...]
    data: str
    kept: str
    notes: tuple[str, ...]


def impact(change: Change) -> Impact:
    """What a change does to its resource while the stack is updated."""
    notes = tuple(dict.fromkeys(detail.rule.note for detail in change.details if detail.rule.note))
    if change.action is Action.REMOVE:
        return Impact(Effect.REMOVED, None, (), _data(change), _kept(change), notes)
    if change.action is not Action.MODIFY:
        return Impact(Effect.ADDED, None, (), "", "", notes)
    if change.old is not None and change.old.type != change.type:
        return Impact(Effect.FAILS, None, ("Type",), "", "", notes)
    fixed = fixed_names(change)
    instead = Effect.FAILS if fixed else Effect.NEW_FIRST
    if change.replacement is Replacement.TRUE:
        return Impact(instead, None, fixed, _data(change), _kept(change), notes)
    effect = _in_place({detail.rule.behaviour for detail in change.details})
    if change.replacement is Replacement.FALSE:
        return Impact(effect, None, (), "", "", notes)
    return Impact(effect, instead, fixed, _data(change), _kept(change), notes)


def fixed_names(change: Change) -> tuple[str, ...]:
    """The fixed and unchanged values of which there can be one only, so that no second can be."""
    known = kind_of(change.type)
    if known is None or not known.identity or change.old is None or change.new is None:
        return ()
    old, new = change.old.properties, change.new.properties
    given = new.get(known.identity[0])
    if given is None or (isinstance(given, Function) and given.name == "Fn::If"):
        return ()
    if any(_moves(change, old, new, prop) for prop in known.identity):
        return ()
    return tuple(prop for prop in known.identity if prop in new)


def _moves(change: Change, old: Mapping[str, Any], new: Mapping[str, Any], prop: str) -> bool:
    """Whether a value changes, or may."""
    return old.get(prop) != new.get(prop) or any(
        detail.name == prop and detail.attribute == "Properties" for detail in change.details
    )


def _in_place(behaviours: set[Behaviour]) -> Effect:
    if Behaviour.UNKNOWN in behaviours:
        return Effect.UNKNOWN
    if Behaviour.CONDITIONAL in behaviours:
        return Effect.DEPENDS
    if Behaviour.SOME_INTERRUPTIONS in behaviours:
        return Effect.INTERRUPTED
    return Effect.NONE


def _data(change: Change) -> str:
    known: Kind | None = kind_of(change.type)
    return known.data if known else ""


def _kept(change: Change) -> str:
    """What the template's own policy keeps of the old resource, if it is sure to apply."""
    if change.old is None:
        return ""
    if change.action is Action.REMOVE:
        said = change.old.attributes.get("DeletionPolicy")
    else:
        said = change.old.attributes.get("UpdateReplacePolicy")
        if change.new is None or change.new.attributes.get("UpdateReplacePolicy") != said:
            return ""
    return said if said in ("Retain", "RetainExceptOnCreate", "Snapshot") else ""
