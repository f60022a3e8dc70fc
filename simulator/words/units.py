"""Quantities with units: text at the edge, plain numbers inside, text on the way out.

Durations are seconds, rates 1/s, shares 0..1, money the scenario's currency, prices per hour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|s|m|h|d|w))+")
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|s|m|h|d|w)")
_ISO = re.compile(
    rf"P(?:({_NUMBER})W)?(?:({_NUMBER})D)?"
    rf"(?:T(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?"
)
_RATE = re.compile(rf"({_NUMBER})\s*(k|M)?\s*(?:(rps)|(?:req(?:uests)?)?\s*/\s*(s|m|min|h|d))")
_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_COUNT = re.compile(rf"({_NUMBER})\s*(k|M)?")
_MONEY = re.compile(rf"({_NUMBER})\s*([A-Z]{{3}})?")
_HOURLY = re.compile(rf"({_NUMBER})\s*(?:[A-Z]{{3}})?\s*/\s*h")
_LARGEST = 1e290  # even in weeks or millions the product is finite
_SCALE = {None: 1.0, "": 1.0, "k": 1e3, "M": 1e6}


def _plain(value: Any, what: str, example: str) -> float | str:
    """A finite number, or the stripped text; anything else is refused."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is not {what}: write {example}")
    if isinstance(value, str):
        return value.strip()
    if not 0 <= value <= _LARGEST:
        raise ValueError(f"{str(value)[:20]} is not {what}: write {example}")
    return value


def _number(text: str) -> float:
    """The number of a text that matches; raises ValueError for one that could overflow."""
    number = float(text)
    if number > _LARGEST:
        raise ValueError(f"{text} is too large: write a smaller number")
    return number


def duration(value: Any) -> float:
    """Seconds of a text such as 90s, 10m, 1h30m, 14d or PT5M.

    Raises ValueError for a number without unit (except 0), a negative or an unknown form.
    """
    text = _plain(value, "a duration", "e.g. 90s, 10m, 4h or 14d")
    if not isinstance(text, str):
        if text == 0:
            return 0.0
        bare = _shortest(text)
        raise ValueError(f"{bare} has no unit: write {bare}s, {bare}m or {bare}h")
    if re.fullmatch(_NUMBER, text):
        return duration(_number(text))
    if _DURATION.fullmatch(text):
        parts = _DURATION_PART.findall(text)
        return math.fsum(_number(number) * _SECONDS[unit] for number, unit in parts)
    if len(text) > 1 and not text.endswith("T") and (iso := _ISO.fullmatch(text)):
        scale = (604_800.0, 86_400.0, 3600.0, 60.0, 1.0)
        return math.fsum(_number(n or "0") * s for n, s in zip(iso.groups(), scale, strict=True))
    raise ValueError(f"{text!r} is not a duration: write e.g. 90s, 10m, 1h30m, 14d or PT5M")


def rate(value: Any) -> float:
    """Requests per second of a text such as 500 rps, 30/min or 2k rps."""
    text = _plain(value, "a rate", "e.g. 500 rps or 30/min")
    if isinstance(text, str) and (found := _RATE.fullmatch(text)):
        number = _number(found[1]) * _SCALE[found[2]] / _PER[found[4] or "s"]
        if number > 0:
            return number
        raise ValueError(f"{text!r} is no traffic: write a rate above 0, e.g. 500 rps")
    bare = isinstance(text, float | int) or re.fullmatch(_NUMBER, str(text))
    if bare:
        raise ValueError(f"{text} has no unit: write {text} rps or {text}/min")
    raise ValueError(f"{text!r} is not a rate: write e.g. 500 rps or 30/min")


def share(value: Any) -> float:
    """A share 0..1 of a text such as 5% or a fraction 0.05; 1 is 100 %."""
    text = _plain(value, "a share", "e.g. 5% or 0.05")
    if isinstance(text, str):
        if found := _SHARE.fullmatch(text):
            number = _number(found[1]) / 100
            if number > 1:
                raise ValueError(f"{text} is above 100%: write a share from 0% to 100%")
            return number
        if not re.fullmatch(_NUMBER, text):
            raise ValueError(f"{text!r} is not a share: write e.g. 5% or 0.05")
        text = _number(text)
    if text > 100:
        raise ValueError(f"{_shortest(text)} is not a share: write a share from 0% to 100%")
    if text > 1:
        bare = _shortest(text)
        raise ValueError(f"{bare} is not a share: write {bare}% or a fraction from 0 to 1")
    return float(text)


def percentage(value: Any) -> float:
    """A share that may be above 1: 200% is 2; a number without % is a share from 0 to 1."""
    if isinstance(value, str) and (found := _SHARE.fullmatch(value.strip())):
        return _number(found[1]) / 100
    return share(value)


