"""Quantities: what may be written, what is refused with which fix, and that text reads back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from simulator.words import units
from simulator.words.units import Portion

FILE = {"source": "file"}
AMOUNTS = st.floats(min_value=0, max_value=1e15)
ABOVE_ZERO = st.floats(min_value=0, max_value=1e15, exclude_min=True)


@pytest.mark.parametrize(
    ("parse", "text", "number"),
    [
        (units.duration, "90s", 90),
        (units.duration, "10m", 600),
        (units.duration, "4h", 14_400),
        (units.duration, "14d", 1_209_600),
        (units.duration, "1w", 604_800),
        (units.duration, "1h30m", 5400),
        (units.duration, "250ms", 0.25),
        (units.duration, "1.5h", 5400),
        (units.duration, "PT5M", 300),
        (units.duration, "PT1H30M", 5400),
        (units.duration, "P1DT12H", 129_600),
        (units.duration, " 90s ", 90),
        (units.duration, "0", 0),
        (units.duration, 0, 0),
        (units.rate, "500 rps", 500),
        (units.rate, "500rps", 500),
        (units.rate, "2k rps", 2000),
        (units.rate, "30/min", 0.5),
        (units.rate, "36 req/h", 0.01),
        (units.rate, "5/s", 5),
        (units.share, "5%", 0.05),
        (units.share, "0.05", 0.05),
        (units.share, 0.05, 0.05),
        (units.share, 1, 1),
        (units.share, "100 %", 1),
        (units.share, 0, 0),
        (units.count, 40, 40),
        (units.count, "40", 40),
        (units.count, "250k", 250_000),
        (units.count, "2M", 2_000_000),
        (units.count, "2.5k", 2500),
        (units.money, "0.10 USD", 0.1),
        (units.money, 0.02, 0.02),
        (units.money, "5", 5),
        (units.hourly, "0.17/h", 0.17),
        (units.hourly, "0.17 USD/h", 0.17),
        (units.hourly, "120 EUR / h", 120),
        (units.hourly, 0, 0),
        (units.factor, 1.5, 1.5),
        (units.factor, "1.5", 1.5),
    ],
)
def test_a_quantity_is_read(parse: Callable[[Any], float], text: Any, number: float) -> None:
    assert parse(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (units.duration, 10, "10 has no unit: write 10s, 10m or 10h"),
        (units.duration, "10", "10 has no unit: write 10s, 10m or 10h"),
        (units.duration, 1234567, "write 1234567s"),
        (units.duration, "10 minutes", "write e.g. 90s"),
        (units.duration, "P", "write e.g. 90s"),
        (units.duration, "PT", "write e.g. 90s"),
        (units.duration, "-5s", "write e.g. 90s"),
        (units.duration, "1e999s", "too large"),
        (units.rate, 500, "500 has no unit: write 500 rps or 500/min"),
        (units.rate, "500", "write 500 rps or 500/min"),
        (units.rate, "0 rps", "above 0"),
        (units.rate, "500 rpm", "write e.g. 500 rps"),
        (units.share, 5, "5 is not a share: write 5%"),
        (units.share, "5", "write 5%"),
        (units.share, 250, "write a share from 0% to 100%"),
        (units.share, "105%", "above 100%"),
        (units.share, "half", "write e.g. 5%"),
        (units.count, 0, "at least 1"),
        (units.count, 2.5, "whole number"),
        (units.count, "1e999", "too large"),
        (units.money, "ten", "write e.g. 0.10 USD"),
        (units.hourly, 0.17, "write 0.17/h"),
        (units.hourly, "0.17/d", "write e.g. 0.17/h"),
        (units.factor, 0, "above 0"),
        (units.factor, "1_5", "above 0"),
    ],
)
def test_a_refusal_names_the_fix(parse: Callable[[Any], float], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(value)


PARSERS = [
    units.duration,
    units.rate,
    units.share,
    units.count,
    units.money,
    units.hourly,
    units.factor,
    Portion.parse,
]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, -1, True, None, [], {}, "", "nan", "inf", "-1", 10**400],
    ids=lambda value: repr(value)[:10],
)
def test_what_is_no_quantity_is_refused(parse: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ValueError, match="write"):
        parse(value)


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text(alphabet="0123456789.eE+-%/ smhdwkMPTrpUSD_", max_size=12))
def test_any_text_is_read_or_refused(parse: Callable[[Any], Any], text: str) -> None:
    try:
        value = parse(text)
    except ValueError:
        return
    number = value.number if isinstance(value, Portion) else value
    assert 0 <= number < math.inf


@given(AMOUNTS)
def test_durations_read_back_exactly(seconds: float) -> None:
    assert units.duration(units.format_duration(seconds)) == seconds


@given(st.integers(1, 10_000), st.sampled_from([60.0, 3600.0, 86_400.0]), st.sampled_from([0, 1e9]))
def test_durations_beside_a_whole_unit_read_back_exactly(
    number: int, unit: float, towards: float
) -> None:
    seconds = math.nextafter(number * unit, towards)
    assert units.duration(units.format_duration(seconds)) == seconds


@given(ABOVE_ZERO)
def test_rates_read_back_exactly(per_second: float) -> None:
    assert units.rate(units.format_rate(per_second)) == per_second


@given(st.floats(0, 1))
def test_shares_read_back_exactly(fraction: float) -> None:
    assert units.share(units.format_share(fraction)) == fraction


@given(st.integers(1, 10**15))
def test_counts_read_back_exactly(number: int) -> None:
    assert units.count(units.format_count(number)) == number


@given(AMOUNTS)
def test_money_and_prices_read_back_exactly(amount: float) -> None:
    assert units.money(units.format_money(amount)) == amount
    assert units.hourly(units.format_hourly(amount)) == amount


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (units.format_duration(5400), "90m"),
        (units.format_duration(7200), "2h"),
        (units.format_duration(0.25), "0.25s"),
        (units.format_rate(500.0), "500 rps"),
        (units.format_share(0.05), "5%"),
        (units.format_share(0.0002), "0.02%"),
        (units.format_count(30_000), "30k"),
        (units.format_hourly(0.17), "0.17/h"),
    ],
)
def test_quantities_are_written_as_people_write_them(text: str, written: str) -> None:
    assert text == written


FIELDS: list[tuple[Any, Any, str]] = [
    (units.Duration, 90, "90s"),
    (units.PositiveDuration, 90, "90s"),
    (units.Rate, 500, "500 rps"),
    (units.Hourly, 0.17, "0.17/h"),
]


@pytest.mark.parametrize(("field", "number", "text"), FIELDS)
def test_a_file_must_say_units_and_python_need_not(field: Any, number: float, text: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(field)
    assert adapter.validate_python(number) == number
    assert adapter.validate_python(text, context=FILE) == number
    with pytest.raises(ValidationError, match=f"write {text}"):
        adapter.validate_python(number, context=FILE)
    assert adapter.dump_python(adapter.validate_python(text)) == text


@pytest.mark.parametrize(
    ("field", "value", "number"),
    [
        (units.Share, 0.05, 0.05),
        (units.Count, 40, 40),
        (units.Money, 0.02, 0.02),
        (units.Factor, 1.5, 1.5),
    ],
)
def test_a_file_may_give_numbers_where_there_is_no_unit(
    field: Any, value: float, number: float
) -> None:
    assert TypeAdapter(field).validate_python(value, context=FILE) == number


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (units.PositiveDuration, "0s"),
        (units.PositiveDuration, 0),
        (units.PositiveShare, "0%"),
        (units.Rate, 0),
        (units.Duration, -1),
        (units.Duration, math.nan),
        (units.Duration, 10**400),
    ],
)
def test_a_field_has_bounds(field: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(field).validate_python(value)


@pytest.mark.parametrize(
    ("field", "numbers", "parse"),
    [
        (units.Duration, AMOUNTS, units.format_duration),
        (units.Rate, ABOVE_ZERO, units.format_rate),
        (units.Share, st.floats(0, 1), units.format_share),
        (units.Count, st.integers(1, 10**9), units.format_count),
        (units.Money, AMOUNTS, units.format_money),
        (units.Hourly, AMOUNTS, units.format_hourly),
    ],
)
@given(data=st.data())
def test_the_schema_allows_what_is_written(
    data: st.DataObject, field: Any, numbers: Any, parse: Callable[[Any], str]
) -> None:
    schema = TypeAdapter(field).json_schema()
    (text,) = [part for part in schema.get("anyOf", [schema]) if part["type"] == "string"]
    assert re.search(text["pattern"], parse(data.draw(numbers)))
    assert all(re.search(text["pattern"], example) for example in text["examples"])


@pytest.mark.parametrize(
    ("value", "size", "instances"),
    [
        (3, 10, 3),
        ("3", 10, 3),
        (30, 10, 10),
        ("25%", 10, 3),
        (0.25, 12, 3),
        ("30%", 10, 3),
        ("1%", 10, 1),
        ("0%", 10, 0),
        (0, 10, 0),
        (1, 10, 1),
        (1.0, 10, 1),
        ("100%", 10, 10),
        ("1k", 5000, 1000),
    ],
)
def test_a_portion_is_a_count_or_a_share(value: Any, size: int, instances: int) -> None:
    assert Portion.parse(value).of(size) == instances


@pytest.mark.parametrize("value", [1.5, "1.5", "101%", "1e999", "some"])
def test_a_portion_is_nothing_else(value: Any) -> None:
    with pytest.raises(ValueError, match="write"):
        Portion.parse(value)


@given(st.one_of(st.integers(0, 10**6), st.floats(0, 1, exclude_min=True, exclude_max=True)))
def test_portions_read_back(value: float) -> None:
    portion = Portion.parse(value)
    assert Portion.parse(str(portion)) == portion
    assert TypeAdapter(units.PortionField).validate_python(str(portion), context=FILE) == portion


@given(st.floats(0, 1, exclude_min=True), st.integers(1, 10_000))
def test_a_share_of_a_fleet_is_the_least_number_that_covers_it(part: float, size: int) -> None:
    some = Portion(part, True).of(size)
    assert 1 <= some <= size
    assert some >= part * size - 1e-9
    assert some == 1 or some - 1 < part * size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4172 * 60, "2.9d"),
        (21_601 * 60, "15d"),
        (400.3 * 86_400, "400d"),
        (150 * 60, "2.5h"),
        (6 * 3600, "6h"),
        (5400, "90m"),
        (3600, "1h"),
        (601, "10m"),
        (95.2, "95s"),
        (0, "0s"),
    ],
)
def test_durations_in_messages_have_three_digits(seconds: float, text: str) -> None:
    assert units.rough_duration(seconds) == text


@given(st.floats(min_value=1, max_value=1e9))
def test_a_rough_duration_is_near_and_reads_back(seconds: float) -> None:
    read = units.duration(units.rough_duration(seconds))
    assert read == pytest.approx(seconds, rel=0.05, abs=0.5)
