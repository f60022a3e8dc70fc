"""The JSON Schema of a scenario file, for editors and for other programs that write scenarios."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from simulator.words import profiles, shape
from simulator.words.scenario import Scenario
from simulator.words.strategy import Strategy, kinds
from simulator.words.writing import written_out

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OFF: dict[str, Any] = {"enum": ["none", {}]}
_NOT_YET: dict[str, Any] = {
    "description": "Not available yet; only what asks for nothing may stand here.",
    "enum": [{}, [], "none", 0, False, "0", "0/h", "compatible"],
}
_ALWAYS = ("version", "traffic", "strategies")

Schema = dict[str, Any]


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of the file format, every key described.

    A file that it accepts may still be refused for what a schema cannot say: sums, orders, names.
    """
    models: list[type[BaseModel]] = [Scenario, *(kinds()[name] for name in sorted(kinds()))]
    _, top = models_json_schema([(model, "validation") for model in models])
    found: dict[str, Schema] = {
        name: _tidied(part) for name, part in top["$defs"].items() if name not in _UNUSED
    }
    rows = {row.path: row.value for row in profiles.rows()}
    for model, path in _places(Scenario, ""):
        _optional(found[model.__name__], path, rows)
    for name, model in kinds().items():
        _with_defaults(found[model.__name__], name, model)
    found["AnyStrategy"] = _any_strategy()
    scenario = found.pop("Scenario")
    _complete(scenario)
    _named(found)
    found["BaselineErrors"] = _or_plain_share(found["BaselineErrors"])
    return {"$schema": _DRAFT, "title": "A scenario of deploysim", **scenario, "$defs": found}


def text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


_UNUSED = ("Distribution", "Measure", "Portion", "Strategy")


def _tidied(part: Any) -> Any:
    """Without titles and nulls; what may be switched off takes `none`, strategies any kind."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("anyOf") == [{"type": "string"}, {"type": "null"}]:
        return {"type": "string", "description": part["description"]}
    if part == {"type": "null"}:
        return dict(_OFF)
    if part.get("$ref") == "#/$defs/Strategy":
        return {**part, "$ref": "#/$defs/AnyStrategy"}
    tidy = {
        key: {name: _tidied(item) for name, item in value.items()}
        if key == "properties"
        else _tidied(value)
        for key, value in part.items()
        if key not in ("title", "discriminator", "default")
    }
    if "description" in tidy:
        tidy["description"] = " ".join(str(tidy["description"]).split())
    if tidy.get("type") == "array" and "items" in tidy:
        meaning = {key: tidy.pop(key) for key in ("description",) if key in tidy}
        return {"anyOf": [tidy, _OFF], **meaning}
    if tidy.get("examples") == ["90s", "10m", "4h"]:
        meaning = {key: tidy.pop(key) for key in ("description",) if key in tidy}
        return {"anyOf": [tidy, {"const": 0}], **meaning}
    return tidy


def _places(model: type[BaseModel], path: str) -> Iterable[tuple[type[BaseModel], str]]:
    """Every model inside a scenario, with the path of its keys in the table of defaults."""
    for key, field in shape.fields(model).items():
        models, _, listed, _ = shape.traits(field)
        here = f"{path}.{key}" if path else key
        for inner in models:
            if inner is Strategy or key == "objectives":
                continue
            where = here + (f"[{shape.kind_of(inner)}]" if len(models) > 1 else "[]" * listed)
            yield inner, where
            yield from _places(inner, where)


def _optional(part: Schema, path: str, rows: dict[str, Any]) -> None:
    """Keys with a default need not be stated; say which it is."""
    required = []
    for key in part.get("required", ()):
        here = f"{path}.{key}"
        if not any(row == here or row.startswith(f"{here}.") for row in rows):
            required.append(key)
    part.pop("required", None)
    if required:
        part["required"] = required
    for key, value in part["properties"].items():
        if (default := rows.get(f"{path}.{key}")) is not None:
            value["default"] = default
        if key == "kind":
            value.setdefault("description", "Which kind of defect it is.")
    for key in shape.NOT_YET.get(path.replace("[mixed_versions]", "[]"), "").split():
        part["properties"][key] = dict(_NOT_YET)


def _named(definitions: dict[str, Schema]) -> None:
    """Words that stand for a list, such as detection.burn_rate: standard."""
    for path, words in profiles.document()["named"].items():
        section, key = path.split(".")
        part = definitions[section.capitalize()]["properties"][key]
        part["anyOf"] += [{"const": word} for word in words]


def _with_defaults(part: Schema, kind: str, model: type[Strategy]) -> None:
    """The settings of a strategy with the defaults of its script."""
    part["properties"]["kind"] = {"const": kind, "description": "The kind; or name it so."}
    try:
        defaults = written_out(model.model_validate({"kind": kind}))
    except ValidationError:
        return
    for key, value in defaults.items():
        if key != "kind":
            part["properties"][key]["default"] = value


def _any_strategy() -> Schema:
    """A strategy that names its kind."""
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"enum": sorted(kinds()), "description": "Which kind of strategy it is."}
        },
        "allOf": [
            {
                "if": {"required": ["kind"], "properties": {"kind": {"const": name}}},
                "then": {"$ref": f"#/$defs/{model.__name__}"},
            }
            for name, model in sorted(kinds().items())
        ],
    }


def _complete(scenario: Schema) -> None:
    """What only the top of a file has: the kinds as names, the profiles, what must be there."""
    properties = scenario["properties"]
    properties["version"] = {"const": 1, "description": properties["version"]["description"]}
    properties["profile"] = {
        "enum": list(profiles.names()),
        "description": properties["profile"]["description"],
    }
    properties["strategies"] = {
        "type": "object",
        "description": properties["strategies"]["description"],
        "minProperties": 1,
        "properties": {
            name: {"$ref": f"#/$defs/{model.__name__}"} for name, model in sorted(kinds().items())
        },
        "additionalProperties": {"$ref": "#/$defs/AnyStrategy"},
    }
    for row in profiles.rows():
        if row.path in properties:
            properties[row.path]["default"] = row.value
    for key in shape.NOT_YET[""].split():
        properties[key] = dict(_NOT_YET)
    detection = properties["detection"]
    properties["detection"] = {"anyOf": [{"$ref": detection.pop("$ref")}, _OFF], **detection}
    scenario["required"] = list(_ALWAYS)
    scenario["anyOf"] = [{"required": ["service"]}, {"required": ["profile"]}]


def _or_plain_share(part: Schema) -> Schema:
    share = {key: value for key, value in part["properties"]["mean"].items() if key == "anyOf"}
    return {"anyOf": [part, share], "description": part.pop("description")}
