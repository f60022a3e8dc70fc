"""Objectives: what a release must keep to, in one line of text each."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.words import units
from simulator.words.figures import FIGURES
from simulator.words.model import Words

STATISTICS = ("mean", "p50", "p95", "p99", "cvar95", "applicable")
_GRAMMAR = re.compile(
    r"(?P<figure>\w+)(?:\s+(?P<statistic>mean|p50|p95|p99|cvar95|applicable))?\s*"
    r"(?P<relation><=|>=|<|>)\s*(?P<value>\S+(?:\s+[A-Z]{3})?)"
    r"(?:\s+given\s+(?P<given>\w+))?(?:\s+for\s+(?P<strategy>.+))?"
)
_FORM = "FIGURE [mean|p50|p95|p99|cvar95|applicable] (<|<=|>|>=) VALUE [given ...] [for NAME]"


class Objective(Words):
    """One objective: a statistic of a figure compared with a value in the figure's unit."""

    text: str
    figure: str
    statistic: str
    relation: str
    value: float
    given: str | None = None
    strategy: str | None = None

    def holds(self, value: float) -> bool:
        """Whether a value of the statistic keeps to the objective."""
        match self.relation:
            case "<":
                return value < self.value
            case "<=":
                return value <= self.value
            case ">":
                return value > self.value
        return value >= self.value


def parse(text: Any) -> Objective:
    """Read one objective; raises ValueError with the grammar or the nearest figure."""
    if isinstance(text, Objective):
        return text
    found = _GRAMMAR.fullmatch(str(text).strip())
    if not found:
        raise ValueError(f"{str(text)!r} is not an objective: write {_FORM}")
    figure = found["figure"]
    if figure not in FIGURES:
        near = difflib.get_close_matches(figure, FIGURES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"unknown figure {figure!r}; allowed: {', '.join(FIGURES)}{hint}")
    statistic = found["statistic"] or "mean"
    unit = "share" if statistic == "applicable" else FIGURES[figure].unit
    return Objective(
        text=str(text).strip(),
        figure=figure,
        statistic=statistic,
        relation=found["relation"],
        value=_value(found["value"], unit),
        given=found["given"],
        strategy=found["strategy"],
    )


def _value(text: str, unit: str) -> float:
    if unit == "s":
        return units.duration(text)
    if unit == "share":
        return float(text[:-1]) / 100 if re.fullmatch(r"\d+(\.\d+)?%", text) else units.share(text)
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
