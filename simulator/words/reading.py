"""Reading scenarios: from a file, standard input or the package, with every problem at its place."""

from __future__ import annotations

import copy
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from simulator.words import documents, profiles
from simulator.words.documents import DocumentError, Path, Place
from simulator.words.scenario import Scenario
from simulator.words.strategy import Strategy, kinds

# What the format names but this version does not play yet, with what may stand there all the same.
NOT_YET = {
    "service": "elastic concurrency service_time ungraceful start_rate connections scaling cells "
    "sessions overload drifted zones cost_per_request",
    "traffic": "retries connections queue deadline",
    "router": "cache dns",
    "change": "changes schema upgrade_routine single_writer licences every",
    "detection": "burn_rate health",
    "slo": "latency",
    "costs": "licence",
    "": "failures calendar",
}
_NOT_YET_KINDS = {
    "strategies": "shadow feature_flag rate_controlled kubernetes_rolling argo_canary "
    "argo_blue_green flagger codedeploy ecs_rolling beanstalk cloudformation_rolling",
    "change.defects": "load",
}
_NOT_YET_VALUES = {
    "test": "two_proportion mann_whitney sequential",
    "against": "baseline",
    "green": "scaled",
    "by": "cells zones regions",
}
_NOTHING: tuple[Any, ...] = (None, {}, "none", [])
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)|\.")


class Problem(NamedTuple):
    """One thing wrong with a scenario: where, and what to do about it (line and column from 1)."""

    file: str
    path: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(ValueError):
    """A scenario that cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def packaged_folder() -> FilePath:
    """Where the packaged scenarios are: in the wheel, or beside the package in a checkout."""
    here = FilePath(__file__).resolve().parents[1]
    bundle = here / "_bundle" / "scenarios"
    return bundle if bundle.is_dir() else here.parent / "scenarios"


def packaged() -> list[str]:
    """Names of the packaged scenarios."""
    return sorted(path.stem for path in packaged_folder().glob("*.yaml"))


def load(where: str | FilePath, sets: Iterable[str] = ()) -> Scenario:
    """Read a scenario from a file, "-" for standard input, or a packaged name.

    `sets` are texts path=value that change keys before reading. Raises ScenarioError.
    """
    text = str(where)
    if text == "-":
        return _decoded(sys.stdin.buffer.read(), "<stdin>", None, sets)
    path = FilePath(text)
    if not path.exists() and text in packaged():
        path = packaged_folder() / f"{text}.yaml"
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        message = "is a folder; name a file in it"
        raise ScenarioError([Problem(text, "", None, None, message)]) from None
    except OSError as error:
        near = difflib.get_close_matches(text, packaged(), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        message = f"cannot be read ({error.strerror}); packaged: {', '.join(packaged())}{hint}"
        raise ScenarioError([Problem(text, "", None, None, message)]) from None
    return _decoded(content, text, str(path.parent), sets)


def _decoded(
    content: bytes, name: str, folder: str | None, sets: Iterable[str]
) -> Scenario:
    try:
        text = documents.decode(content)
    except DocumentError as error:
        raise ScenarioError([Problem(name, "", error.line, error.column, str(error))]) from None
    return loads(text, name, folder, sets)


def loads(
    text: str, name: str = "<text>", folder: str | None = None, sets: Iterable[str] = ()
) -> Scenario:
    """Read a scenario from YAML text; files it names are relative to `folder`."""
    try:
        document = documents.read(text)
    except DocumentError as error:
        raise ScenarioError([Problem(name, "", error.line, error.column, str(error))]) from None
    raw = document.data
    if not isinstance(raw, dict):
        what = "a list" if isinstance(raw, list) else "a plain value"
        message = f"{what} at the top; a scenario is a mapping that begins with version: 1"
        raise ScenarioError([Problem(name, "", 1, 1, message)])
    changes, problems = [], []
    for item in sets:
        path, sign, value = item.partition("=")
        if not sign or not path.strip():
            problems.append(Problem("--set", item, None, None, "write path=value"))
            continue
        try:
            changes.append((path.strip(), documents.read(value).data if value.strip() else None))
        except DocumentError as error:
            problems.append(Problem("--set", path, None, None, str(error)))
    if problems:
        raise ScenarioError(problems)
    return _validated(raw, name, folder, changes, document.places)


def reread(
    source: Mapping[str, Any], folder: str | None, changes: Sequence[tuple[str, Any]]
) -> Scenario:
    """The scenario of a file's raw content with some keys changed; text values are YAML."""
    parsed = []
    for path, value in changes:
        if isinstance(value, str):
            try:
                value = documents.read(value).data
            except DocumentError as error:
                raise ScenarioError([Problem("with_", path, None, None, str(error))]) from None
        parsed.append((path, value))
    return _validated(dict(source), "<scenario>", folder, parsed, {})


