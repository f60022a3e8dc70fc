"""What the conditions of a metric mean for requests: which of them are bad, and how many too many.

Source: argo-rollouts docs/features/analysis.md (expressions of antonmedv/expr on `result`).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Bad = Literal["errors", "late"]

_NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_CAST = r"(?:(?:asFloat|asInt|float|int|default)\()?"
_RESULT = _CAST + r"\s*result(?:\[\d+\]|\.\w+)*(?:\s*,\s*[\d.]+)?\s*\)?"
_COMPARED = re.compile(rf"{_RESULT}\s*(>=|<=|>|<)\s*{_NUMBER}")
_COUNTED = re.compile(r"len\([^)]*\)\s*[<>=!]+\s*\d+")
_EMPTY_PASSES = re.compile(r"isNaN\(|len\(\s*result\s*\)\s*(==\s*0|<\s*1|<=\s*0)|result\s*==\s*nil")
_EMPTY_FAILS = re.compile(r"len\(\s*result\s*\)\s*(>\s*0|>=\s*1|!=\s*0)")
_TIMED = re.compile(
    r"latenc|duration|response.?time|_seconds|_ms\b|millis|p9\d|quantile|apdex", re.I
)
_GOOD = re.compile(r"success|availab|uptime|health", re.I)
_QUANTILE = re.compile(r"quantile\w*\(\s*(0?\.\d+|0\.\d+|\d{2}(?:\.\d+)?)")
_NAMED_QUANTILE = re.compile(r"\bp(\d{2}(?:\.\d+)?|\d{3})\b|[-_ ]p(\d{2,3})(?!\d)", re.I)
_RANGE = re.compile(r"\[(\d+)(ms|s|m|h|d)(?::[^\]]*)?\]")
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
USUAL_QUANTILE = 0.95


class Meaning(NamedTuple):
    """A metric in words of requests: it has failed when the share of `bad` ones is above `above`.

    `no_data` says what a measurement without a value is, `exact` whether that is what the
    condition says, and `gap` whether some results are neither good nor bad to it.
    """

    bad: Bad
    above: float
    no_data: Literal["error", "fail", "pass"]
    exact: bool
    gap: bool = False


def understand(name: str, success: str, failure: str, query: str) -> Meaning | None:
    """What a metric with these conditions (empty: none) and this query means; None: unknown.

    A success rate of at least x is at most 1 - x failed requests. A quantile q of latency below a
    limit is at most 1 - q requests above that limit.
    """
    good, bad = _limit(success), _limit(failure)
    found = bad or good
    if found is None:
        return None
    sign, limit = found
    wanted_low = sign == (">" if bad else "<")
    empty = _empty(success, failure)
    gap = good is not None and bad is not None and good[1] != bad[1]
    what = f"{name} {query}"
    if _TIMED.search(what) and not _GOOD.search(name) and wanted_low:
        return Meaning("late", 1.0 - _quantile(what), empty, False, gap)
    share = limit / 100 if 1 < limit <= 100 else limit
    if not 0 <= share <= 1 or (limit > 1 and "100" not in query and not _GOOD.search(what)):
        return None
    above = share if wanted_low else 1.0 - share
    return Meaning("errors", round(above, 9), empty, True, gap)


def _limit(condition: str) -> tuple[str, float] | None:
    """The comparison of a result with a number: its sign without "or equal", and the number."""
    found = _COMPARED.search(_COUNTED.sub("", condition))
    return (found[1][0], float(found[2])) if found else None


def _empty(success: str, failure: str) -> Literal["error", "fail", "pass"]:
    if _EMPTY_PASSES.search(success):
        return "pass"
    if _EMPTY_FAILS.search(success) or _EMPTY_PASSES.search(failure):
        return "fail"
    return "pass" if _EMPTY_FAILS.search(failure) else "error"


def _quantile(text: str) -> float:
    found = _QUANTILE.search(text)
    if found:
        number = float(found[1])
        return number / 100 if number > 1 else number
    named = _NAMED_QUANTILE.search(text)
    if named:
        digits = named[1] or named[2]
        return float(digits) / (1000 if len(digits) == 3 else 100)
    return USUAL_QUANTILE


def window(query: str) -> float | None:
    """The range of a query, as in rate(...[5m]), seconds; the longest of several; None: none."""
    found = [float(number) * _UNITS[unit] for number, unit in _RANGE.findall(query)]
    return max(found, default=None)


def filled(text: str, values: dict[str, str]) -> str:
    """A text with {{args.name}} replaced by values, where they are known."""
    return re.sub(r"\{\{\s*args\.([\w.-]+)\s*\}\}", lambda one: values.get(one[1], one[0]), text)


def arguments(text: str) -> set[str]:
    """The names of the arguments that a text uses."""
    return set(re.findall(r"\{\{\s*args\.([\w.-]+)\s*\}\}", text))