def count(value: Any) -> int:
    """A whole number of at least 1, such as 40, 250k or 2M."""
    text = _plain(value, "a count", "e.g. 40 or 250k")
    number = float(text) if not isinstance(text, str) else math.nan
    if isinstance(text, str) and (found := _COUNT.fullmatch(text)):
        number = round(_number(found[1]) * _SCALE[found[2]], 6)
    if not number >= 1 or number != int(number):
        raise ValueError(f"{text!r} is not a whole number of at least 1: write e.g. 40 or 250k")
    return int(number)


def people(value: Any) -> int:
    """A number of users of at least 1, such as 500 users or 2k."""
    return count(value.removesuffix("users") if isinstance(value, str) else value)


def money(value: Any) -> float:
    """An amount such as 0.10 USD or 0.1; the currency must be the scenario's (checked there)."""
    text = _plain(value, "an amount", "e.g. 0.10 USD or 0.1")
    if not isinstance(text, str):
        return float(text)
    if found := _MONEY.fullmatch(text):
        return _number(found[1])
    raise ValueError(f"{text!r} is not an amount: write e.g. 0.10 USD or 0.1")


def hourly(value: Any) -> float:
    """A price per hour such as 0.17/h or 120 USD/h."""
    text = _plain(value, "a price per hour", "e.g. 0.17/h")
    if isinstance(text, str) and (found := _HOURLY.fullmatch(text)):
        return _number(found[1])
    if text in (0, "0"):
        return 0.0
    if isinstance(text, str) and not re.fullmatch(_NUMBER, text):
        raise ValueError(f"{text!r} is not a price per hour: write e.g. 0.17/h or 0.17 USD/h")
    raise ValueError(f"{text} has no unit: write {text}/h")


def factor(value: Any) -> float:
    """A plain number above 0."""
    text = _plain(value, "a factor", "a number above 0, e.g. 1.5")
    if not isinstance(text, str) or re.fullmatch(_NUMBER, text):
        number = float(text)
        if 0 < number <= _LARGEST:
            return number
    raise ValueError(f"{text!r} is not a factor: write a number above 0, e.g. 1.5")


