"""Writing scenarios: every key of one, as a file that reads back as the same scenario."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel

from simulator.words import profiles
from simulator.words.service import ELASTIC_ONLY, Service

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?")
_EXACT = 2.0**53
_ELASTIC = (*ELASTIC_ONLY, "service_time")


def dump(scenario: Scenario) -> str:
    """The YAML of a scenario with every key written out; reads back as the same scenario.

    Names of files stay relative to the folder of the file it was read from.
    """
    return yaml.dump(
        scenario.resolved(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100
    )


def stated(scenario: Scenario) -> str:
    """The YAML of what a scenario states; profile and defaults fill the rest when it is read.

    Reads back as the same scenario, with the same assumptions.
    """
    found = _as_stated(scenario.source, scenario.resolved())
    return yaml.dump(found, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


def _as_stated(source: Any, resolved: Any) -> Any:
    """Of resolved data the parts that the source has; whole where they are of another form."""
    if isinstance(source, list) and isinstance(resolved, list) and len(source) == len(resolved):
        return [_as_stated(one, other) for one, other in zip(source, resolved, strict=True)]
    both = isinstance(source, Mapping) and isinstance(resolved, Mapping)
    if not both or not set(source) <= set(resolved):
        return resolved
    return {key: _as_stated(value, resolved[key]) for key, value in source.items()}


def annotated(scenario: Scenario, comment: Callable[[str], str]) -> str:
    """The same YAML with a comment at every key for which `comment` says something of its path.

    Keys are settings of sections and of strategies, as `service.startup`.
    """
    return "\n".join(_commented(scenario.resolved(), "", comment)) + "\n"


def _commented(data: Mapping[str, Any], where: str, comment: Callable[[str], str]) -> Iterator[str]:
    """The lines of a mapping, those of sections and strategies entry by entry."""
    depth = where.count(".") + bool(where)
    for key, value in data.items():
        path = f"{where}.{key}" if where else key
        sections = isinstance(value, Mapping) and value and (depth == 0 or where == "strategies")
        shown: Any = {key: None} if sections else {key: value}
        text = yaml.dump(shown, Dumper=_Entry, sort_keys=False, allow_unicode=True, width=10**6)
        first, *rest = text.removesuffix("\n").removesuffix(" null").split("\n")
        said = comment(path)
        indent = "  " * depth
        yield f"{indent}{first}  # {said}" if said else f"{indent}{first}"
        yield from (f"{indent}{line}" for line in rest)
        if sections:
            yield from _commented(value, path, comment)


class _Plain(yaml.SafeDumper):
    """Block style with the innermost collections on one line."""

    def represent_data(self, data: Any) -> Any:
        """The node of a value; a collection of plain values stands in one line."""
        node = super().represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = _flat(data)
        return node

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat values instead of pointing at them."""
        return True


class _Entry(_Plain):
    """The same, but the outermost mapping always in block style."""

    inside = False

    def represent_data(self, data: Any) -> Any:
        """The node of a value."""
        outermost, self.inside = not self.inside, True
        node = super().represent_data(data)
        if outermost:
            node.flow_style = self.inside = False
        return node


def _flat(data: Any, depth: int = 2) -> bool:
    """Whether a collection is small enough for one line."""
    values = list(data.values()) if isinstance(data, Mapping) else list(data)
    if len(str(data)) > 90 or depth == 0:
        return not values
    return all(not isinstance(v, dict | list) or _flat(v, depth - 1) for v in values)


def written_out(model: BaseModel, path: str = "") -> dict[str, Any]:
    """Every key of a section or strategy as it stands in a file; `path` is where it stands.

    What is switched off is written `none` where a default would come back otherwise.
    """
    plain = model.model_dump(mode="json", by_alias=True)
    result: dict[str, Any] = {}
    elastic = isinstance(model, Service) and model.elastic
    for name, field in type(model).model_fields.items():
        key, value = field.alias or name, getattr(model, name)
        where = f"{path}.{key}" if path else key
        if isinstance(value, str):
            result[key] = value
        elif value is not None:
            result[key] = _item(value, plain[key], where)
        elif field.default or where in _filled() or (elastic and key in _ELASTIC):
            result[key] = "none"
    return result


def _item(value: Any, plain: Any, where: str) -> Any:
    """A value inside a section; models that are written as text or as laws stay as they are."""
    if isinstance(value, BaseModel) and isinstance(plain, dict) and set(plain) == _keys(value):
        return written_out(value, where)
    if isinstance(value, Mapping):
        return {key: _item(value[key], plain[key], "*") for key in value}
    if isinstance(plain, list):
        return [_item(one, text, "*") for one, text in zip(value, plain, strict=True)]
    return _plain_numbers(plain)


def _plain_numbers(plain: Any) -> Any:
    """Texts that are nothing but a number, as numbers: 12 instead of '12'."""
    if isinstance(plain, dict):
        return {key: _plain_numbers(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_plain_numbers(value) for value in plain]
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < _EXACT:
        return int(plain)
    if isinstance(plain, str) and _NUMBER.fullmatch(plain):
        return int(plain) if plain.isdigit() else float(plain)
    return plain


def _keys(model: BaseModel) -> set[str]:
    return {field.alias or name for name, field in type(model).model_fields.items()}


@cache
def _filled() -> frozenset[str]:
    """The keys that a default or a profile may bring back when a file leaves them out."""
    table = profiles.document()
    trees = [table["table"], table["parts"], *table["profiles"].values()]
    return frozenset(path for tree in trees for path in _paths(tree, ""))


def _paths(tree: Any, where: str) -> Iterator[str]:
    """Every place in a table of defaults, parts and their keys alike."""
    if isinstance(tree, Mapping) and "source" not in tree:
        for key, below in tree.items():
            path = f"{where}.{key}" if where else str(key)
            yield path
            yield from _paths(below, path)
