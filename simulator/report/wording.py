"""Numbers as people read them: durations, shares, counts and money with few digits and a unit."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from simulator.words.changes import parse_path
from simulator.words.problems import ScenarioError

if TYPE_CHECKING:
    from simulator.findings.means import Interval
    from simulator.words.scenario import Scenario

DASH = "-"
_LONGEST_SLUG = 60


def named(name: str) -> str:
    """A strategy's name in a sentence: in quotes unless it is one plain word."""
    return name if re.fullmatch(r"\w+", name) else f"“{name}”"


def length(seconds: float) -> str:
    """A duration in the largest fitting unit, three digits."""
    for size, unit in ((2 * 86_400, "d"), (2 * 3600, "h"), (100, "min")):
        if seconds >= size:
            return f"{_digits(seconds / {'d': 86_400, 'h': 3600, 'min': 60}[unit])} {unit}"
    return f"{_digits(seconds)} s"


def _digits(number: float) -> str:
    if number == 0:
        return "0"
    if abs(number) >= 99.95:
        return f"{number:,.0f}"
    text = f"{number:.3g}" if abs(number) >= 1 else f"{number:.2g}"
    return text if "e" not in text else f"{number:.1e}"


def share(value: float) -> str:
    """A share in per cent."""
    percent = 100 * value
    if -0.01 < percent <= 0:
        return "0 %"
    if percent < -1:
        return f"{percent:.3g} %"
    if 0 < percent < 0.01:
        return "<0.01 %"
    if percent > 99.95 and value < 1:
        return ">99.9 %"
    return f"{percent:.3g} %" if percent >= 1 else f"{percent:.2g} %"


def count(value: float) -> str:
    """A count, with k or M above a thousand."""
    if value >= 1e6:
        return f"{_digits(value / 1e6)} M"
    if value >= 1e4:
        return f"{_digits(value / 1e3)} k"
    return _digits(value)


def money(value: float, currency: str = "") -> str:
    """An amount with its currency; less than a millionth is nothing."""
    if abs(value) < 1e-6:
        value = 0.0
    return f"{count(value) if abs(value) >= 1e4 else _digits(value)} {currency}".strip()


def figure(value: float | None, unit: str, currency: str = "") -> str:
    """A value in its figure's unit; a dash when there is none."""
    if value is None or math.isnan(value):
        return DASH
    if value < 0 and unit != "share":
        text = figure(-value, unit, currency)
        return text if text.split()[0] == "0" else f"-{text}"
    match unit:
        case "s":
            return length(value)
        case "share":
            return share(value)
        case "money":
            return money(value, currency)
    return count(value)


def between(interval: Interval, unit: str) -> str:
    """The bounds of an interval, with the unit once where both share it."""
    if interval.value is None and interval.low is None:
        return ""
    low = "?" if interval.low is None else figure(interval.low, unit)
    high = "?" if interval.high is None else figure(interval.high, unit)
    if low == high:
        return low
    left, _, left_unit = low.rpartition(" ")
    if left and high.endswith(f" {left_unit}"):
        low = left
    elif low.startswith("0 ") or low == "0":
        low = "0"
    return f"{low} to {high}" if (interval.high or 0.0) < 0 else f"{low}–{high}"


def setting(scenario: Scenario, path: str, value: float) -> str:
    """A setting's value as a scenario file would say it, three digits."""
    number: float = round(value) if value >= 1000 else float(f"{value:.3g}")
    try:
        text = _said(scenario.with_(path, number), path)
    except ScenarioError:
        text = _said(scenario.with_(path, round(value)), path)
    if _said(scenario, path).endswith("%") and not text.endswith("%"):
        return f"{100 * number:.3g}%"
    return text


def _said(scenario: Scenario, path: str) -> str:
    """What stands at a path of the resolved scenario."""
    where: Any = scenario.resolved()
    for key in parse_path(path):
        where = where[key]
    return str(where)


def slug(name: str) -> str:
    """A name as that of a folder: small letters, digits and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-")
