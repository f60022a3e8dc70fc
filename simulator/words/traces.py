"""Measured traffic: reading the formats monitoring systems export, and repeating them for ever."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.words.traffic import Trace

Array = NDArray[np.float64]

_DAY = 86_400.0
_MOST_BYTES = 64 * 2**20


class Series(NamedTuple):
    """A rate that is linear between measured points and repeats after `period` seconds.

    `times` are seconds after the first point, `rates` requests/s, `course` the integral of the
    rate up to each point; `epoch` is the first point's time in seconds since 1970 (UTC).
    """

    times: Array
    rates: Array
    course: Array
    period: float
    epoch: float
    notes: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        """Same points at the same moments."""
        if not isinstance(other, Series) or self[3:] != other[3:]:
            return False
        return np.array_equal(self.times, other.times) and np.array_equal(self.rates, other.rates)

    def __hash__(self) -> int:
        return hash(self[3:])

    @property
    def mean(self) -> float:
        """Mean rate over a period, requests/s."""
        return float(self.course[-1]) / self.period

    @property
    def peak(self) -> float:
        """Largest rate, requests/s."""
        return float(np.max(self.rates))

    def at(self, t: Array) -> Array:
        """Rate at t seconds after the first point, requests/s."""
        rates: Array = np.interp(np.mod(t, self.period), self.times, self.rates)
        return rates

    def cumulative(self, t: Array) -> Array:
        """Integral of the rate from the first point to t (negative before it)."""
        rounds = np.floor(t / self.period)
        inside = t - rounds * self.period
        index = np.clip(
            np.searchsorted(self.times, inside, side="right") - 1, 0, len(self.times) - 2
        )
        ahead = inside - self.times[index]
        slope = (self.rates[index + 1] - self.rates[index]) / (
            self.times[index + 1] - self.times[index]
        )
        course: Array = (
            rounds * self.course[-1]
            + self.course[index]
            + ahead * (self.rates[index] + slope * ahead / 2)
        )
        return course

    def knots(self, a: float, b: float) -> Array:
        """The points in (a, b), seconds after the first point, repeated with the period."""
        first, last = math.floor(a / self.period), math.floor(b / self.period)
        points = np.concatenate([self.times[:-1] + n * self.period for n in range(first, last + 1)])
        return points[(points > a) & (points < b)]

    def busiest(self, length: float) -> float:
        """Largest mean rate over any `length` seconds, requests/s.

        Between two breaks the rate at the window's end less that at its start is linear: the
        largest window begins at a break or where that difference is 0.
        """
        starts = np.append(self.times, np.mod(self.times - length, self.period))
        starts = np.unique(starts)
        gain = self.at(starts + length) - self.at(starts)
        turns = np.nonzero((gain[:-1] > 0) & (gain[1:] < 0))[0]
        share = gain[turns] / (gain[turns] - gain[turns + 1])
        inside = starts[turns] + share * (starts[turns + 1] - starts[turns])
        starts = np.append(starts, inside)
        return float(np.max(self.cumulative(starts + length) - self.cumulative(starts))) / length

    def moment(self, text: str) -> float | None:
        """Seconds since 1970 of a moment written as the file writes them; None if it is no date."""
        try:
            return _moment(text)
        except ValueError:
            return None

    def check(self, moment: float, text: str) -> None:
        """Raises ValueError for a moment (seconds since 1970) that lies outside the data."""
        if not self.epoch <= moment < self.epoch + self.period:
            ends = [
                datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d %H:%M")
                for end in (self.epoch, self.epoch + self.period)
            ]
            raise ValueError(
                f"{text!r} is outside the trace: write a moment from {ends[0]} to before {ends[1]}"
            )


def read_trace(trace: Trace, folder: str) -> Series:
    """Read a trace's file. Raises ValueError with the place and the remedy."""
    path = Path(folder) / trace.file
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{trace.file!r} is over 64 MiB: thin it out")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot read {trace.file!r}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{trace.file!r} is not a text file") from None
    if trace.format == "csv":
        try:
            points = _from_csv(text, trace)
        except csv.Error as error:
            raise ValueError(f"{trace.file!r} is not a CSV file: {error}") from None
    else:
        try:
            document = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{trace.file!r} is not JSON: {error}") from None
        reader = _from_cloudwatch if trace.format == "cloudwatch" else _from_prometheus
        try:
            points = reader(document)
        except KeyError as error:
            raise ValueError(
                f"{trace.file!r} does not look like {trace.format} output: {error} is missing"
            ) from None
        except (TypeError, AttributeError, IndexError, OverflowError):
            raise ValueError(f"{trace.file!r} does not look like {trace.format} output") from None
        except ValueError as error:
            raise ValueError(f"{trace.file!r}: {error}") from None
    per = trace.per
    if per is None:
        if trace.format != "prometheus":
            raise ValueError("the trace needs per: its values are requests per this time, e.g. 5m")
        per = 1.0
    return _series(points, trace.scale / per, trace.file)