def _shortest(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def format_duration(seconds: float) -> str:
    """The shortest text that reads back to exactly these seconds."""
    if seconds == 0:
        return "0s"
    for unit in ("d", "h", "m"):
        number = seconds / _SECONDS[unit]
        if number >= 1 and number == int(number) and number * _SECONDS[unit] == seconds:
            return f"{int(number)}{unit}"
    return f"{_shortest(seconds)}s"


def rough_duration(seconds: float) -> str:
    """A duration for a message: three digits of days from 2 d, of hours from 2 h, else whole
    minutes from 10 min, else whole seconds. It reads back, though not to exactly these seconds.
    """
    for unit in ("d", "h"):
        number = seconds / _SECONDS[unit]
        if number >= 2:
            return f"{number:.0f}{unit}" if number >= 100 else f"{number:.3g}{unit}"
    size = 1.0 if seconds < 10 * _SECONDS["m"] else _SECONDS["m"]
    return format_duration(size * round(seconds / size))


def format_rate(per_second: float) -> str:
    """Requests per second as text."""
    return f"{_shortest(per_second)} rps"


def format_share(fraction: float) -> str:
    """A share as text: per cent where that reads back exactly, else the fraction."""
    percent = f"{100 * fraction:.10g}"
    return f"{percent}%" if float(percent) / 100 == fraction else repr(fraction)


def format_count(number: int) -> str:
    """A count as text, with k or M where nothing is lost."""
    if number >= 1_000_000 and number % 1_000_000 == 0:
        return f"{number // 1_000_000}M"
    if number >= 10_000 and number % 1000 == 0:
        return f"{number // 1000}k"
    return str(number)


def format_people(number: int) -> str:
    """A number of users as text."""
    return f"{format_count(number)} users"


def format_money(amount: float) -> str:
    """An amount as text, without currency."""
    return _shortest(amount)


def format_hourly(price: float) -> str:
    """A price per hour as text."""
    return f"{_shortest(price)}/h"


class Portion(NamedTuple):
    """A count or a share of a fleet: a whole number counts, a share is below 1 or carries %."""

    number: float
    is_share: bool

    @classmethod
    def parse(cls, value: Any) -> Portion:
        """Read a count (3, "3", "1k") or a share ("25%", 0.25); raises ValueError otherwise."""
        if isinstance(value, Portion):
            return value
        text = _plain(value, "a count or a share", "e.g. 3 or 25%")
        if isinstance(text, str) and not re.fullmatch(_NUMBER, text):
            return cls(share(text), True) if text.endswith("%") else cls(float(count(text)), False)
        number = _number(text) if isinstance(text, str) else float(text)
        if 0 < number < 1:
            return cls(number, True)
        if number != int(number):
            raise ValueError(f"{text} is neither a count nor a share: write e.g. 3 or 25%")
        return cls(number, False)

    def of(self, size: int) -> int:
        """How many of `size` instances: shares round up to at least 1, counts are capped."""
        if not self.is_share:
            return min(int(self.number), size)
        if self.number == 0:
            return 0
        return max(math.ceil(self.number * size - 1e-9), 1)

    def __str__(self) -> str:
        return format_share(self.number) if self.is_share else str(int(self.number))


def exact(number: float) -> Fraction:
    """A share as the fraction that was written, to a millionth: 0.29 is 29/100.

    Controllers round exact percentages; 0.29 x 100 in floating point is a little above 29.
    """
    return Fraction(number).limit_denominator(1_000_000)


def from_file(info: ValidationInfo) -> bool:
    """Whether the value comes from a file or the command line (bare numbers need units there)."""
    return bool(info.context and info.context.get("source") == "file")


def _reader(
    parse: Callable[[Any], Any], lenient: bool, least: float = 0.0, open_end: bool = False
) -> Any:
    def read(value: Any, info: ValidationInfo) -> Any:
        """Read a quantity; bare numbers only from Python."""
        bare = isinstance(value, (int, float)) and not isinstance(value, bool)
        if lenient and bare and not from_file(info):
            if not 0 <= value <= _LARGEST:
                raise ValueError(f"{str(value)[:20]} must be a finite number of at least 0")
            number = float(value)
        else:
            number = parse(value)
        if number < least or (open_end and number <= least):
            raise ValueError(f"{value} is too small: it must be above {least:g}")
        return number

    return BeforeValidator(read)


def _schema(pattern: str, numbers: bool, *examples: str) -> WithJsonSchema:
    text: dict[str, Any] = {"type": "string", "pattern": pattern, "examples": list(examples)}
    if numbers:
        return WithJsonSchema({"anyOf": [text, {"type": "number", "minimum": 0}]})
    return WithJsonSchema(text)


_DURATION_SCHEMA = _schema(
    rf"^(0|({_NUMBER}(ms|s|m|h|d|w))+|P[0-9.WDTHMS]+)$", False, "90s", "10m", "4h"
)
_RATE_SCHEMA = _schema(
    rf"^{_NUMBER} *[kM]? *(rps|(req(uests)?)? */ *(s|m|min|h|d))$", False, "500 rps"
)
_SHARE_SCHEMA = _schema(rf"^{_NUMBER} *%?$", True, "5%")
_HOURLY_SCHEMA = _schema(rf"^(0|{_NUMBER} *([A-Z]{{3}})? */ *h)$", True, "0.17/h")
_MONEY_SCHEMA = _schema(rf"^{_NUMBER} *([A-Z]{{3}})?$", True, "0.10 USD")
_COUNT_SCHEMA = _schema(rf"^{_NUMBER} *[kM]?$", True, "250k")
_PEOPLE_SCHEMA = _schema(rf"^{_NUMBER} *[kM]? *(users)?$", True, "500 users")
_PORTION_SCHEMA = _schema(rf"^{_NUMBER} *([kM]|%)?$", True, "25%", "3")


def _text(format_it: Callable[[Any], str]) -> PlainSerializer:
    return PlainSerializer(format_it, return_type=str, when_used="unless-none")


Duration = Annotated[float, _reader(duration, True), _text(format_duration), _DURATION_SCHEMA]
PositiveDuration = Annotated[
    float, _reader(duration, True, 0.0, True), _text(format_duration), _DURATION_SCHEMA
]
Rate = Annotated[float, _reader(rate, True, 0.0, True), _text(format_rate), _RATE_SCHEMA]
Share = Annotated[float, _reader(share, False), _text(format_share), _SHARE_SCHEMA]
PositiveShare = Annotated[
    float, _reader(share, False, 0.0, True), _text(format_share), _SHARE_SCHEMA
]
Percentage = Annotated[float, _reader(percentage, True), _text(format_share), _SHARE_SCHEMA]
Count = Annotated[int, BeforeValidator(count), _text(format_count), _COUNT_SCHEMA]
People = Annotated[int, BeforeValidator(people), _text(format_people), _PEOPLE_SCHEMA]
Money = Annotated[float, _reader(money, False), _text(format_money), _MONEY_SCHEMA]
Hourly = Annotated[float, _reader(hourly, True), _text(format_hourly), _HOURLY_SCHEMA]
Factor = Annotated[
    float,
    BeforeValidator(factor),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
PortionField = Annotated[Portion, BeforeValidator(Portion.parse), _text(str), _PORTION_SCHEMA]
