"""Objectives: what a release must keep to, in one line of text each; and the figures they name."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.words import units
from simulator.words.figures import CHANCES, FIGURES, OUTCOMES, unit_of
from simulator.words.model import Words

STATISTICS = ("mean", "p50", "p95", "p99", "cvar95", "applicable")
SHARES = (*OUTCOMES, *CHANCES)
_FIGURE = r"(?P<figure>\w+)(?:\s+(?P<statistic>mean|p50|p95|p99|cvar95|applicable))?"
_GIVEN = r"(?:\s+given\s+(?P<given>\w+))?"
_GRAMMAR = re.compile(
    rf"{_FIGURE}\s*(?P<relation><=|>=|<|>)\s*(?P<value>\S+(?:\s+[A-Z]{{3}})?)"
    rf"{_GIVEN}(?:\s+for\s+(?P<strategy>.+))?"
)
_MEASURE = re.compile(rf"{_FIGURE}{_GIVEN}")
_FORM = "FIGURE [mean|p50|p95|p99|cvar95|applicable] (<|<=|>|>=) VALUE [given ...] [for NAME]"
_MEASURE_FORM = "FIGURE [mean|p50|p95|p99|cvar95|applicable] [given ...]"
_PERCENT = re.compile(r"(-?\d+(?:\.\d+)?)%")


class Measure(Words):
    """A statistic of a figure under a condition, or a share of releases such as `stuck`."""

    text: str
    figure: str
    statistic: str
    given: str | None = None

    @property
    def unit(self) -> str:
        """Its unit: s, share, count or money."""
        return unit_of(self.figure, self.statistic)


class Objective(Measure):
    """One objective: a statistic of a figure compared with a value in the figure's unit."""

    relation: str
    value: float
    strategy: str | None = None

    def holds(self, value: float) -> bool:
        """Whether a value of the statistic keeps to the objective, up to rounding."""
        same = math.isclose(value, self.value, rel_tol=1e-9, abs_tol=1e-12)
        match self.relation:
            case "<":
                return value < self.value and not same
            case "<=":
                return value <= self.value or same
            case ">":
                return value > self.value and not same
        return value >= self.value or same


def parse(text: Any) -> Objective:
    """Read one objective; raises ValueError with the grammar or the nearest figure."""
    if isinstance(text, Objective):
        return text
    found = _GRAMMAR.fullmatch(str(text).strip())
    if not found:
        raise ValueError(f"{str(text)!r} is not an objective: write {_FORM}")
    figure, statistic = _known(found)
    return Objective(
        text=str(text).strip(),
        figure=figure,
        statistic=statistic,
        relation=found["relation"],
        value=quantity(found["value"], unit_of(figure, statistic)),
        given=found["given"],
        strategy=found["strategy"],
    )


def measure(text: Any) -> Measure:
    """Read a figure, its statistic and condition; raises ValueError as `parse` does."""
    if isinstance(text, Measure):
        return text
    found = _MEASURE.fullmatch(str(text).strip())
    if not found:
        raise ValueError(f"{str(text)!r} names no figure: write {_MEASURE_FORM}{_meant(str(text))}")
    figure, statistic = _known(found)
    return Measure(text=str(text).strip(), figure=figure, statistic=statistic, given=found["given"])


def possible(one: Measure, kinds: Sequence[str]) -> None:
    """Refuse a condition that is none of good, defect and these kinds; raises ValueError."""
    known = list(dict.fromkeys(("good", "defect", *kinds)))
    if one.given is not None and one.given not in known:
        raise ValueError(
            f"nothing is given as {one.given!r} here; write one of {', '.join(known)}"
            f"{near(one.given, known)}"
        )


def _meant(text: str) -> str:
    """A hint at the statistic, if the second word of a text is nearly one."""
    words = text.split()
    return near(words[1], STATISTICS) if len(words) > 1 and words[1] not in STATISTICS else ""


def near(word: str, known: Sequence[str]) -> str:
    """A hint at the nearest of the known words, empty without one."""
    found = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {found[0]}?)" if found else ""


def _known(found: re.Match[str]) -> tuple[str, str]:
    """Figure and statistic of a text, both known and fit for each other."""
    figure, statistic = found["figure"], found["statistic"] or "mean"
    if figure in SHARES:
        if statistic != "mean":
            raise ValueError(f"{figure} is a share of releases: leave out {statistic}")
    elif figure not in FIGURES:
        allowed = (*FIGURES, *SHARES)
        hint = near(figure, allowed)
        raise ValueError(f"unknown figure {figure!r}; allowed: {', '.join(allowed)}{hint}")
    return figure, statistic


def quantity(text: str, unit: str) -> float:
    """The value of a text in a figure's unit; raises ValueError.

    Shares of budgets and headroom may be above 100 % or below 0.
    """
    if unit == "s":
        return units.duration(text)
    if unit == "share":
        found = _PERCENT.fullmatch(text)
        return float(found[1]) / 100 if found else units.share(text)
    if unit == "money":
        return units.money(text)
    try:
        scale = {"k": 1e3, "M": 1e6}.get(text[-1], 1.0)
        return float(text.rstrip("kM")) * scale
    except ValueError:
        raise ValueError(f"{text!r} is not a number: write e.g. 1000 or 10k") from None


ObjectiveField = Annotated[
    Objective,
    BeforeValidator(parse),
    PlainSerializer(lambda objective: objective.text, return_type=str),
    WithJsonSchema({"type": "string", "description": _FORM}),
]
MeasureField = Annotated[
    Measure,
    BeforeValidator(measure),
    PlainSerializer(lambda one: one.text, return_type=str),
    WithJsonSchema({"type": "string", "description": _MEASURE_FORM}),
]
