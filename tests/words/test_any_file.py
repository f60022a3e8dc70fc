"""Whatever stands in a file: it is read, or refused in words a user understands."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.words import Problem, Scenario, ScenarioError, documents, loads
from simulator.words.documents import Path
from tests.words.files import IN_FULL

GOOD: dict[str, Any] = documents.read(IN_FULL).data
FOREIGN = ("Input should", "Value error", "validation error", "pydantic", "Traceback", "NoneType")


def paths(data: Any, path: Path = ()) -> list[Path]:
    """Every place of a file below its top."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    return [here for key, value in items for here in ((*path, key), *paths(value, (*path, key)))]


def read(text: str) -> Scenario | tuple[Problem, ...]:
    """The scenario of a text, or its problems."""
    try:
        return loads(text)
    except ScenarioError as error:
        return error.problems


PLACES = paths(GOOD)
values: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 5, 0.5, 1e300, 10**20, "", "none", "true", "yes", "5", "-5"),
        *("5%", "500%", "-5%", "5m", "1e308d", "1e999", "5 rps", "1e308 rps", "0.1/h", "5 EUR"),
        *("canary", "errors", "Tue 10:00", "[", "{}", "\t", "é" * 99, [], {}, [[]], [{}], {"": {}}),
        *([None], ["5%", "1%"], ["10s", "20s"], {"a": 1}, {"kind": "canary"}, {"kind": "errors"}),
        *(
            {"kind": 5},
            {"kind": []},
            {"lognormal": {}},
            {"exponential": {"mean": "5s"}},
            {"for": 5},
        ),
        *({"lognormal": {"median": "1s", "sigma": 1e300}}, {"empirical": "none-such.csv"}),
        *({"weibull": {"scale": "1s", "shape": 1e-9}}, {"normal": {"mean": "0s", "sd": "1s"}}),
    ]
)


def put(data: dict[str, Any], path: Path, value: Any) -> None:
    """Replace what stands at a path, if the path still leads somewhere."""
    where: Any = data
    for key in path[:-1]:
        if not isinstance(where, dict | list):
            return
        try:
            where = where[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(where, dict) or (isinstance(where, list) and isinstance(path[-1], int)):
        where[path[-1]] = value  # type: ignore[index]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3))
@example([(("profile",), ["a"])])
@example([(("strategies", "canary", "kind"), {})])
@example([(("change", "defects", 0, "kind"), [])])
def test_any_values_are_read_or_refused(changes: list[tuple[Path, Any]]) -> None:
    data = json.loads(json.dumps(GOOD))
    for path, value in changes:
        put(data, path, json.loads(json.dumps(value)))
    found = read(json.dumps(data, ensure_ascii=False))
    if isinstance(found, Scenario):
        assert loads(json.dumps(found.resolved())).canonical() == found.canonical()
        return
    for problem in found:
        assert problem.message.strip()
        assert not any(word in problem.message for word in FOREIGN), problem.message
    assert len({problem.path for problem in found}) == len(found) > 0


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(IN_FULL)), st.integers(0, 30), st.text(max_size=5))
def test_any_text_is_read_or_refused(start: int, length: int, new: str) -> None:
    text = IN_FULL[:start] + new + IN_FULL[start + length :]
    found = read(text)
    if not isinstance(found, Scenario):
        assert found
        assert all(problem.line is not None for problem in found)
