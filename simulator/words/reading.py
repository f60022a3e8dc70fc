"""Reading scenarios from a file, standard input or the package, every problem at its place."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from simulator.words import changes, documents, profiles, shape
from simulator.words.documents import DocumentError, Path, Place
from simulator.words.problems import Problem, ScenarioError, explained
from simulator.words.scenario import Scenario

EXAM = "exam"

__all__ = [
    "EXAM",
    "Problem",
    "ScenarioError",
    "load",
    "loads",
    "objective_places",
    "packaged",
    "packaged_folder",
    "reread",
]


def packaged_folder() -> FilePath:
    """Where the packaged scenarios are: in the wheel, or beside the package in a checkout."""
    here = FilePath(__file__).resolve().parents[1]
    bundle = here / "_bundle" / "scenarios"
    return bundle if bundle.is_dir() else here.parent / "scenarios"


def packaged(part: str = "") -> list[str]:
    """Names of the packaged scenarios, or of those in a `part`, e.g. exam/canary-bake."""
    folder = packaged_folder()
    found = (folder / part).glob("*.yaml")
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in found)


def load(where: str | FilePath, *, sets: Iterable[str] = (), part: str = "") -> Scenario:
    """Read a scenario from a file, "-" for standard input, or a packaged name (of a `part`).

    `sets` are texts path=value that change keys before validation; files named in them are
    relative to the working directory. Raises ScenarioError with everything that is wrong.
    """
    text = str(where)
    if text == "-":
        return _decoded(sys.stdin.buffer.read(), "<stdin>", None, sets)
    path = _file(text, part)
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise ScenarioError([_unplaced(text, "is a folder; name a file in it")]) from None
    except (OSError, ValueError) as error:
        known = [name.removeprefix(f"{part}/") for name in packaged(part)]
        reason = error.strerror if isinstance(error, OSError) else str(error)
        others = f"; packaged: {', '.join(known)}" if known else "; check the path"
        message = f"cannot be read ({reason}){others}{shape.near(text, known)}"
        raise ScenarioError([_unplaced(text, message)]) from None
    return _decoded(content, text, str(path.parent), sets)


def _file(where: str, part: str = "") -> FilePath:
    """The file that a path or a packaged name means."""
    path = FilePath(where)
    if f"{part}/{where}" in packaged(part):
        return packaged_folder() / part / f"{where}.yaml"
    if not path.exists() and where in (*packaged(), *packaged(EXAM)):
        return packaged_folder() / f"{where}.yaml"
    return path


def objective_places(where: str) -> tuple[str, dict[str, Place]]:
    """The file that `load` reads, and where each of its objectives stands, by its text.

    Nothing is known of standard input. Raises OSError when the file is gone meanwhile.
    """
    if where == "-":
        return "<stdin>", {}
    path = _file(where)
    document = documents.read(documents.decode(path.read_bytes()))
    listed = document.data.get("objectives") or ()
    return str(path), {
        str(text).strip(): document.places["objectives", number]
        for number, text in enumerate(listed)
        if ("objectives", number) in document.places
    }


def loads(
    text: str, name: str = "<text>", folder: str | None = None, *, sets: Iterable[str] = ()
) -> Scenario:
    """Read a scenario from YAML text; files it names are relative to `folder`.

    `name` stands for the file in messages. Raises ScenarioError with everything that is wrong.
    """
    try:
        document = documents.read(text)
    except DocumentError as error:
        raise ScenarioError([_broken(name, error)]) from None
    raw = document.data
    if not isinstance(raw, dict):
        what = "a list" if isinstance(raw, list) else "a plain value"
        message = f"{what} at the top; a scenario is a mapping that begins with version: 1"
        raise ScenarioError([Problem(name, "", *document.places[()], message)])
    scenario = _changed(raw, name, folder, _parsed(sets), document.places, "--set")
    if scenario.exam is not None:
        from simulator.words.options import wrong

        found = [
            Problem(name, shape.dotted(path), *_nearest(document.places, path), message)
            for path, message in wrong(scenario)
        ]
        if found:
            raise ScenarioError(sorted(found, key=lambda p: (p.line or 0, p.column or 0)))
    return scenario


def reread(
    source: Mapping[str, Any],
    folder: str | None,
    changed: Sequence[tuple[str, Any]],
    strict: bool = False,
) -> Scenario:
    """The scenario of a file's content with some keys changed.

    Texts are read as YAML. Unless `strict`, bare numbers stand for seconds, requests/s, and so on;
    a Python value that is no text makes the reading lenient. Raises ScenarioError.
    """
    parsed = []
    strict = strict and all(isinstance(value, str) for _, value in changed)
    for path, value in changed:
        try:
            new = documents.read(value).data if isinstance(value, str) else value
        except DocumentError as error:
            raise ScenarioError([Problem("with_", path, None, None, str(error))]) from None
        parsed.append((path, new))
    return _changed(dict(source), "<scenario>", folder, parsed, {}, "with_", strict)


def _decoded(content: bytes, name: str, folder: str | None, sets: Iterable[str]) -> Scenario:
    try:
        text = documents.decode(content)
    except DocumentError as error:
        raise ScenarioError([_broken(name, error)]) from None
    return loads(text, name, folder, sets=sets)


def _broken(name: str, error: DocumentError) -> Problem:
    return Problem(name, "", error.line, error.column, str(error))


def _unplaced(name: str, message: str) -> Problem:
    return Problem(name, "", None, None, message)


def _parsed(sets: Iterable[str]) -> list[tuple[str, Any]]:
    """Paths and values of texts path=value; raises ScenarioError."""
    parsed, problems = [], []
    for item in sets:
        path, value = changes.split(item)
        if "=" not in item or not path:
            message = "is not path=value; write e.g. traffic.rate=500 rps"
            problems.append(Problem("--set", item, None, None, message))
        elif not value:
            message = "has no value after =; write none to switch a part off"
            problems.append(Problem("--set", path, None, None, message))
        else:
            try:
                parsed.append((path, changes.absolute(documents.read(value).data)))
            except DocumentError as error:
                problems.append(Problem("--set", path, None, None, str(error)))
    if problems:
        raise ScenarioError(problems)
    return parsed


def _changed(
    raw: dict[str, Any],
    name: str,
    folder: str | None,
    wanted: Sequence[tuple[str, Any]],
    places: dict[Path, Place],
    label: str,
    strict: bool = True,
) -> Scenario:
    """The scenario of `raw` after the wanted changes; `label` names them in messages."""
    raw = copy.deepcopy(raw)
    paths: list[Path] = []
    problems = []
    for text, value in wanted:
        try:
            documents.refuse_controls(text)
            path = changes.parse_path(text)
            changes.change(raw, path, value)
        except ValueError as error:
            problems.append(Problem(label, text, None, None, str(error)))
        else:
            paths.append(path)
    if problems:
        raise ScenarioError(problems)
    result = _validated(raw, folder, strict)
    if isinstance(result, Scenario):
        return result

    def placed(path: Path, message: str) -> Problem:
        if any(path[: len(place)] == place or place[: len(path)] == path for place in paths):
            return Problem(label, shape.dotted(path), None, None, message)
        line, column = _nearest(places, path)
        return Problem(name, shape.dotted(path), line, column, message)

    found = [placed(path, message) for path, message in result]
    raise ScenarioError(sorted(found, key=lambda p: (p.line or 0, p.column or 0)))


def _validated(raw: dict[str, Any], folder: str | None, strict: bool) -> Scenario | shape.Found:
    """The scenario, or everything that is wrong; strict: bare numbers need their unit."""
    kept, found = shape.inspect(raw, profiles.names())
    full, assumed = profiles.fill(kept)
    strategies = raw.get("strategies")
    context = {
        "source": "file" if strict else "python",
        "folder": folder,
        "raw": raw,
        "assumed": assumed,
        "names": tuple(strategies) if isinstance(strategies, Mapping) else (),
    }
    try:
        scenario = Scenario.model_validate(full, context=context)
    except ValidationError as error:
        return found + explained(error.errors(include_url=False), full, found)
    return found or scenario


def _nearest(places: dict[Path, Place], path: Path) -> tuple[int | None, int | None]:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, (None, None))
