"""A scenario's settings one by one, as a form shows them: value, meaning, choices, examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema

from simulator.words.shape import dotted, fields, traits
from simulator.words.strategy import Strategy, kinds

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from simulator.words.documents import Path
    from simulator.words.scenario import Scenario

SECTIONS = (
    *("service", "traffic", "router", "change", "failures"),
    *("detection", "response", "calendar", "slo", "costs"),
)
_NONE = "none"


class Setting(NamedTuple):
    """One setting: its `path` in a file, a `label`, its value as text of a file, what it means,
    all values it may have (if they are few), examples of values, and the source of an assumed one.
    """

    path: str
    label: str
    value: str
    meaning: str
    choices: tuple[str, ...]
    examples: tuple[str, ...]
    assumed: str


def settings(scenario: Scenario, section: str) -> tuple[Setting, ...]:
    """Every setting of a section of a scenario, or of one of its strategies.

    `section` is one of `SECTIONS` or the path of a strategy. Lists stand as one value.
    """
    assumed = {row.path: row.source for row in scenario.assumed}
    content = scenario.resolved()
    if section in SECTIONS:
        model = type(getattr(scenario, section))
        return tuple(_listed(model, content[section], (section,), assumed))
    from simulator.words.changes import parse_path

    where = parse_path(section)
    name = str(where[1])
    own = type(scenario.strategies[name])
    return tuple(_listed(own, content["strategies"][name], where, assumed))


def setting(scenario: Scenario, path: str) -> Setting:
    """One setting by its path; of a value inside of one, such as a threshold in a list of alarms,
    there are only its label, its value and the source of an assumed one.
    """
    section = path.split(".")[0]
    listed = settings(scenario, section) if section in SECTIONS else ()
    for one in listed:
        if one.path == path:
            return one
    assumed = {row.path: row.source for row in scenario.assumed}
    value, named = at(scenario, path), label(path, scenario)
    return Setting(path, named, value, "", (), (), assumed.get(path, ""))


def label(path: str, scenario: Scenario | None = None) -> str:
    """A path in words: its section or strategy, then its keys, counting places of lists from 1.

    Defects stand by their names in a scenario. Raises ValueError for what is no path.
    """
    from simulator.words.changes import parse_path

    keys = parse_path(path)
    labels = scenario.change.labels if scenario and keys[:2] == ("change", "defects") else ()
    if len(keys) > 3 and isinstance(keys[2], int) and keys[2] < len(labels):
        return _label(("defect", labels[keys[2]], *keys[3:]))
    return _label(keys[1:] if keys[0] == "strategies" and len(keys) > 1 else keys)


def _label(keys: Path) -> str:
    """Keys in words, with colons between them."""
    told = ""
    for key in keys:
        if isinstance(key, int):
            told += f" {key + 1}"
        else:
            told += f"{': ' if told else ''}{key.replace('_', ' ')}"
    return told


def at(scenario: Scenario, path: str) -> str:
    """The value at a path as text of a file; `none` where nothing stands."""
    from simulator.words.changes import parse_path

    where: Any = scenario.resolved()
    for key in parse_path(path):
        if isinstance(where, Mapping):
            where = where.get(key, _NONE)
        elif isinstance(where, list) and isinstance(key, int) and key < len(where):
            where = where[key]
        else:
            return _NONE
    return flow(where)


def new_strategy(kind: str) -> str:
    """A strategy of a kind with all its defaults, as text of a file; raises KeyError."""
    return flow({"kind": kinds()[kind].model_fields["kind"].default})


def stated(strategy: Strategy) -> str:
    """A strategy as text of a file: its kind, and what differs from its defaults."""
    return flow(_stated(strategy))


def _stated(strategy: Strategy) -> dict[str, Any]:
    content = strategy.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude_none=True
    )
    inside = {name: _stated(x) for name, x in strategy.inside.items() if name in content}
    return {"kind": strategy.kind, **content, **inside}


def flow(value: Any) -> str:
    """A value in one line, as text of a file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_word(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return _word(str(value)) if isinstance(value, str) else str(value)


def _word(text: str) -> str:
    """A text in quotes where YAML would read something else."""
    from simulator.words import documents

    try:
        plain = documents.read(f"[{text}]").data == [text]
    except documents.DocumentError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _listed(
    model: type[BaseModel], content: Any, where: Path, assumed: Mapping[str, str]
) -> Iterator[Setting]:
    for key, field in fields(model).items():
        if key == "kind":
            continue
        path = (*where, key)
        models, _, listed, _ = traits(field)
        value = content.get(key, _NONE)
        nested = models[0] if len(models) == 1 and not listed else None
        if nested and isinstance(value, Mapping) and set(value) <= set(fields(nested)):
            yield from _listed(nested, value, path, assumed)
            continue
        text = dotted(path)
        named = path[2:] if where[0] == "strategies" else path[1:]
        yield Setting(
            text,
            _label(named),
            flow(value),
            field.description or "",
            tuple(_choices(field)),
            tuple(_examples(field)),
            assumed.get(text, ""),
        )


def _choices(field: FieldInfo) -> Iterator[str]:
    """The values of a field that has few: yes or no, or words."""
    annotation: Any = field.annotation
    if annotation is bool:
        yield from ("true", "false")
    elif get_origin(annotation) is Literal:
        yield from (str(word) for word in get_args(annotation))


def _examples(field: FieldInfo) -> Iterator[str]:
    for part in (*field.metadata, *_metadata(field.annotation)):
        if isinstance(part, WithJsonSchema) and part.json_schema:
            forms = (part.json_schema, *part.json_schema.get("anyOf", ()))
            yield from (str(example) for form in forms for example in form.get("examples", ()))


def _metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _metadata(part)