def _validated(
    raw: dict[str, Any],
    name: str,
    folder: str | None,
    changes: Sequence[tuple[str, Any]],
    places: dict[Path, Place],
) -> Scenario:
    raw = copy.deepcopy(raw)
    changed: list[Path] = []
    problems = []
    for text, value in changes:
        try:
            changed.append(_put(raw, text, _relative(value)))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            problems.append(Problem("--set", text, None, None, f"no such place: {error}"))
    if problems:
        raise ScenarioError(problems)

    def problem(path: Path, message: str) -> Problem:
        if any(path[: len(place)] == place for place in changed):
            return Problem("--set", _dotted(path), None, None, message)
        line, column = _nearest(places, path)
        return Problem(name, _dotted(path), line, column, message)

    problems = [problem(path, message) for path, message in _refused(raw)]
    if problems:
        raise ScenarioError(problems)
    full, assumed = profiles.fill(raw)
    context = {"source": "file", "folder": folder, "raw": raw, "assumed": assumed}
    try:
        return Scenario.model_validate(full, context=context)
    except ValidationError as error:
        found = [problem(*_explained(item, full)) for item in error.errors(include_url=False)]
        raise ScenarioError(sorted(set(found), key=lambda p: (p.line or 0, p.column or 0))) from None


def _relative(value: Any) -> Any:
    """File names given on the command line are relative to the working directory."""
    if isinstance(value, dict):
        return {
            key: str(FilePath(item).resolve())
            if key in ("file", "empirical") and isinstance(item, str)
            else _relative(item)
            for key, item in value.items()
        }
    return value


def _put(raw: dict[str, Any], text: str, value: Any) -> Path:
    path = parse_path(text)
    where: Any = raw
    for key, following in zip(path, path[1:], strict=False):
        if isinstance(key, str) and isinstance(where, dict):
            if not isinstance(where.get(key), (dict, list)):
                where[key] = _expanded(path[: path.index(key) + 1], where.get(key))
            where = where[key]
        else:
            where = where[key]
        if isinstance(following, int) and not isinstance(where, list):
            raise KeyError(f"{_dotted(path)}: {key} is no list")
    if isinstance(where, list) and not isinstance(path[-1], int):
        raise KeyError(f"{path[-1]} in a list; write [0] for its first item")
    where[path[-1]] = value
    return path


def _expanded(path: Path, value: Any) -> dict[str, Any]:
    """A mapping in place of a plain value or nothing, so that one of its keys can be set."""
    if path == ("service", "errors") and value is not None:
        return {"mean": value}
    return {}


def parse_path(text: str) -> Path:
    """A dotted path with [i] for places in lists, as a tuple."""
    return tuple(int(i) if i else key for i, key in _STEP.findall(text) if i or key)


def _dotted(path: Path) -> str:
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def _nearest(places: dict[Path, Place], path: Path) -> tuple[int | None, int | None]:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, (None, None))


