"""A stack as its template describes it: resources whose values are worked out as far as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Function(NamedTuple):
    """A value that only CloudFormation knows: Ref and Fn::GetAtt of a resource, Parameter, Fn::If.

    `argument` holds what was worked out inside it; functions that stand for the same value are
    equal. Every text with unknown pieces is Fn::Join of its pieces.
    """

    name: str
    argument: Any


def told(function: Function) -> str:
    """A value that is not known yet, as templates write it in short."""
    name, argument = function
    if name in ("Parameter", "Ref"):
        return f"!Ref {argument}"
    if name == "Fn::GetAtt" and isinstance(argument, list):
        return f"!GetAtt {'.'.join(map(str, argument))}"
    return f"!{name.removeprefix('Fn::')} ..." if name.startswith("Fn::") else name


class Reference(NamedTuple):
    """A value that comes from another resource: its name, or one of its attributes."""

    resource: str
    attribute: str | None

    def __str__(self) -> str:
        return f"{self.resource}.{self.attribute}" if self.attribute else self.resource


class Resource(NamedTuple):
    """One resource of a template.

    Property values are texts, lists, mappings or functions; numbers and truth values are texts as
    CloudFormation compares them. `raw` holds the properties as written. `perhaps` says that its
    condition could not be worked out. `line` and `column` count from 1.
    """

    name: str
    type: str
    properties: Mapping[str, Any]
    raw: Mapping[str, Any]
    attributes: Mapping[str, Any]
    perhaps: bool
    line: int
    column: int


class Template(NamedTuple):
    """A template: its resources, and what stands in it that nobody knows before the update.

    `parameters` holds the values taken, as texts or functions: the defaults, but for those in
    `given`; `globals` what SAM says for all resources of a type.
    """

    file: str
    resources: Mapping[str, Resource]
    parameters: Mapping[str, Any]
    unresolved: tuple[str, ...]
    transforms: tuple[str, ...]
    globals: Mapping[str, Any] = {}
    given: frozenset[str] = frozenset()


def references(value: Any) -> Iterator[Reference]:
    """The resources that a value comes from (or may come from, if a branch is not decided)."""
    if isinstance(value, Function):
        if value.name == "Ref":
            yield Reference(str(value.argument), None)
        elif value.name == "Fn::GetAtt" and isinstance(value.argument, list):
            yield Reference(str(value.argument[0]), str(value.argument[-1]))
        else:
            yield from references(value.argument)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def differs(old: Any, new: Any) -> bool:
    """Whether two values that are not equal are different whatever their functions turn out to be.

    False where they might still come to the same.
    """
    if isinstance(old, Function) and isinstance(new, Function):
        return _functions_differ(old, new)
    if isinstance(old, Function) or isinstance(new, Function):
        return False
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return any(_entries_differ(old, new, key) for key in {**old, **new})
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return not any(_optional(item) for item in (*old, *new))
        return any(a != b and differs(a, b) for a, b in zip(old, new, strict=True))
    return bool(old != new)


def _entries_differ(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> bool:
    if key in old and key in new:
        return bool(old[key] != new[key]) and differs(old[key], new[key])
    return not _optional(old[key] if key in old else new[key])


def _optional(value: Any) -> bool:
    """Whether a value may turn out to be none at all (AWS::NoValue)."""
    return isinstance(value, Function) and value.name == "Fn::If"


def _functions_differ(old: Function, new: Function) -> bool:
    if old.name != new.name:
        return False
    if old.name == "Ref":  # of two parts of one template: never the same physical resource
        return True
    if old.name == "Fn::Base64":
        return differs(old.argument, new.argument)
    if old.name == "Fn::Join":
        return _texts_differ(list(old.argument), list(new.argument))
    return False


def _texts_differ(old: list[Any], new: list[Any]) -> bool:
    """Whether texts with unknown pieces differ for certain: no values could make up for it."""
    if _unknown(old) == _unknown(new):
        shape = [len(part) if isinstance(part, str) else None for part in old]
        other = [len(part) if isinstance(part, str) else None for part in new]
        if shape == other or sum(x or 0 for x in shape) != sum(x or 0 for x in other):
            return True
    return _clash(old[0], new[0], str.startswith) or _clash(old[-1], new[-1], str.endswith)


def _unknown(parts: list[Any]) -> list[Any]:
    return [part for part in parts if not isinstance(part, str)]


def _clash(old: Any, new: Any, agrees: Callable[[str, str], bool]) -> bool:
    """Whether two known beginnings (or ends) cannot both be right."""
    known = isinstance(old, str) and isinstance(new, str)
    return known and not agrees(old, new) and not agrees(new, old)
