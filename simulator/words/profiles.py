"""Profiles and defaults: one table, and how it fills what a file leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import yaml

_OFF = (None, "none", {})


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
    """The table of defaults, parts and profiles as read from its file."""
    text = resources.files("simulator.words").joinpath("defaults.yaml").read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: dict[str, Any] = yaml.load(text, Loader=loader)
    return table


def names() -> tuple[str, ...]:
    """The profiles there are."""
    return tuple(document()["profiles"])


def rows(profile: str | None = None) -> list[Assumption]:
    """The table of defaults, with a profile's rows in place of the general ones."""
    found: dict[str, Assumption] = {}
    whole = [document()["table"], document()["parts"]]
    if profile:
        whole.append(_values(document()["profiles"][profile]))
    for tree in whole:
        for path, entry in _leaves(tree, ""):
            found[path] = _assumption(path, entry)
    return list(found.values())


def _values(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tree for key, tree in profile.items() if key != "about"}


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


def _assumption(path: str, entry: Mapping[str, Any]) -> Assumption:
    return Assumption(
        path, entry["value"], entry.get("low"), entry.get("high"), entry["kind"], entry["source"]
    )


def fill(raw: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Assumption, ...]]:
    """Complete a file: its own keys over its profile's over the table's; what was assumed.

    A key given replaces the profile's key of that name; what is missing inside a part that exists
    comes from the table. `none` or an empty mapping switches a part off. Under `profile: bare`
    everything not stated is zero or absent.
    """
    table = document()
    profile = raw.get("profile")
    bare = profile == "bare"
    own = _values(table["profiles"].get(profile, {})) if isinstance(profile, str) else {}
    assumed: list[Assumption] = []
    full = dict(raw)
    for section in {**table["table"], **table["parts"]}:
        given = raw.get(section)
        defaults = table["table"].get(section, {})
        if _is_entry(defaults):
            if section not in raw:
                full[section] = _take(section, defaults, bare, assumed)
            continue
        if given is not None and not isinstance(given, Mapping):
            continue
        full[section] = _section(
            section,
            dict(given or {}),
            own.get(section, {}),
            defaults,
            table["parts"].get(section, {}),
            bare,
            assumed,
        )
    return full, tuple(assumed)


def _section(
    section: str,
    given: dict[str, Any],
    own: Mapping[str, Any],
    defaults: Mapping[str, Any],
    parts: Mapping[str, Any],
    bare: bool,
    assumed: list[Assumption],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in {**defaults, **own, **parts, **given}:
        path = f"{section}.{key}"
        tree = defaults.get(key, parts.get(key))
        if key in given:
            result[key] = _complete(path, given[key], tree, bare, assumed)
        elif key in own:
            entry = own[key]
            if _is_entry(entry):
                result[key] = entry["value"]
                assumed.append(_assumption(path, entry))
            else:
                result[key] = _complete(path, {}, tree, bare, assumed, present=True)
        elif key in defaults and not _stands_in(key, given):
            if _is_entry(tree):
                result[key] = _take(path, tree, bare, assumed)
            elif not (bare and _absent_when_bare(tree)):
                result[key] = _complete(path, {}, tree, bare, assumed, present=True)
    return result


def _stands_in(key: str, given: Mapping[str, Any]) -> bool:
    """Whether another key already says what this default would say."""
    return key == "utilisation" and "capacity" in given


def _absent_when_bare(tree: Any) -> bool:
    return any("bare" in entry and entry["bare"] is None for _, entry in _leaves(tree, ""))


def _complete(
    path: str,
    given: Any,
    tree: Any,
    bare: bool,
    assumed: list[Assumption],
    present: bool = False,
) -> Any:
    """A key's value with the missing leaves of its part filled in."""
    if tree is None or _is_entry(tree):
        return None if given in _OFF and tree is None else given
    if given in _OFF and not present:
        return None
    if not isinstance(given, Mapping):
        return given
    result = dict(given)
    for key, entry in tree.items():
        if key not in result:
            result[key] = _take(f"{path}.{key}", entry, bare, assumed)
    return result


def _take(path: str, entry: Mapping[str, Any], bare: bool, assumed: list[Assumption]) -> Any:
    if bare and "bare" in entry:
        return entry["bare"]
    assumed.append(_assumption(path, entry))
    return entry["value"]
