"""What is wrong with a scenario, said so that it can be put right: place, reason and remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from simulator.words import shape
from simulator.words.documents import Path, plain

_KEY = re.compile(r"[a-z_0-9]+")
_CHANGES = ("--set", "--flips", "with_", "vary")


class Problem(NamedTuple):
    """One thing wrong with a scenario: where, and what to do about it (line and column from 1).

    `file` is a file's name, or for a change made to it `--set`, `--flips`, `with_` or `vary`, which
    have no line.
    """

    file: str
    path: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        path = plain(self.path)
        if self.line is not None:
            place = f"{self.file}:{self.line}:{self.column}"
        elif self.file in _CHANGES:
            return f"{self.file} {path}: {self.message}"
        else:
            place = self.file
        return f"{place}: {path}: {self.message}" if path else f"{place}: {self.message}"


class ScenarioError(ValueError):
    """A scenario that cannot be used; `problems` holds everything that is wrong with it.

    `what` names it in machine-readable answers.
    """

    what: ClassVar[str] = "invalid scenario"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def explained(
    errors: Sequence[Mapping[str, Any]], full: Mapping[str, Any], known: shape.Found
) -> shape.Found:
    """What validation found, at places of the file, without what is explained already.

    A mapping in which something is wrong is not judged as a whole, and of several readings of one
    value only one complains.
    """
    spoilt = {path[:depth] for path, _ in known for depth in range(1, len(path) + 1)}
    mappings = {path[:-1] for path, _ in known}
    found: dict[Path, str] = {}
    for error in errors:
        path = _in_file(error["loc"], full)
        missing = error["type"] == "missing"
        if path in spoilt or (missing and path[:-1] in mappings and len(path) > 1):
            continue
        plain = error["type"] in ("value_error", "literal_error")
        if path not in found or plain:
            found[path] = _message(path, error, full)
    deeper = {path[:depth] for path in found for depth in range(len(path))}
    return [(path, message) for path, message in found.items() if path not in deeper]


def _message(path: Path, error: Mapping[str, Any], full: Mapping[str, Any]) -> str:
    """What is wrong with one value, and what is allowed."""
    context, value = error.get("ctx", {}), error.get("input")
    match error["type"]:
        case "value_error":
            return str(context.get("error", error["msg"]))
        case "missing":
            return f"is missing; add {_example(path, full)}"
        case "literal_error":
            return _not_allowed(path, value, context["expected"])
        case "model_type" | "model_attributes_type" | "dict_type" | "union_tag_not_found":
            return f"{_short(value)} is not a mapping; write keys with values below it"
        case "tuple_type":
            return f"{_short(value)} is not a list; write it in brackets: [...]"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{_short(value)} is not a whole number; write e.g. {_whole(value)}"
        case "float_parsing" | "float_type" | "finite_number":
            return f"{_short(value)} is not a number; write e.g. 1.5"
        case "bool_parsing" | "bool_type":
            return f"{_short(value)} is neither true nor false; write one of the two"
        case "string_type":
            return f"{_short(value)} is not text; put it in quotes"
        case "greater_than_equal":
            return f"{_short(value)} is too small; write at least {context['ge']:g}"
        case "less_than_equal":
            return f"{_short(value)} is too large; write at most {context['le']:g}"
    return str(error["msg"])


def _whole(value: Any) -> int:
    """The whole number below a value, at least 1; 20 where it is no number."""
    try:
        return max(math.floor(float(value)), 1)
    except (TypeError, ValueError, OverflowError):
        return 20


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _not_allowed(path: Path, value: Any, expected: str) -> str:
    allowed = re.findall(r"'([^']*)'", expected) or [expected]
    return (
        f"{_short(value)} is not allowed; allowed: {', '.join(allowed)}{shape.near(value, allowed)}"
    )


# By the key, or by the key of what it stands in and its own.
_EXAMPLES = {
    "above": "1%",
    "after": "30m",
    "at": "2h",
    "burn": "14.4",
    "burst": "20",
    "catches": "60%",
    "changes.each": "0.5%",
    "connections.each": "5",
    "connections.max": "400",
    "count": "20",
    "coverage": "60%",
    "defects": "[{kind: errors, rate: 5%}]",
    "every": "1d",
    "factor": "1.5",
    "file": "traffic.csv",
    "for": "5m",
    "from": "2026-12-20",
    "hits": "80%",
    "lasts": "10m",
    "long": "1h",
    "max": "20",
    "mean": "500 rps",
    "migrate": "20m",
    "min": "4",
    "mtbf": "30d",
    "onset": "4h",
    "peak": "900 rps",
    "peak_at": "14:00",
    "ramp": "1h",
    "rate": "5%",
    "repair": "30m",
    "share": "50%",
    "short": "5m",
    "target": "60%",
    "threshold": "30%",
    "to": "2027-01-03",
    "weight": "5%",
}


def _example(path: Path, full: Mapping[str, Any]) -> str:
    key = str(path[-1])
    within = next((str(part) for part in reversed(path[:-1]) if isinstance(part, str)), "")
    example = f"{key}: {_EXAMPLES.get(f'{within}.{key}', _EXAMPLES.get(key, '...'))}"
    model = shape.model_at(path[:-1], full)
    field = shape.fields(model).get(key) if model else None
    meaning = f" ({field.description})" if field and field.description else ""
    return f"e.g. {example}{meaning.replace('.)', ')')}"


def _in_file(loc: Sequence[str | int], full: Mapping[str, Any]) -> Path:
    """Drop the parts of an error's place that are no keys of the file (tags of unions)."""
    path: list[str | int] = []
    where: Any = full
    for position, part in enumerate(loc):
        if _stands_in(part, where):
            where = where[part]
        elif position == len(loc) - 1 and isinstance(where, Mapping) and _KEY.fullmatch(str(part)):
            where = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _stands_in(part: str | int, where: Any) -> bool:
    if isinstance(where, Mapping):
        return part in where
    return isinstance(where, list | tuple) and isinstance(part, int) and part < len(where)