def _refused(raw: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Keys and kinds that the format names but that are not available yet; unknown profiles."""
    found: list[tuple[Path, str]] = []
    for section, keys in NOT_YET.items():
        part = raw.get(section) if section else raw
        if isinstance(part, Mapping):
            for key in keys.split():
                if key in part and part[key] not in _NOTHING:
                    path: Path = (section, key) if section else (key,)
                    found.append((path, "not available yet; remove it"))
    strategies = raw.get("strategies")
    if isinstance(strategies, Mapping):
        for name, settings in strategies.items():
            kind = settings.get("kind", name) if isinstance(settings, Mapping) else name
            if kind in _NOT_YET_KINDS["strategies"].split():
                found.append((("strategies", name), f"kind {kind} is not available yet; remove it"))
    change = raw.get("change")
    defects = change.get("defects") if isinstance(change, Mapping) else None
    for index, defect in enumerate(defects if isinstance(defects, list) else []):
        if isinstance(defect, Mapping):
            if defect.get("kind") in _NOT_YET_KINDS["change.defects"].split():
                path = ("change", "defects", index)
                found.append((path, f"kind {defect['kind']} is not available yet; remove it"))
            for key in ("persists", "repair"):
                if key in defect:
                    path = ("change", "defects", index, key)
                    found.append((path, "not available yet; remove it"))
    profile = raw.get("profile")
    if profile is not None and profile not in profiles.names():
        near = difflib.get_close_matches(str(profile), profiles.names(), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join(profiles.names())
        found.append((("profile",), f"unknown profile {profile!r}; allowed: {known}{hint}"))
    return found


def _explained(error: Any, full: Mapping[str, Any]) -> tuple[Path, str]:
    """Path in the file and message of one validation error, with what is allowed."""
    path = _in_file(error["loc"], full)
    kind, message = error["type"], error["msg"]
    value = error.get("input")
    if kind == "extra_forbidden":
        allowed = _allowed(path[:-1], full)
        near = difflib.get_close_matches(str(path[-1]), allowed, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return path, f"unknown key; allowed here: {', '.join(allowed)}{hint}"
    if kind == "missing":
        return path, "is missing; add it"
    if kind == "literal_error":
        wanted = error["ctx"]["expected"]
        if str(value) in _NOT_YET_VALUES.get(str(path[-1]), "").split():
            return path, f"{value!r} is not available yet; allowed: {wanted}"
        return path, f"{value!r} is not one of {wanted}"
    if kind == "union_tag_invalid":
        tag, wanted = error["ctx"]["tag"], error["ctx"]["expected_tags"].replace("'", "")
        near = difflib.get_close_matches(str(tag), wanted.split(", "), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return (*path, "kind"), f"unknown kind {tag!r}; allowed: {wanted}{hint}"
    if kind == "union_tag_not_found":
        return path, "has no kind; add kind: errors, crash, slow, leak, wrong_data or mixed_versions"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return path, f"{value!r} is not a mapping of keys; write key: value lines below it"
    if kind == "tuple_type":
        return path, f"{value!r} is not a list; write it as [a, b]"
    if kind == "bool_parsing" or kind == "bool_type":
        return path, f"{value!r} is neither true nor false"
    return path, message.removeprefix("Value error, ")


def _in_file(loc: Sequence[str | int], full: Mapping[str, Any]) -> Path:
    """Drop the parts of an error's place that are no keys of the file (tags of unions)."""
    path: list[str | int] = []
    where: Any = full
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(where, Mapping) and part in where:
            where = where[part]
        elif isinstance(where, (list, tuple)) and isinstance(part, int) and part < len(where):
            where = where[part]
        elif isinstance(where, Mapping) and last and _is_key(part):
            where = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _is_key(part: str | int) -> bool:
    return isinstance(part, str) and re.fullmatch(r"[a-z_0-9]+", part) is not None


def _allowed(path: Path, full: Mapping[str, Any]) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    models: list[type[BaseModel]] = [Scenario]
    where: Any = full
    for part in path:
        where = where[part] if isinstance(where, (Mapping, list, tuple)) else None
        if isinstance(part, int):
            models = _of_kind(models, where)
            continue
        following = []
        for model in models:
            if model is Strategy:
                following.append(model)
                continue
            for name, field in model.model_fields.items():
                if part in (name, field.alias):
                    following.extend(_models_in(field.annotation))
        models = _of_kind(following or models, where)
    names: set[str] = set()
    for model in models:
        names |= {field.alias or name for name, field in model.model_fields.items()}
    return sorted(names)


def _of_kind(models: list[type[BaseModel]], where: Any) -> list[type[BaseModel]]:
    kind = where.get("kind") if isinstance(where, Mapping) else None
    if Strategy in models and kind in kinds():
        return [kinds()[str(kind)]]
    fitting = [
        m for m in models if "kind" in m.model_fields and kind in get_args(m.model_fields["kind"].annotation)
    ]
    return fitting or models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
