"""The JSON Schema: current, complete, and of one opinion with the reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulator.words import documents, dump, loads, packaged
from simulator.words.reading import packaged_folder
from simulator.words.schema import schema, text
from simulator.words.strategy import kinds
from tests.words.files import BARE

CHECKED_IN = Path(__file__).parents[2] / "scenarios" / "scenario.schema.json"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """A validator of the schema as it is now."""
    return jsonschema.Draft202012Validator(schema())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_schema_beside_the_scenarios_is_current() -> None:
    """Write it anew with: deploysim schema -o scenarios/scenario.schema.json"""
    assert json.loads(CHECKED_IN.read_text(encoding="utf-8")) == schema()
    assert CHECKED_IN.read_text(encoding="utf-8") == text()


def test_good_files_pass(validator: jsonschema.Draft202012Validator, file: str) -> None:
    for good in (file, dump(loads(file))):
        problems = list(validator.iter_errors(documents.read(good).data))
        assert not problems, [f"{p.json_path}: {p.message[:200]}" for p in problems]


def test_packaged_scenarios_pass(validator: jsonschema.Draft202012Validator) -> None:
    for name in packaged():
        content = (packaged_folder() / f"{name}.yaml").read_text(encoding="utf-8")
        problems = list(validator.iter_errors(documents.read(content).data))
        assert not problems, (name, [f"{p.json_path}: {p.message[:200]}" for p in problems])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 2"),
        ("version: 1\n", ""),
        ("profile: bare", "profile: barely"),
        ("profile: bare\nservice: {instances: 4, capacity: 100 rps}\n", ""),
        ("capacity: 100 rps", "capacity: 100"),
        ("capacity: 100 rps", "capasity: 100 rps"),
        ("capacity: 100 rps", "startup: {gauss: {mean: 5s}}"),
        ("capacity: 100 rps", "startup: {exponential: {mean: 5s}, normal: {mean: 5s, sd: 1s}}"),
        ("capacity: 100 rps", "drain: 5x"),
        ("capacity: 100 rps", "start_rate: quick"),
        ("users: 10k", "sticky: yes"),
        ("canary: {}", "canry: {}"),
        ("canary: {}", "canary: {kind: rolling}"),
        ("canary: {}", "mine: {kind: canaryy}"),
        ("canary: {}", "mine: {kind: canary, batch: 3}"),
        ("canary: {}", "canary: {steps: [{bake: 5m}]}"),
        ("canary: {}", "canary: {steps: 5}"),
        ("canary: {}", "phased: {within: {batch: 3}}"),
        ("{rolling: {}, canary: {}}", "{}"),
        ("{rolling: {}, canary: {}}", "[rolling]"),
        ("users: 10k}", "users: 10k}\nresponse: {automatic: allways}"),
        ("users: 10k}", "users: 10k}\nchange: {defects: [{kind: load, thresold: 5%}]}"),
        ("users: 10k}", "users: 10k}\nchange: {defects: [{kind: crash, rate: 5%}]}"),
        ("users: 10k}", "users: 10k}\ncalendar: {work: 9}"),
        ("users: 10k}", "users: 10k}\ncosts: {currency: dollars}"),
        ("users: 10k}", "users: 10k}\nnme: shop"),
    ],
)
def test_broken_files_do_not_pass(
    validator: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    assert old in BARE
    assert not validator.is_valid(documents.read(BARE.replace(old, new)).data)


def described(part: Any, path: str) -> Iterator[tuple[str, bool]]:
    """Every key of a schema and whether it says what it means."""
    for key, value in part.get("properties", {}).items():
        yield f"{path}.{key}", bool(value.get("description"))


def test_every_key_is_described() -> None:
    found = schema()
    parts = {**found["$defs"], "": {k: v for k, v in found.items() if k != "$defs"}}
    errors = parts.pop("BaselineErrors")["anyOf"][0]
    keys = [
        key for name, part in {**parts, "errors": errors}.items() for key in described(part, name)
    ]
    bare = [key for key, has in keys if not has and key.split(".")[1] not in kinds()]
    assert bare == []
    assert len(keys) > 100


def test_defaults_of_the_schema_read_as_what_they_are() -> None:
    found = schema()
    assert found["$defs"]["Alarm"]["properties"]["period"]["default"] == "1m"
    assert found["$defs"]["Rolling"]["properties"]["batch"]["default"] == "25%"
    assert found["$defs"]["Service"].get("required") is None
    assert found["$defs"]["BurnRate"]["required"] == ["burn", "long", "short"]


def test_a_word_may_stand_for_a_list() -> None:
    found = schema()["$defs"]["Detection"]["properties"]["burn_rate"]["anyOf"]
    assert {"const": "standard"} in found
