"""Changing one key of a file: paths such as strategies.canary.steps[0].weight."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from simulator.words import profiles
from simulator.words.distributions import Distribution
from simulator.words.documents import Path
from simulator.words.shape import dotted
from simulator.words.strategy import Strategy, kinds
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

_FILES = ("file", "empirical")
_QUOTED = r'\["(?:[^"\\]|\\.)*"\]'
_CHANGE = re.compile(rf'((?:{_QUOTED}|[^="])*)=(.*)', re.DOTALL)
_STEP = re.compile(rf"\[(?P<index>\d+)\]|(?P<quoted>{_QUOTED})|(?P<dot>\.)?(?P<key>[^.\[\]]+)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_path(text: str) -> Path:
    """A dotted path with [i] for places in lists, as a tuple.

    Names may contain spaces; one with dots is written ["a.b"], with \\ before " and \\ in it.
    Raises ValueError for other texts.
    """
    path: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None or (step["key"] and bool(step["dot"]) != bool(path)):
            raise ValueError(f"{text!r} is not a path; write e.g. traffic.rate or steps[0].weight")
        if step["index"] is not None:
            path.append(int(step["index"]))
        elif step["quoted"] is not None:
            path.append(_ESCAPED.sub(r"\1", step["quoted"][2:-2]))
        else:
            path.append(step["key"])
        position = step.end()
    if not path or isinstance(path[0], int):
        raise ValueError(f"{text!r} is not a path; write e.g. traffic.rate or steps[0].weight")
    return tuple(path)


def split(text: str) -> tuple[str, str]:
    """Path and value of a text path=value; the value is empty without one.

    Names in [" "] may contain equals signs.
    """
    found = _CHANGE.fullmatch(text)
    return (found[1].strip(), found[2].strip()) if found else (text.strip(), "")


def change(raw: dict[str, Any], path: Path, value: Any) -> None:
    """Set one key of a file in place; None switches it off.

    On the way to the key, parts that the file leaves to its profile or the defaults are written
    out. Raises ValueError when there is no such place.
    """
    where: Any = raw
    for depth, key in enumerate(path[:-1]):
        _check(where, path, depth)
        if isinstance(where, list) and isinstance(key, int):
            where = where[key]
            continue
        if not isinstance(where.get(key), dict | list):
            where[key] = _written_out(raw, path[: depth + 1], path[depth + 1])
        where = where[key]
    _check(where, path, len(path) - 1)
    if value in (None, "none") and len(path) == 2 and path[0] == "strategies":
        _leave_out(where, str(path[1]))
    else:
        where[path[-1]] = "none" if value is None else value


def _leave_out(strategies: dict[str, Any], name: str) -> None:
    """Take a strategy away: switched off, it is not compared."""
    if name not in strategies:
        raise ValueError(f"no strategy is called {name!r}; there are {', '.join(strategies)}")
    del strategies[name]


def _check(where: Any, path: Path, depth: int) -> None:
    """Whether `path` can be followed from the container in front of its part `depth`."""
    key, here = path[depth], dotted(path[:depth])
    if isinstance(where, list):
        if not isinstance(key, int):
            raise ValueError(f"{here} is a list; write {here}[0] for its first item")
        if key >= len(where):
            raise ValueError(f"{here} has no item [{key}]; it has {len(where)}, counted from 0")
    elif not isinstance(where, dict):
        raise ValueError(f"{here} is a single value; nothing can be set below it")
    elif isinstance(key, int):
        raise ValueError(f"{here} is no list; leave out [{key}]")


def _written_out(raw: dict[str, Any], path: Path, following: str | int) -> Any:
    """What stands at `path` by default, or an empty mapping to begin with."""
    stated: Any = raw
    for key in path:
        stated = stated.get(key) if isinstance(stated, dict) else None
    if len(path) == 1:
        default: Any = {} if stated is None else stated
    else:
        default = _by_default(raw, path)
    if path == ("service", "errors") and stated is not None:
        return {"mean": stated}
    if isinstance(default, dict | list):
        return copy.deepcopy(default)
    if stated is not None and stated != "none":
        raise ValueError(f"{dotted(path)} is a single value; nothing can be set below it")
    if isinstance(following, int):
        raise ValueError(f"{dotted(path)} is not there; state the whole list")
    return {}


def _by_default(raw: Mapping[str, Any], path: Path) -> Any:
    where: Any = profiles.fill(raw)[0]
    if path[0] == "strategies":
        where = {"strategies": {path[1]: _settings(raw, str(path[1]))}}
    for key in path:
        if isinstance(where, list) and isinstance(key, int) and key < len(where):
            where = where[key]
        else:
            where = where.get(key) if isinstance(where, Mapping) else None
    return where


def _settings(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Every setting of a strategy of the file, as far as it is valid."""
    strategies = raw.get("strategies")
    own = strategies.get(name) if isinstance(strategies, Mapping) else None
    if isinstance(own, Strategy):
        return own.model_dump(mode="json", by_alias=True, exclude_none=True)
    kind = own.get("kind", name) if isinstance(own, Mapping) else name
    model = kinds().get(str(kind))
    try:
        settings = model.model_validate({"kind": kind, **(own or {})}) if model else None
    except (ValidationError, TypeError):
        return {}
    return settings.model_dump(mode="json", by_alias=True, exclude_none=True) if settings else {}


def files(data: Any, path: Path = ()) -> Iterator[Path]:
    """Where a document names a file: a trace's `file`, an `empirical` law that is a text."""
    if not isinstance(data, dict | list):
        return
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        here = (*path, key)
        if key in _FILES and isinstance(value, str):
            yield here
        else:
            yield from files(value, here)


def absolute(value: Any) -> Any:
    """A value in which names of files are relative to the working directory, made absolute."""
    if isinstance(value, dict):
        return {
            key: str(FilePath(item).resolve())
            if key in _FILES and isinstance(item, str)
            else absolute(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [absolute(item) for item in value]
    return value


def number_at(scenario: Scenario, path: str) -> float:
    """The number that stands at a path: a quantity in its base unit, the mean of a law, or of a
    part of a fleet the share, or the count as a whole number.

    Raises TypeError when what stands there is no number.
    """
    value = _value_at(scenario, path)
    if isinstance(value, Distribution):
        return value.mean()
    if isinstance(value, Portion):
        return value.number if value.is_share else int(value.number)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{path} is no number")
    return value


def _value_at(scenario: Scenario, path: str) -> Any:
    where: Any = scenario
    for key in parse_path(path):
        if isinstance(where, BaseModel):
            names = {field.alias or name: name for name, field in type(where).model_fields.items()}
            where = getattr(where, names[str(key)])
        elif isinstance(where, Mapping):
            where = where[str(key)]
        else:
            where = where[int(key)]
    return where
