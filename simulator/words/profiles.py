"""Profiles and defaults: one table, and how it fills what a file leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from simulator.words.documents import packaged

_OFF: tuple[Any, ...] = (None, "none", {})
# Parts that cannot be switched off: an empty mapping leaves everything to the defaults.
_ALWAYS = ("service.start_failure", "response.page")


class Assumption(NamedTuple):
    """A default that a file did not override: where, its value and range, what it rests on."""

    path: str
    value: Any
    low: Any
    high: Any
    kind: str
    source: str


@cache
def document() -> dict[str, Any]:
    """The table of defaults, parts, items and profiles as read from its file."""
    table: dict[str, Any] = packaged(Path(__file__).with_name("defaults.yaml"))
    return table


def names() -> tuple[str, ...]:
    """The profiles there are."""
    return tuple(document()["profiles"])


def about(profile: str) -> str:
    """What a profile stands for, in a line; raises KeyError for an unknown one."""
    return str(document()["profiles"][profile]["about"])


def rows(profile: str | None = None) -> list[Assumption]:
    """The table of defaults, with a profile's rows in place of the general ones.

    Rows of list items and of strategies carry [] in their path, those of one kind of defect its
    kind: [errors]. Raises KeyError for an unknown profile.
    """
    table = document()
    own = table["profiles"][profile] if profile else {}
    found: dict[str, Assumption] = {}
    elastic = {"service": {k: v for k, v in table["elastic"].items() if _is_entry(v)}}
    for tree in (table["table"], elastic, table["parts"], _sections(own)):
        for path, entry in _leaves(tree, ""):
            found[path] = _assumption(path, entry)
    for path, entry in [*_item_rows(table["items"]), *_item_rows(own.get("items", {}))]:
        found[path] = _assumption(path, entry)
    for place, tree in table["strategies"].items():
        inside = place.rpartition(".")[0]
        for path, entry in _leaves(tree, f"strategies[].{inside}".rstrip(".")):
            found[path] = _assumption(path, entry)
    return list(found.values())


def usual(place: str, key: str) -> Any:
    """The default, as text of a file, of a key that stands beside a setting of a strategy.

    `place` is that setting's, as recall or steps[].audience. Raises KeyError for an unknown one.
    """
    return document()["strategies"][place][key]["value"]


def fill(raw: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Assumption, ...]]:
    """Complete a file: its own keys over its profile's over the table's; what was assumed.

    A key given replaces the profile's key of that name; what is missing inside a part that exists
    comes from the table. `none` or an empty mapping switches a part off. Under `profile: bare`
    everything not stated is zero or absent. What makes no sense is left for validation to refuse.
    """
    filling = _Filling(raw.get("profile"))
    full = filling.fill(raw)
    return full, tuple(filling.assumed)


class _Filling:
    """One pass over a file: what its profile says, and what had to be assumed so far."""

    def __init__(self, profile: Any) -> None:
        table = document()
        own = table["profiles"].get(profile, {}) if isinstance(profile, str) else {}
        self.bare = profile == "bare"
        self.table: Mapping[str, Any] = table["table"]
        self.parts: Mapping[str, Any] = table["parts"]
        self.own = _sections(own)
        self.items = {
            path: {**tree, **own.get("items", {}).get(path, {})}
            for path, tree in table["items"].items()
        }
        self.named: Mapping[str, Any] = table["named"]
        self.elastic: Mapping[str, Any] = table["elastic"]
        self.beside: Mapping[str, Any] = table["strategies"]
        self.assumed: list[Assumption] = []

    def fill(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """All sections of the file, complete."""
        full = dict(raw)
        for section in {**self.table, **self.parts}:
            given, defaults = raw.get(section), self.table.get(section, {})
            if _is_entry(defaults):
                if section not in raw:
                    full[section] = self._take(section, defaults)
            elif given is None or isinstance(given, Mapping):
                full[section] = self._section(section, given or {}, defaults)
        if isinstance(strategies := raw.get("strategies"), Mapping):
            full["strategies"] = {
                name: self._strategy(_below("strategies", name), given)
                for name, given in strategies.items()
            }
        return full

    def _strategy(self, path: str, given: Any) -> Any:
        """A strategy with what is assumed of the world beside its settings and in its steps."""
        for place, leaves in self.beside.items():
            content, (listed, _, key) = _content(given), place.rpartition("[].")
            if not listed:
                given = self._beside(path, given, key, leaves)
            elif isinstance(items := content.get(listed), list | tuple):
                filled = [
                    self._beside(f"{path}.{listed}[{index}]", item, key, leaves)
                    for index, item in enumerate(items)
                ]
                if any(one is not item for one, item in zip(filled, items, strict=True)):
                    given = {**content, listed: filled}
        return given

    def _beside(self, path: str, given: Any, asking: str, leaves: Mapping[str, Any]) -> Any:
        """Settings with what they leave out beside the one that asks for it."""
        content = _content(given)
        if content.get(asking) is None:
            return given
        missing = {key: entry for key, entry in leaves.items() if content.get(key) is None}
        taken = {key: self._take(f"{path}.{key}", entry) for key, entry in missing.items()}
        return {**content, **taken} if taken else given

    def _without_instances(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What an elastic service says, with what stands in place of defaults about instances."""
        result = dict(given)
        told = "utilisation" in given
        for key, entry in self.elastic.items():
            if key in given or (told and key in ("concurrency", "service_time")):
                continue
            value = self._take(f"service.{key}", entry) if _is_entry(entry) else entry
            if value is not None or not _is_entry(entry):
                result[key] = value
        return result

    def _section(
        self, section: str, given: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> dict[str, Any]:
        own, parts = self.own.get(section, {}), self.parts.get(section, {})
        result: dict[str, Any] = {}
        if section == "service":
            if "elastic" in own and "elastic" not in given:
                given = {"elastic": self._take("service.elastic", own["elastic"]), **given}
            if given.get("elastic") is True:
                given = self._without_instances(given)
        for key in {**defaults, **own, **parts, **given}:
            path, tree = f"{section}.{key}", defaults.get(key, parts.get(key))
            if key in given:
                result[key] = self._complete(path, given[key], tree)
            elif key in own and _is_entry(own[key]):
                result[key] = self._take(path, own[key])
            elif key in own or (key in defaults and not self._left_out(key, tree, given)):
                result[key] = self._take(path, tree) if _is_entry(tree) else self._part(path, tree)
            word = result.get(key)
            if isinstance(word, str) and word in self.named.get(path, {}):
                result[key] = self.named[path][word]
            if path in self.items and isinstance(result.get(key), list):
                result[key] = [
                    self._item(f"{path}[{index}]", item, self.items[path])
                    for index, item in enumerate(result[key])
                ]
        return result

    def _left_out(self, key: str, tree: Any, given: Mapping[str, Any]) -> bool:
        """Whether a default has no say: another key says it, or the file is bare."""
        if key == "utilisation" and "capacity" in given:
            return True
        if key == "defect_probability" and given.get("changes") not in _OFF:
            return True
        entries = [tree] if _is_entry(tree) else [entry for _, entry in _leaves(tree, "")]
        return self.bare and any("bare" in entry and entry["bare"] is None for entry in entries)

    def _complete(self, path: str, given: Any, tree: Any) -> Any:
        """A key's value with the missing leaves of its part filled in."""
        if tree is None or _is_entry(tree):
            return None if tree is None and given in _OFF else given
        if given in _OFF and path not in _ALWAYS:
            return None
        return self._part(path, tree, given) if isinstance(given, Mapping) else given

    def _part(
        self, path: str, tree: Mapping[str, Any], given: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        result = dict(given or {})
        for key, entry in tree.items():
            if not _is_entry(entry):
                if isinstance(result.get(key), Mapping):
                    result[key] = self._part(f"{path}.{key}", entry, result[key])
            elif key not in result and not (self.bare and entry.get("bare", 0) is None):
                result[key] = self._take(f"{path}.{key}", entry)
        return result

    def _item(self, path: str, item: Any, tree: Mapping[str, Any]) -> Any:
        """An item of a list with what it leaves out; defects by their kind."""
        if not isinstance(item, Mapping):
            return item
        kind = item.get("kind")
        leaves = tree if kind is None else tree.get(kind, {}) if isinstance(kind, str) else {}
        result = {
            key: self._take(f"{path}.{key}", value) if _is_entry(value) else value
            for key, value in item.items()
        }
        for key, entry in leaves.items():
            if key not in result and _is_entry(entry):
                result[key] = self._take(f"{path}.{key}", entry)
        return result

    def _take(self, path: str, entry: Mapping[str, Any]) -> Any:
        if self.bare and "bare" in entry:
            return entry["bare"]
        self.assumed.append(_assumption(path, entry))
        return entry["value"]


def _content(given: Any) -> Mapping[str, Any]:
    """The settings of a strategy or a step as a file has them; none of what makes no sense."""
    if isinstance(given, BaseModel):
        return given.model_dump(mode="json", by_alias=True, exclude_none=True)
    return given if isinstance(given, Mapping) else {}


def _below(path: str, name: Any) -> str:
    from simulator.words.shape import dotted

    return dotted((path, str(name)))


def _sections(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tree for key, tree in profile.items() if key not in ("about", "items")}


def _is_entry(tree: Any) -> bool:
    return isinstance(tree, Mapping) and "value" in tree and "source" in tree


def _leaves(tree: Mapping[str, Any], path: str) -> list[tuple[str, Mapping[str, Any]]]:
    result: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in tree.items():
        where = f"{path}.{key}" if path else key
        if _is_entry(value):
            result.append((where, value))
        elif isinstance(value, Mapping):
            result.extend(_leaves(value, where))
    return result


def _item_rows(items: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    result: list[tuple[str, Mapping[str, Any]]] = []
    for path, tree in items.items():
        for key, value in tree.items():
            if _is_entry(value):
                result.append((f"{path}[].{key}", value))
            else:
                result.extend((f"{path}[{key}].{leaf}", row) for leaf, row in value.items())
    return result


def _assumption(path: str, entry: Mapping[str, Any]) -> Assumption:
    value = entry["value"]
    if isinstance(value, list):
        value = [
            {key: leaf["value"] if _is_entry(leaf) else leaf for key, leaf in item.items()}
            for item in value
        ]
    return Assumption(
        path, value, entry.get("low"), entry.get("high"), entry["kind"], entry["source"]
    )
