"""A change set: what an update adds, modifies, replaces and removes.

Source: AWS CloudFormation API, ResourceChange and ResourceTargetDefinition (2024).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from simulator.platforms.cloudformation.behaviours import Behaviour, Rule, rule
from simulator.platforms.cloudformation.stack import (
    Reference,
    Resource,
    Template,
    differs,
    references,
)


class Action(StrEnum):
    """What happens to a resource; `DYNAMIC`: its condition is not known before the update."""

    ADD = "Add"
    MODIFY = "Modify"
    REMOVE = "Remove"
    DYNAMIC = "Dynamic"


class Replacement(StrEnum):
    """Whether a new resource takes the place of the old one; `UNKNOWN`: the table does not know."""

    FALSE = "False"
    UNKNOWN = "Unknown"
    CONDITIONAL = "Conditional"
    TRUE = "True"


class Evaluation(StrEnum):
    """Whether the new value is certain before the update."""

    STATIC = "Static"
    DYNAMIC = "Dynamic"


_STRENGTH = list(Replacement)
_RECREATION = {
    Behaviour.NO_INTERRUPTION: "Never",
    Behaviour.SOME_INTERRUPTIONS: "Never",
    Behaviour.CONDITIONAL: "Conditionally",
    Behaviour.UNKNOWN: "Unknown",
    Behaviour.REPLACEMENT: "Always",
}
# Attributes of a resource that are settings of CloudFormation: a change of them touches nothing.
_ATTRIBUTES = (
    *("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy"),
    "UpdateReplacePolicy",
)
_HARMLESS = Rule(Behaviour.NO_INTERRUPTION, "", "guide (2023)", True)
_OTHER_TYPE = Rule(Behaviour.REPLACEMENT, "CloudFormation refuses it", "guide (2023)", True)


class Detail(NamedTuple):
    """One reason why a resource changes: the attribute, the property, and where the change is from.

    `source` is DirectModification, ParameterReference, ResourceReference or ResourceAttribute;
    `cause` names the parameter or the resource.
    """

    attribute: str
    name: str
    rule: Rule
    evaluation: Evaluation
    source: str
    cause: str

    @property
    def recreation(self) -> str:
        """RequiresRecreation: Never, Conditionally, Always, or Unknown."""
        return _RECREATION[self.rule.behaviour]

    @property
    def replacement(self) -> Replacement:
        """What this reason alone means for the resource."""
        return replacement(self.rule.behaviour, self.evaluation)


class Change(NamedTuple):
    """What an update does to one resource, and why; `old` and `new` are it before and after."""

    action: Action
    name: str
    type: str
    details: tuple[Detail, ...]
    old: Resource | None
    new: Resource | None

    @property
    def replacement(self) -> Replacement | None:
        """The strongest of its details; None unless it is modified."""
        if self.action is not Action.MODIFY:
            return None
        found = (_STRENGTH.index(detail.replacement) for detail in self.details)
        return _STRENGTH[max(found, default=0)]

    @property
    def scope(self) -> tuple[str, ...]:
        """The attributes that change: Properties, Tags, Metadata, policies."""
        return tuple(dict.fromkeys(detail.attribute for detail in self.details))


def replacement(behaviour: Behaviour, evaluation: Evaluation) -> Replacement:
    """Whether a resource is replaced when a property of this behaviour changes."""
    match behaviour:
        case Behaviour.REPLACEMENT if evaluation is Evaluation.STATIC:
            return Replacement.TRUE
        case Behaviour.REPLACEMENT | Behaviour.CONDITIONAL:
            return Replacement.CONDITIONAL
        case Behaviour.UNKNOWN:
            return Replacement.UNKNOWN
    return Replacement.FALSE


def change_set(old: Template, new: Template) -> tuple[Change, ...]:
    """Every change from one template to the next, in the new template's order, removals last.

    A resource that takes values from one that is replaced, or attributes from one that is modified,
    changes too; what these values will be is not known before the update.
    """
    parameters = _changed_parameters(old, new)
    names = {**new.resources, **old.resources}
    found = {name: _direct(name, old, new, parameters) for name in names}
    details = _Spreading(found, new).run()
    changes = []
    for name, change in found.items():
        if name in details:
            before, after = old.resources[name], new.resources[name]
            why = tuple(details[name])
            changes.append(Change(Action.MODIFY, name, after.type, why, before, after))
        elif change is not None:
            changes.append(change)
    return tuple(changes)


def _direct(name: str, old: Template, new: Template, parameters: frozenset[str]) -> Change | None:
    """The change that stands in the templates themselves."""
    before, after = old.resources.get(name), new.resources.get(name)
    if before is None or after is None:
        there = after or before
        assert there is not None
        action = Action.ADD if before is None else Action.REMOVE
        return Change(
            Action.DYNAMIC if there.perhaps else action, name, there.type, (), before, after
        )
    details = tuple(_differences(before, after, parameters))
    if before.type != after.type:
        direct = (Evaluation.STATIC, "DirectModification", "")
        details = (Detail("Type", "", _OTHER_TYPE, *direct), *details)
    return Change(Action.MODIFY, name, after.type, details, before, after) if details else None


def _differences(old: Resource, new: Resource, parameters: frozenset[str]) -> Iterator[Detail]:
    for prop in {**new.properties, **old.properties}:
        before, after = old.properties.get(prop), new.properties.get(prop)
        if prop == "Tags":
            before, after = _sorted(before), _sorted(after)
        if before == after:
            continue
        certain = Evaluation.STATIC if differs(before, after) else Evaluation.DYNAMIC
        source, cause = "DirectModification", ""
        if old.raw.get(prop) == new.raw.get(prop):
            cause = ", ".join(sorted(_parameters(new.raw.get(prop)) & parameters))
            source = "ParameterReference" if cause else source
        attribute = "Tags" if prop == "Tags" else "Properties"
        yield Detail(attribute, prop, _rule(new.type, prop, before, after), certain, source, cause)
    for name in _ATTRIBUTES:
        if old.attributes.get(name) != new.attributes.get(name):
            yield Detail(name, "", _HARMLESS, Evaluation.STATIC, "DirectModification", "")


def _rule(kind: str, prop: str, old: Any, new: Any) -> Rule:
    """The rule for a property, or the strongest of the rules for its parts that changed."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        parts = [part for part in {**new, **old} if old.get(part) != new.get(part)]
        found = [rule(kind, prop, part) for part in parts]
        return max(found, key=lambda item: list(Behaviour).index(item.behaviour))
    return rule(kind, prop)


