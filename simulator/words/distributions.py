"""Random quantities in a scenario: the laws, how they are written and read."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from simulator.words import units
from simulator.words.laws import (
    Capped,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    LogNormal,
    Normal,
    Triangular,
    Uniform,
    Weibull,
)

__all__ = [
    "Capped",
    "Constant",
    "Distribution",
    "Empirical",
    "Exponential",
    "LogNormal",
    "Normal",
    "RandomDuration",
    "RandomFactor",
    "RandomShare",
    "Triangular",
    "Uniform",
    "Weibull",
    "parse",
    "write",
]

_Z95 = NormalDist().inv_cdf(0.95)
_FORMS = "exponential, lognormal, normal, uniform, triangular, weibull, empirical"
_KEYS: dict[str, tuple[set[str], ...]] = {
    "exponential": ({"mean"},),
    "lognormal": ({"median", "sigma"}, {"median", "p95"}, {"mean", "sd"}),
    "normal": ({"mean", "sd"},),
    "uniform": ({"low", "high"},),
    "triangular": ({"low", "mode", "high"},),
    "weibull": ({"scale", "shape"},),
}
_PURE = {"sigma", "shape"}
_BARE = re.compile(r"\d*\.?\d+(?:[eE][+-]?\d+)?")


def parse(
    value: Any,
    read: Callable[[Any], float],
    folder: str | None = None,
    form: Callable[[float], str] = repr,
) -> Distribution:
    """Read a random quantity whose numbers are read by `read` (a unit's parser).

    `form` writes a bare number of a file, which is in the base unit, as `read` expects it.
    Accepts a plain quantity, [low, high] (a 90 % interval of a log-normal), or one law by name
    with its parameters. Raises ValueError with the allowed forms.
    """
    if isinstance(value, Distribution):
        return value
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError("a list means a 90 % interval: write two values, e.g. [25s, 35s]")
        low, high = read(value[0]), read(value[1])
        if not 0 < low < high:
            raise ValueError(f"[{value[0]}, {value[1]}]: the first must be above 0 and the smaller")
        return LogNormal(median=math.sqrt(low * high), sigma=math.log(high / low) / (2 * _Z95))
    if not isinstance(value, Mapping):
        return Constant(value=read(value))
    if len(value) != 1:
        raise ValueError(f"name one law: one of {_FORMS}")
    name, given = next(iter(value.items()))
    if name == "empirical":
        return _empirical(given, read, folder, form)
    if name not in _KEYS:
        raise ValueError(f"unknown law {name!r}: use one of {_FORMS}")
    wanted = " or ".join("{" + ", ".join(sorted(keys)) + "}" for keys in _KEYS[name])
    if not isinstance(given, Mapping) or set(given) not in _KEYS[name]:
        raise ValueError(f"{name} needs {wanted}")
    numbers = {
        key: units.factor(item) if key in _PURE and item != 0 else read(item)
        for key, item in given.items()
    }
    try:
        return _build(name, numbers)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        place = "".join(f"{key}: " for key in error.errors()[0]["loc"])
        raise ValueError(f"{name}: {place}{message[0].lower()}{message[1:]}") from None


def _build(name: str, p: dict[str, float]) -> Distribution:
    for key, number in p.items():
        if number <= 0 and key not in {"low", "sd", "mode", "sigma"}:
            raise ValueError(f"{name}: {key} must be above 0")
    match name:
        case "exponential":
            return Exponential(scale=p["mean"])
        case "lognormal" if "sigma" in p:
            return LogNormal(median=p["median"], sigma=p["sigma"])
        case "lognormal" if "p95" in p:
            if p["p95"] < p["median"]:
                raise ValueError("lognormal: p95 must not be below the median")
            return LogNormal(median=p["median"], sigma=math.log(p["p95"] / p["median"]) / _Z95)
        case "lognormal":
            sigma = math.sqrt(math.log1p((p["sd"] / p["mean"]) ** 2))
            return LogNormal(median=p["mean"] * math.exp(-(sigma**2) / 2), sigma=sigma)
        case "normal":
            if p["sd"] <= 0:
                raise ValueError("normal: sd must be above 0")
            return Normal(centre=p["mean"], sd=p["sd"])
        case "uniform":
            return Uniform(low=p["low"], high=p["high"])
        case "triangular":
            return Triangular(low=p["low"], mode=p["mode"], high=p["high"])
    return Weibull(scale=p["scale"], shape=p["shape"])


def _empirical(
    given: Any,
    read: Callable[[Any], float],
    folder: str | None,
    form: Callable[[float], str],
) -> Empirical:
    if isinstance(given, str):
        values = _column(given, Path(folder or "."), read, form)
    elif isinstance(given, (list, tuple)):
        values = [read(item) for item in given]
    else:
        raise ValueError("empirical needs a list of values or the name of a CSV file")
    if len(values) < 2:
        raise ValueError("empirical needs at least two values")
    return Empirical(values=tuple(values))


def _column(
    name: str, folder: Path, read: Callable[[Any], float], form: Callable[[float], str]
) -> list[float]:
    """The column `value` of a CSV file, or its first; a first row of words is a heading.

    Values carry their unit, or are bare numbers in the base unit.
    """
    try:
        with (folder / name).open(newline="", encoding="utf-8-sig") as file:
            rows = [(row, number) for number, row in enumerate(csv.reader(file), 1) if row]
    except OSError as error:
        raise ValueError(f"cannot read {name!r}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{name!r} is not a CSV file") from None
    headed = bool(rows) and _is_heading(rows[0][0], read)
    column = rows[0][0].index("value") if headed and "value" in rows[0][0] else 0
    values = []
    for row, number in rows[headed:]:
        try:
            text = row[column].strip()
            bare = _BARE.fullmatch(text) and math.isfinite(float(text))
            values.append(read(form(float(text)) if bare else text))
        except (IndexError, ValueError) as error:
            why = "has no such column" if isinstance(error, IndexError) else error
            raise ValueError(f"{name}:{number}: {why}") from None
    return values


def _is_heading(row: list[str], read: Callable[[Any], float]) -> bool:
    if "value" in row or not row[0][:1].isalpha():
        return "value" in row
    for reader in (float, read):  # nan is a wrong value, not a heading; PT5M a right one
        with suppress(ValueError):
            reader(row[0])
            return False
    return True


def write(law: Distribution, form: Callable[[float], str]) -> Any:
    """The shortest form of a law that reads back as the same law."""
    match law:
        case Constant(value=value):
            return form(value)
        case Exponential(scale=scale):
            return {"exponential": {"mean": form(scale)}}
        case LogNormal(median=median, sigma=sigma):
            return {"lognormal": {"median": form(median), "sigma": sigma}}
        case Normal(centre=centre, sd=sd):
            return {"normal": {"mean": form(centre), "sd": form(sd)}}
        case Uniform(low=low, high=high):
            return {"uniform": {"low": form(low), "high": form(high)}}
        case Triangular(low=low, mode=mode, high=high):
            return {"triangular": {"low": form(low), "mode": form(mode), "high": form(high)}}
        case Weibull(scale=scale, shape=shape):
            return {"weibull": {"scale": form(scale), "shape": shape}}
        case Empirical(values=values):
            return {"empirical": [form(value) for value in values]}
        case Capped(law=inner):  # the field that caps it does so again when it is read
            return write(inner, form)
    raise TypeError(f"no written form of {type(law).__name__}")


def _field(
    read: Callable[[Any], float], form: Callable[[float], str], limit: float | None, *examples: Any
) -> Any:
    def validate(value: Any, info: ValidationInfo) -> Distribution:
        """Read a law whose numbers carry this unit."""

        def number(item: Any) -> float:
            bare = isinstance(item, (int, float)) and not isinstance(item, bool)
            if bare and not units.from_file(info) and math.isfinite(item) and item >= 0:
                return float(item)
            return read(item)

        law = parse(value, number, (info.context or {}).get("folder"), form)
        return law if limit is None else law.capped(limit)

    schema = WithJsonSchema(
        {
            "description": f"A quantity or a law: {_FORMS}, or [low, high] (90 % interval).",
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "array", "minItems": 2, "maxItems": 2},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {name: {} for name in _FORMS.split(", ")},
                    "additionalProperties": False,
                },
            ],
            "examples": list(examples),
        }
    )
    serial = PlainSerializer(lambda law: write(law, form), when_used="unless-none")
    return BeforeValidator(validate), serial, schema


RandomDuration = Annotated[
    Distribution,
    *_field(units.duration, units.format_duration, None, "90s", ["25s", "35s"]),
]
RandomShare = Annotated[Distribution, *_field(units.share, units.format_share, 1.0, "5%")]
RandomFactor = Annotated[Distribution, *_field(units.factor, lambda x: repr(x), None, 1.5)]