def _from_csv(text: str, trace: Trace) -> list[tuple[float, float]]:
    rows = csv.reader(text.splitlines())
    header = next(rows, [])
    for column in (trace.time, trace.value):
        if column not in header:
            raise ValueError(
                f"{trace.file!r} has no column {column!r}; it has {', '.join(header) or 'none'}"
            )
    when, what = header.index(trace.time), header.index(trace.value)
    points = []
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        try:
            points.append((_moment(row[when]), float(row[what])))
        except (ValueError, IndexError):
            raise ValueError(
                f"{trace.file}:{number}: {','.join(row)[:60]!r} is not a time and a number"
            ) from None
        if not math.isfinite(points[-1][1]) or points[-1][1] < 0:
            raise ValueError(f"{trace.file}:{number}: {row[what]!r} is not a number of requests")
    return points


def _from_cloudwatch(document: Any) -> list[tuple[float, float]]:
    """Output of get-metric-statistics, or of get-metric-data (several series are added)."""
    if "Datapoints" in document:
        return [
            (_moment(str(point["Timestamp"])), _number(point["Sum"]))
            for point in document["Datapoints"]
        ]
    series = [
        zip(result["Timestamps"], result["Values"], strict=True)
        for result in document["MetricDataResults"]
    ]
    return _added([[(_moment(str(t)), _number(v)) for t, v in one] for one in series])


def _from_prometheus(document: Any) -> list[tuple[float, float]]:
    """Output of query_range (several series are added)."""
    result = document["data"]["result"]
    return _added([[(float(t), _number(v)) for t, v in one["values"]] for one in result])


def _number(value: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{value!r} in the trace is not a number of requests")
    return number


def _added(series: Iterable[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    total: dict[float, float] = {}
    for one in series:
        for moment, value in one:
            total[moment] = total.get(moment, 0.0) + value
    return list(total.items())


def _moment(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        when = datetime.fromisoformat(text.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a time")
    return number / 1000 if number > 1e11 else number


def _series(points: list[tuple[float, float]], scale: float, name: str) -> Series:
    if len(points) < 2:
        raise ValueError(f"{name!r} has {len(points)} points: at least two are needed")
    points.sort()
    moments = np.array([moment for moment, _ in points])
    rates = np.array([value for _, value in points]) * scale
    keep = np.concatenate([[True], np.diff(moments) > 0])
    notes = []
    if not np.all(keep):
        notes.append(f"trace {name}: {int(np.sum(~keep))} repeated moments left out")
        moments, rates = moments[keep], rates[keep]
    if len(moments) < 2 or not np.any(rates > 0):
        raise ValueError(f"{name!r} has no traffic at two different moments")
    gaps = np.diff(moments)
    usual = float(np.median(gaps))
    missing = int(np.sum(gaps > 1.5 * usual))
    if missing:
        notes.append(f"trace {name}: {missing} gaps interpolated")
    length = float(moments[-1] - moments[0]) + usual
    days = round(length / _DAY)
    period = days * _DAY if days and abs(length - days * _DAY) <= usual else length
    times = moments - moments[0]
    inside = times < period
    times, rates = times[inside], rates[inside]
    times = np.append(times, period)
    rates = np.append(rates, rates[0])
    course = np.concatenate([[0.0], np.cumsum(np.diff(times) * (rates[1:] + rates[:-1]) / 2)])
    return Series(times, rates, course, period, float(moments[0]), tuple(notes))
