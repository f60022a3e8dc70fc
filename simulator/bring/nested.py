"""Nested stacks: templates in the same folder as the one that names them, compared as well.

Nothing outside that folder is read, and nothing from a network. Source: AWS CloudFormation user
guide, AWS::CloudFormation::Stack (2023): a path relative to the template is what `package` uploads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simulator.bring.documents import found
from simulator.bring.templates import packaged_templates, template
from simulator.platforms.cloudformation.changes import Action, Change, Replacement
from simulator.platforms.cloudformation.stack import Function, Resource, Template, references
from simulator.platforms.cloudformation.unseen import NESTED

_DEEPEST, _MOST = 8, 100


class Place(NamedTuple):
    """A template's file; nested ones lie inside `root` and are named from its own folder."""

    file: FilePath
    root: FilePath

    def beside(self, url: Any) -> Place | None:
        """The file that a TemplateURL names, if it is a relative path to one inside the root."""
        if not isinstance(url, str) or "://" in url or "\\" in url or "\0" in url:
            return None
        path = FilePath(url)
        if path.is_absolute() or url.startswith("~"):
            return None
        try:
            file = (self.file.parent / path).resolve()
            inside = file.is_relative_to(self.root) and file.is_file()
        except (OSError, RuntimeError):
            return None
        return Place(file, self.root) if inside else None


class Pair(NamedTuple):
    """A nested stack before and after the update; `name` leads to it from the outermost one."""

    name: str
    old: Template
    new: Template
    places: tuple[Place | None, Place | None]


def place_of(where: str | FilePath) -> Place | None:
    """Where a template lies; None for standard input."""
    if str(where) == "-":
        return None
    file = found(str(where), packaged_templates()).resolve()
    return Place(file, file.parent)


class Nests:
    """The nested stacks that can be read, at most 100 of them and 8 deep.

    `missing` grows with the names of those that cannot.
    """

    def __init__(self) -> None:
        self.missing: list[str] = []
        self._left = _MOST

    def inside(self, outer: Pair, changes: tuple[Change, ...]) -> Iterator[Pair]:
        """The stacks that one holds, each with the values that it hands to them."""
        depth = outer.name.count("/") + bool(outer.name)
        moving = _moving(changes)
        names = dict.fromkeys([*outer.new.resources, *outer.old.resources])
        for name in names:
            sides = outer.old.resources.get(name), outer.new.resources.get(name)
            if not any(side is not None and side.type == NESTED for side in sides):
                continue
            path = f"{outer.name}/{name}" if outer.name else name
            places = [
                None if side is None or place is None else place.beside(_url(side))
                for side, place in zip(sides, outer.places, strict=True)
            ]
            pairs = zip(sides, places, strict=True)
            lost = any(side is not None and place is None for side, place in pairs)
            if lost or depth >= _DEEPEST or self._left <= 0:
                self.missing.append(path)
                continue
            self._left -= 1
            old, new = (
                _empty(path) if place is None else _read(place, _values(side, stays))
                for side, place, stays in zip(sides, places, (_NOWHERE, moving), strict=True)
            )
            yield Pair(path, old, new, (places[0], places[1]))


def _read(place: Place, given: Mapping[str, Any]) -> Template:
    named = str(place.file.relative_to(place.root))
    return template(place.file, given)._replace(file=named)


def _url(resource: Resource) -> Any:
    return resource.properties.get("TemplateURL") if resource.type == NESTED else None


def _empty(name: str) -> Template:
    return Template(f"no {name}", {}, {}, (), ())


class _Moving(NamedTuple):
    """Resources that are replaced, or may be, and those that are modified at all."""

    replaced: frozenset[str]
    modified: frozenset[str]

    def moves(self, value: Any) -> bool:
        """Whether a value is another one after the update, or may be, though it reads the same."""
        return any(
            reference.resource in self.replaced
            or (reference.attribute is not None and reference.resource in self.modified)
            for reference in references(value)
        )


_NOWHERE = _Moving(frozenset(), frozenset())


def _moving(changes: tuple[Change, ...]) -> _Moving:
    modified = [change for change in changes if change.action is Action.MODIFY]
    replaced = (c.name for c in modified if c.replacement is not Replacement.FALSE)
    touched = (c.name for c in modified if {"Properties", "Tags"} & set(c.scope))
    return _Moving(frozenset(replaced), frozenset(touched))


def _values(resource: Resource | None, moving: _Moving) -> Mapping[str, Any]:
    """The parameters that a stack is given. What is not known stays a symbol of the outer stack's,
    another one where it comes from something that is replaced.
    """
    given = resource.properties.get("Parameters") if resource is not None else None
    if not isinstance(given, Mapping):
        return {}
    return {name: _seen_from_inside(value, moving) for name, value in given.items()}


def _seen_from_inside(value: Any, moving: _Moving) -> Any:
    if isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(v, str) for v in value)
    ):
        return value
    return Function("Outside", f"{value!r}{' after the update' if moving.moves(value) else ''}")
