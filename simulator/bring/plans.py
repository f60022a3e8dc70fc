"""Splitting a Terraform plan (`terraform show -json`) into the resources it is to make.

Source: Terraform's JSON output format 1.2: planned values, resource changes, configuration (2024).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.bring.documents import Manifest
from simulator.bring.view import Log, View
from simulator.platforms.cloudformation.stack import Function
from simulator.words.documents import Path

_MOST_RESOURCES, _DEEPEST = 1000, 20
_LATER = "known after apply"
_INDEX = re.compile(r'\[("[^"]*"|\d+)\]')


def is_plan(data: Any) -> bool:
    """Whether a document is a plan as JSON."""
    planned = data.get("planned_values") if isinstance(data, Mapping) else None
    return isinstance(planned, Mapping) and "format_version" in data


def resources(manifest: Manifest, number: int) -> Iterator[View]:
    """The planned values of every resource, under its type and called by its address.

    What nobody has set is left out; what is known after the apply only is a function of the
    resources that the configuration takes it from.
    """
    data = manifest.documents[number].data
    unknown = {
        str(change.get("address")): _at(change, "change", "after_unknown")
        for change in _mappings(data.get("resource_changes"))
    }
    written = dict(_expressions(_at(data, "configuration", "root_module"), "", 0))
    planned = _planned(
        data["planned_values"].get("root_module"), ("planned_values", "root_module"), 0
    )
    for count, (path, entry) in enumerate(planned):
        address, kind = entry.get("address"), entry.get("type")
        if count >= _MOST_RESOURCES or not isinstance(address, str) or not isinstance(kind, str):
            continue
        module = address[: max(address.rfind(f"{kind}.{entry.get('name')}"), 0)]
        values = _filled(
            entry.get("values"), unknown.get(address), written.get(_INDEX.sub("", address)), module
        )
        if isinstance(values, Mapping):
            yield View(manifest, number, (*path, "values"), values, kind, Log(), address)


def _planned(module: Any, path: Path, depth: int) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The resources of a module and of those within it, with their paths; no data sources."""
    if not isinstance(module, Mapping) or depth > _DEEPEST:
        return
    for place, entry in enumerate(_listed(module.get("resources"))):
        if isinstance(entry, Mapping) and entry.get("mode", "managed") == "managed":
            yield (*path, "resources", place), entry
    for place, child in enumerate(_listed(module.get("child_modules"))):
        yield from _planned(child, (*path, "child_modules", place), depth + 1)


def _expressions(module: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """What the configuration writes for each resource, by its address without indices."""
    if not isinstance(module, Mapping) or depth > _DEEPEST:
        return
    for entry in _mappings(module.get("resources")):
        yield f"{prefix}{entry.get('address')}", entry.get("expressions")
    calls = module.get("module_calls")
    for name, call in calls.items() if isinstance(calls, Mapping) else ():
        yield from _expressions(_at(call, "module"), f"{prefix}module.{name}.", depth + 1)


def _filled(value: Any, unknown: Any, written: Any, module: str) -> Any:
    """A value without what is not set, and with functions for what is not known yet."""
    if unknown is True and value is None:
        return Function(_LATER, [Function("Ref", name) for name in _taken_from(written, module)])
    if isinstance(value, Mapping) or isinstance(unknown, Mapping):
        value = value if isinstance(value, Mapping) else {}
        unknown = unknown if isinstance(unknown, Mapping) else {}
        written = written if isinstance(written, Mapping) else {}
        filled = {
            key: _filled(value.get(key), unknown.get(key), written.get(key), module)
            for key in {**value, **unknown}
        }
        return {key: item for key, item in filled.items() if item not in (None, [], {})}
    if isinstance(value, list):
        unknown = unknown if isinstance(unknown, list) else []
        return [
            _filled(item, _place(unknown, k), _place(written, k), module)
            for k, item in enumerate(value)
        ]
    return None if unknown in (False, {}, []) and value is None else value


def _taken_from(written: Any, module: str) -> list[str]:
    """The addresses of the resources that an expression refers to."""
    found = _at(written, "references")
    names = [name for name in _listed(found) if isinstance(name, str)]
    parts = (name.split(".") for name in names if not name.startswith(("var.", "local.")))
    return list(dict.fromkeys(module + ".".join(part[:2]) for part in parts if len(part) > 1))


def _place(value: Any, number: int) -> Any:
    if isinstance(value, list):
        return value[number] if number < len(value) else None
    return value


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in _listed(value) if isinstance(entry, Mapping)]