class _Spreading:
    """Carries changes over to the resources that take values from changed ones, until all have it.

    Every resource is visited again only when what happens to it gets stronger.
    """

    def __init__(self, found: Mapping[str, Change | None], new: Template) -> None:
        self.new = new
        self.details = {
            name: list(change.details)
            for name, change in found.items()
            if change is not None and change.action is Action.MODIFY
        }
        self.fixed = {name for name, change in found.items() if change and not change.details}
        self.known = {(n, d.name, d.cause) for n, ds in self.details.items() for d in ds}
        self.direct = {(name, prop) for name, prop, _ in self.known}
        self.strength = {
            name: change.replacement for name, change in found.items() if change is not None
        }
        self.takers: dict[str, list[tuple[str, str, Reference]]] = {}
        for name, resource in new.resources.items():
            for prop, value in resource.properties.items():
                for reference in dict.fromkeys(references(value)):
                    self.takers.setdefault(reference.resource, []).append((name, prop, reference))

    def run(self) -> dict[str, list[Detail]]:
        """The details of every resource that is modified."""
        waiting = deque(self.details)
        while waiting:
            name = waiting.popleft()
            touched = any(d.attribute in ("Properties", "Tags") for d in self.details[name])
            for taker, prop, reference in self.takers.get(name, ()):
                carried = reference.attribute is not None and touched
                felt = carried or self.strength[name] is not Replacement.FALSE
                if felt and self._take(taker, prop, reference):
                    waiting.append(taker)
        return self.details

    def _take(self, name: str, prop: str, reference: Reference) -> bool:
        """Add a detail to a resource; whether what happens to it is stronger now."""
        key = (name, prop, str(reference))
        if (name, prop) in self.direct or key in self.known or name in self.fixed:
            return False
        self.known.add(key)
        source = "ResourceReference" if reference.attribute is None else "ResourceAttribute"
        attribute = "Tags" if prop == "Tags" else "Properties"
        found = rule(self.new.resources[name].type, prop)
        detail = Detail(attribute, prop, found, Evaluation.DYNAMIC, source, str(reference))
        before = self.strength.get(name)
        touched = any(d.attribute in ("Properties", "Tags") for d in self.details.get(name, ()))
        self.details.setdefault(name, []).append(detail)
        if before is None or _STRENGTH.index(detail.replacement) > _STRENGTH.index(before):
            self.strength[name] = detail.replacement
            return True
        return not touched


def _sorted(tags: Any) -> Any:
    """Tags in an order of their own: theirs means nothing."""
    return sorted(tags, key=repr) if isinstance(tags, list) else tags


def _changed_parameters(old: Template, new: Template) -> frozenset[str]:
    return frozenset(
        name
        for name, value in new.parameters.items()
        if name in old.parameters and old.parameters[name] != value
    )


def _parameters(raw: Any) -> set[str]:
    """Names in a value as written that Ref or Fn::Sub may mean."""
    if isinstance(raw, Mapping):
        found = {str(raw["Ref"])} if "Ref" in raw else set()
        text = raw.get("Fn::Sub")
        for piece in str(text[0] if isinstance(text, list) and text else text or "").split("${")[
            1:
        ]:
            found.add(piece.split("}")[0])
        return found.union(*(_parameters(item) for item in raw.values()))
    if isinstance(raw, list):
        return set().union(*(_parameters(item) for item in raw))
    return set()
