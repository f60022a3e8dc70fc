"""Traffic: rates, exact integrals, bounds, clocks, and what monitoring systems export."""

from __future__ import annotations

import csv
import json
import math
import pickle
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from simulator.words.clock import clock_seconds
from simulator.words.traffic import Traffic

Array = NDArray[np.float64]
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
DAILY = {"mean": 500, "peak": 900, "peak_at": "14:00"}
SPIKES = [{"at": HOUR, "lasts": 7 * MINUTE, "factor": 3}]
OVERLAPPING = [
    {"at": HOUR, "lasts": HOUR, "factor": 3},
    {"at": 1.5 * HOUR, "lasts": HOUR, "factor": 2},
    {"at": 1.75 * HOUR, "lasts": DAY, "factor": 0.5},
]
TIMES = st.floats(-3 * DAY, 10 * DAY)


def traffic(folder: Path | None = None, **words: Any) -> Traffic:
    """Traffic with the given words; files lie in `folder`."""
    rest = {"users": 10_000, "sticky": True, "writes": 0.2}
    return Traffic.model_validate(rest | words, context={"folder": folder and str(folder)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trace of uneven points: a bit over two hours, from Thursday 23:00."""
    place = tmp_path_factory.mktemp("traces")
    rows = ["23:00:00,300", "23:10:00,900", "23:20:00,0", "23:30:00,600", "23:55:00,1200"]
    text = "\n".join(f"2014-04-10 {row}" for row in rows)
    late = "\n2014-04-11 00:05:00,60\n2014-04-11 00:15:00,120\n2014-04-11 01:00:00,240\n"
    (place / "t.csv").write_text("timestamp,value\n" + text + late)
    return place


@pytest.fixture(scope="module")
def every(folder: Path) -> list[Traffic]:
    """Traffic of every sort, with and without spikes."""
    trace = {"file": "t.csv", "per": "1m"}
    sorts: list[dict[str, Any]] = [{"rate": 50}, {"daily": DAILY}, {"trace": trace}]
    spikes: list[list[dict[str, float]]] = [[], SPIKES, OVERLAPPING]
    return [traffic(folder, **sort, spikes=extra) for sort in sorts for extra in spikes]


def quadrature(flow: Traffic, a: float, b: float) -> float:
    """Integral of the rate from a to b by Gauss-Legendre between all kinks and quarter hours."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.unique([a, b, *flow.kinks(a, b), *np.arange(a, b, HOUR / 4)])
    half = np.diff(edges)[:, None] / 2
    return float(np.sum(half * weights * flow.at(edges[:-1, None] + half * (1 + nodes))))


@pytest.mark.parametrize("sort", range(9))
@given(times=st.tuples(TIMES, TIMES).map(sorted))
def test_integrals_are_exact(every: list[Traffic], sort: int, times: list[float]) -> None:
    flow, (a, b) = every[sort], times
    expected = quadrature(flow, a, b) if b > a else 0.0
    assert flow.integral(np.array([a, b]))[0] == pytest.approx(expected, rel=1e-9, abs=1e-4)
    assert flow.cumulative(b) - flow.cumulative(a) == pytest.approx(expected, rel=1e-9, abs=1e-4)
    assert flow.cumulative(0.0) == 0


@pytest.mark.parametrize("sort", range(9))
@given(times=st.tuples(TIMES, TIMES).map(sorted))
def test_bounds_hold_and_are_tight(every: list[Traffic], sort: int, times: list[float]) -> None:
    flow, (a, b) = every[sort], times
    inner = np.unique(np.concatenate([[a], flow.kinks(a, b), [b]]))
    sides = np.clip(np.concatenate([inner - 1e-3, inner, inner + 1e-3]), a, b)
    rates = flow.at(np.concatenate([np.linspace(a, b, 2000), sides]))
    greatest, least = flow.greatest(a, b), flow.least(a, b)
    assert greatest >= np.max(rates) * (1 - 1e-12)
    assert least <= np.min(rates) * (1 + 1e-12)
    assert greatest <= np.max(rates) * (1 + 1e-4) + 0.1
    assert least >= np.min(rates) * (1 - 1e-4) - 0.1
    assert flow.peak >= greatest * (1 - 1e-12)


@pytest.mark.parametrize("sort", range(9))
@given(times=st.tuples(TIMES, TIMES).map(sorted))
def test_between_kinks_the_rate_is_smooth(
    every: list[Traffic], sort: int, times: list[float]
) -> None:
    flow, (a, b) = every[sort], times
    kinks = flow.kinks(a, b)
    assert np.all(np.diff(kinks) >= 0)
    assert np.all((kinks > a) & (kinks < b))
    for low, high in zip([a, *kinks[:5]], [*kinks[:6], b][:6], strict=False):
        if high - low > 1:
            inside = np.linspace(low + 1e-3, min(high, low + HOUR) - 1e-3, 9)
            # four equal steps of a parabola or a slow cosine have nearly no third difference
            assert np.abs(np.diff(flow.at(inside), 3)).max() < 0.1


def test_a_constant_rate() -> None:
    flow = traffic(rate=50)
    assert flow.constant
    assert (flow.mean, flow.peak, flow.busiest_hour) == (50, 50, 50)
    assert flow.integral(np.array([-10.0, 0.0, 30.0])).tolist() == [500, 1500]
    assert len(flow.kinks(-1e9, 1e9)) == 0
    assert not traffic(rate=50, spikes=SPIKES).constant


def test_a_daily_curve() -> None:
    """r = mean + (peak - mean) cos(...); over an hour at the peak: a cosine's mean, sin(h) / h."""
    flow = traffic(daily=DAILY, start_at="Tue 10:00")
    assert not flow.constant
    assert flow.at(4 * HOUR) == pytest.approx(900)
    assert flow.at(-8 * HOUR) == pytest.approx(100)
    assert flow.at(np.array([10 * HOUR, -2 * HOUR])) == pytest.approx(500)
    assert (flow.mean, flow.peak) == (500, 900)
    busiest = flow.integral(np.array([3.5 * HOUR, 4.5 * HOUR]))[0] / HOUR
    assert flow.busiest_hour == pytest.approx(busiest, rel=1e-12)
    assert flow.integral(np.array([0, 7 * DAY]))[0] == pytest.approx(7 * DAY * 500, rel=1e-12)
    assert flow.greatest(0, 4.5 * HOUR) == pytest.approx(900, rel=1e-15)


def test_spikes_multiply() -> None:
    flow = traffic(rate=10, spikes=OVERLAPPING)
    hours = np.array([0.5, 1.25, 1.6, 1.9, 2.2, 3, 26])
    assert flow.at(hours * HOUR).tolist() == [10, 30, 60, 30, 10, 5, 10]
    assert flow.peak == 60
    assert flow.mean == 10
    assert flow.integral(np.array([0, 2 * HOUR]))[0] == pytest.approx(
        10 * HOUR * (1 + 3 * 0.5 + 6 * 0.25 + 3 * 0.25), rel=1e-12
    )


def test_the_peak_is_of_the_spike_where_it_falls() -> None:
    night = traffic(daily=DAILY, start_at="02:00", spikes=[{"at": 0, "lasts": HOUR, "factor": 3}])
    assert night.peak == 900
    noon = traffic(
        daily=DAILY, start_at="13:00", spikes=[{"at": 0, "lasts": 2 * HOUR, "factor": 3}]
    )
    assert noon.peak == pytest.approx(2700, rel=1e-12)


def test_a_bound_includes_a_spike_that_begins_at_the_end() -> None:
    flow = traffic(rate=10, spikes=SPIKES)
    assert flow.greatest(0, HOUR) == 30
    assert flow.greatest(0, HOUR - 1) == 10
    assert flow.greatest(HOUR + 7 * MINUTE, 2 * HOUR) == 10


def test_bounds_see_a_spike_days_ahead() -> None:
    flow = traffic(daily=DAILY, spikes=[{"at": 5 * DAY, "lasts": DAY, "factor": 2}])
    assert flow.greatest(0, 9 * DAY) == pytest.approx(1800, rel=1e-12)
    for_ever = [{"at": 0, "lasts": 1e15, "factor": 0.5}]
    assert traffic(daily=DAILY, spikes=for_ever).least(0, 1e14) == pytest.approx(50, rel=1e-6)


def test_a_trace_is_linear_between_points_and_repeats(folder: Path) -> None:
    """Seven spaces from 10 to 45 min, median 10: a period of 2 h 10 min; 300 a minute is 5/s."""
    flow = traffic(folder, trace={"file": "t.csv", "per": "1m", "scale": 2})
    assert flow.at(np.array([0, 5, 10, 15, 20]) * MINUTE) == pytest.approx([10, 20, 30, 15, 0])
    assert flow.at(125 * MINUTE) == pytest.approx((8 + 10) / 2)
    period = 130 * MINUTE
    t = np.linspace(0, period, 50)
    assert flow.at(t - 3 * period) == pytest.approx(flow.at(t), abs=1e-9)
    assert flow.mean == pytest.approx(flow.integral(np.array([0, period]))[0] / period, rel=1e-12)
    assert flow.peak == 40
    assert flow.notes == ("trace t.csv: 2 gaps interpolated",)


@pytest.mark.parametrize("length", [HOUR, 20 * MINUTE, 3 * HOUR])
def test_the_busiest_hour_is_the_best_of_all_windows(folder: Path, length: float) -> None:
    flow = traffic(folder, trace={"file": "t.csv", "per": "1m"})
    assert flow._series is not None
    starts = np.arange(0, 130 * MINUTE)
    windows = flow.cumulative(starts + length) - flow.cumulative(starts)
    busiest = flow._series.busiest(length)
    assert busiest >= np.max(windows) / length * (1 - 1e-12)
    assert busiest == pytest.approx(np.max(windows) / length, rel=1e-4)
    assert flow.busiest_hour == flow._series.busiest(HOUR)


@pytest.mark.parametrize(
    ("start_at", "begins"),
    [
        (None, "2014-04-10 23:00"),
        ("2014-04-10 23:10:00", "2014-04-10 23:10"),
        ("2014-04-10T23:10:00Z", "2014-04-10 23:10"),
        ("2014-04-11 01:00:00+01:00", "2014-04-11 00:00"),
        ("1397171400", "2014-04-10 23:10"),
        ("23:30", "2014-04-10 23:30"),
        ("00:15", "2014-04-11 00:15"),
        ("Fri 00:15", "2014-04-11 00:15"),
        ("Tue 10:00", "2014-04-15 10:00"),
    ],
)
def test_a_trace_knows_its_own_weekdays(folder: Path, start_at: str | None, begins: str) -> None:
    flow = traffic(folder, trace={"file": "t.csv", "per": "1m"}, start_at=start_at)
    when = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert flow.clock(0.0) == pytest.approx((when.weekday(), when.hour + when.minute / 60))
    first = traffic(folder, trace={"file": "t.csv", "per": "1m"})
    since = when.timestamp() - datetime(2014, 4, 10, 23, tzinfo=UTC).timestamp()
    t = np.linspace(-HOUR, HOUR, 20)
    assert flow.at(t) == pytest.approx(first.at(t + since), abs=1e-9)


@pytest.mark.parametrize("start_at", ["2014-04-09", "2014-04-11 01:10:00", "2019-01-01 00:00:00"])
def test_a_start_outside_the_trace_is_refused(folder: Path, start_at: str) -> None:
    with pytest.raises(ValidationError, match="from 2014-04-10 23:00 to before 2014-04-11 01:10"):
        traffic(folder, trace={"file": "t.csv", "per": "1m"}, start_at=start_at)


def test_clocks() -> None:
    assert traffic(rate=1).clock(0) == (1, 10)
    flow = traffic(rate=1, start_at="Sun 23:30")
    assert flow.clock(0) == (6, 23.5)
    assert flow.clock(HOUR) == (0, 0.5)
    assert flow.clock(-24 * HOUR) == (5, 23.5)
    assert traffic(rate=1, start_at="Mon 0:00").clock(-1e-12)[0] in (0, 6)
    assert clock_seconds("wednesday 14:05") == 2 * DAY + 14 * HOUR + 5 * MINUTE


@pytest.mark.parametrize("text", ["", " ", "noon", "25:00", "10:60", "Someday 10:00", "Tue"])
def test_what_is_no_time_is_refused(folder: Path, text: str) -> None:
    for sort in ({"rate": 1}, {"trace": {"file": "t.csv", "per": "1m"}}):
        with pytest.raises(ValidationError, match=r"write e.g. Tue 10:00"):
            traffic(folder, **sort, start_at=text or " ")
    with pytest.raises(ValidationError, match=r"write e.g. Tue 10:00"):
        traffic(daily=DAILY | {"peak_at": text})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "give one of rate, daily, trace; here: none of them"),
        ({"rate": 5, "daily": DAILY}, "here: rate and daily"),
        ({"daily": DAILY | {"peak": 1001}}, "must lie between the mean and twice the mean"),
        ({"daily": DAILY | {"peak": 499}}, "must lie between the mean and twice the mean"),
        ({"rate": 5, "colour": "red"}, "colour"),
        ({"rate": 5, "spikes": [{"at": 0, "lasts": 0, "factor": 2}]}, "lasts"),
    ],
)
def test_impossible_traffic_is_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        traffic(**words)


def test_traffic_is_frozen_comparable_and_travels(every: list[Traffic], tmp_path: Path) -> None:
    for flow in every:
        twin = pickle.loads(pickle.dumps(flow))
        assert (twin, hash(twin)) == (flow, hash(flow))
        assert twin.at(5.0) == flow.at(5.0)
    assert len(set(every)) == len(every)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(every[0], "rate", 1.0)  # noqa: B010
    other = "timestamp,value\n2014-04-10 23:00,1\n2014-04-10 23:10,2\n"
    (tmp_path / "t.csv").write_text(other)
    assert traffic(tmp_path, trace={"file": "t.csv", "per": "1m"}) != every[6]


STAMPS = ["2014-04-10T00:00:00Z", "2014-04-10T00:05:00Z", "2014-04-10T00:10:00Z"]
EPOCHS = [1397088000, 1397088300, 1397088600]
STATISTICS = {
    "Label": "RequestCount",
    "Datapoints": [
        {"Timestamp": STAMPS[2], "Sum": 900.0, "Unit": "Count"},
        {"Timestamp": STAMPS[0], "Sum": 300.0, "Unit": "Count"},
        {"Timestamp": STAMPS[1], "Sum": 600.0, "Unit": "Count"},
    ],
}
METRIC_DATA = {
    "MetricDataResults": [
        {"Id": "a", "Timestamps": STAMPS[::-1], "Values": [600.0, 500.0, 100.0]},
        {"Id": "b", "Timestamps": STAMPS, "Values": [200.0, 100.0, 300.0]},
    ]
}
QUERY_RANGE = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {"metric": {"pod": "a"}, "values": [[t, "1"] for t in EPOCHS]},
            {"metric": {"pod": "b"}, "values": [[EPOCHS[1], "1"], [EPOCHS[2], "2"]]},
        ],
    },
}
EXPORTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("cloudwatch", STATISTICS, {"per": "5m"}),
    ("cloudwatch", METRIC_DATA, {"per": "5m"}),
    ("prometheus", QUERY_RANGE, {}),
]


@pytest.mark.parametrize(("form", "document", "words"), EXPORTS)
def test_exports_are_read(form: str, document: Any, words: dict[str, Any], tmp_path: Path) -> None:
    """All three say 1, 2 and 3 requests/s at midnight, 0:05 and 0:10."""
    (tmp_path / "x.json").write_text(json.dumps(document))
    flow = traffic(tmp_path, trace={"file": "x.json", "format": form, **words})
    assert flow.at(np.array([0, 150, 300, 600])) == pytest.approx([1, 1.5, 2, 3])
    assert flow.clock(0) == (3, 0)


def test_prometheus_counts_may_be_per_something(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(QUERY_RANGE))
    flow = traffic(tmp_path, trace={"file": "x.json", "format": "prometheus", "per": "1m"})
    assert flow.at(300.0) == pytest.approx(2 / 60)


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("cloudwatch", "{", "is not JSON"),
        ("cloudwatch", "[" * 100_000, "is not JSON"),
        ("cloudwatch", "{}", "does not look like cloudwatch output: 'MetricDataResults'"),
        ("cloudwatch", "[]", "does not look like cloudwatch output"),
        ("cloudwatch", "null", "does not look like cloudwatch output"),
        ("cloudwatch", '{"Datapoints": []}', "0 points"),
        ("cloudwatch", '{"Datapoints": [{"Timestamp": "noon", "Sum": 1}]}', "x.json': "),
        ("cloudwatch", '{"Datapoints": [{"Timestamp": "2014-04-10", "Sum": NaN}]}', "nan in the"),
        ("cloudwatch", '{"Datapoints": [{"Timestamp": "2014-04-10", "Sum": -5}]}', "-5 in the"),
        ("cloudwatch", '{"Datapoints": [{"Timestamp": "2014-04-10"}]}', "'Sum' is missing"),
        ("cloudwatch", '{"Datapoints": [{"Timestamp": "9", "Sum": 1%s}]}' % ("0" * 400), "look"),
        (
            "cloudwatch",
            '{"MetricDataResults": [{"Timestamps": ["2014-04-10"], "Values": []}]}',
            "x.json': ",
        ),
        ("prometheus", '{"status": "error"}', "'data' is missing"),
        ("prometheus", '{"data": {"result": [{"values": [[1, "x"]]}]}}', "'x' in the trace"),
        ("prometheus", '{"data": {"result": [{"values": [[1]]}]}}', "x.json': "),
        ("csv", "", "has no column 'timestamp'; it has none"),
        ("csv", "time,value\n", "has no column 'timestamp'; it has time, value"),
        ("csv", "timestamp,value\n2014-04-10,1\n2014-04-11,-1\n", "x.json:3: '-1'"),
        ("csv", "timestamp,value\n2014-04-10,nan\n", "x.json:2: 'nan'"),
        ("csv", "timestamp,value\n2014-04-10,1\nsoon,1\n", "x.json:3: 'soon,1'"),
        ("csv", "timestamp,value\n2014-04-10\n", "x.json:2: "),
        ("csv", "timestamp,value\n2014-04-10,1\n", "1 points: at least two"),
        ("csv", "timestamp,value\n2014-04-10,1\n2014-04-10,2\n", "two different moments"),
        ("csv", "timestamp,value\n2014-04-10,0\n2014-04-11,0\n", "has no traffic"),
        ("csv", "timestamp,value\n" + "1" * 200_000 + ",1\n", "is not a CSV file"),
    ],
)
def test_a_wrong_trace_names_the_place(form: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValidationError, match=re.escape(message)):
        traffic(tmp_path, trace={"file": "x.json", "format": form, "per": "5m"})


def test_a_trace_must_be_there_and_say_per_what(folder: Path) -> None:
    with pytest.raises(ValidationError, match=r"cannot read 'none.csv'"):
        traffic(folder, trace={"file": "none.csv", "per": "5m"})
    with pytest.raises(ValidationError, match=r"cannot read '.'"):
        traffic(folder, trace={"file": ".", "per": "5m"})
    with pytest.raises(ValidationError, match="needs per"):
        traffic(folder, trace={"file": "t.csv"})


def test_a_trace_may_have_other_columns_times_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffwhen,host,hits\r\n1397088300000,a,4\r\n1397088000000,a,2\r\n1397088300000,a,9\r\n"
    (tmp_path / "x.csv").write_text(text, newline="")
    trace = {"file": "x.csv", "time": "when", "value": "hits", "per": "1s"}
    flow = traffic(tmp_path, trace=trace)
    assert flow.at(np.array([0.0, 300.0])) == pytest.approx([2, 4])
    assert flow.notes == ("trace x.csv: 1 repeated moments left out",)


@pytest.mark.parametrize(
    ("points", "days"),
    [(288, 1), (287, 1), (289, 1), (2 * 288, 2), (290, None), (285, None)],
)
def test_whole_days_are_kept(points: int, days: int | None, tmp_path: Path) -> None:
    rows = [f"{1397088000 + 300 * i},{1 + i % 7}" for i in range(points)]
    (tmp_path / "x.csv").write_text("timestamp,value\n" + "\n".join(rows))
    flow = traffic(tmp_path, trace={"file": "x.csv", "per": "5m"})
    period = days * DAY if days else points * 300.0
    t = np.linspace(0, HOUR, 13)
    assert flow.at(t + period) == pytest.approx(flow.at(t), abs=1e-9)


@pytest.fixture(scope="module")
def rows(shared: Path) -> Array:
    """Two weeks of a load balancer: seconds since 1970 and requests per five minutes."""
    with (shared / "data" / "elb_request_count_5min.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    moments = [
        datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp() for row in rows
    ]
    return np.array([moments, [float(row["value"]) for row in rows]])


@pytest.fixture(scope="module")
def measured(shared: Path) -> Traffic:
    """The same two weeks as traffic."""
    trace = {"file": "elb_request_count_5min.csv", "per": "5m"}
    return traffic(shared / "data", trace=trace)


def test_rates_are_the_values_per_second(measured: Traffic, rows: Array) -> None:
    assert measured.at(rows[0] - rows[0, 0]) == pytest.approx(rows[1] / 300, rel=1e-12)
    assert measured.peak == pytest.approx(rows[1].max() / 300)
    assert measured.clock(0) == pytest.approx((3, 4 / 60))


def length(rows: Array) -> float:
    """From the first value to the end of the last: 40 minutes over 14 days, so not whole days."""
    return float(rows[0, -1] - rows[0, 0]) + 5 * MINUTE


def test_it_repeats_after_its_length(measured: Traffic, rows: Array) -> None:
    assert length(rows) == 14 * DAY + 40 * MINUTE
    t = rows[0, :500] - rows[0, 0]
    assert measured.at(t + length(rows)) == pytest.approx(measured.at(t), abs=1e-9)
    assert measured.clock(14 * DAY) == measured.clock(0)


def test_totals_are_those_of_the_trapezium_rule(measured: Traffic, rows: Array) -> None:
    times = rows[0] - rows[0, 0]
    cells = np.diff(times) * (rows[1, 1:] + rows[1, :-1]) / 600
    assert measured.integral(times) == pytest.approx(cells, rel=1e-9, abs=1e-7)
    end = 5 * MINUTE * (rows[1, -1] + rows[1, 0]) / 600
    assert measured.mean * length(rows) == pytest.approx(math.fsum(cells) + end, rel=1e-12)


def test_the_busiest_hour_beats_every_window_of_twelve_values(
    measured: Traffic, rows: Array
) -> None:
    times = np.arange(0, 14 * DAY, 60)
    windows = (measured.cumulative(times + HOUR) - measured.cumulative(times)) / HOUR
    assert measured.busiest_hour >= windows.max() * (1 - 1e-12)
    assert measured.busiest_hour == pytest.approx(windows.max(), rel=1e-3)
    assert measured.mean < measured.busiest_hour < measured.peak


def test_gaps_are_counted(measured: Traffic, rows: Array) -> None:
    gaps = int(np.sum(np.diff(rows[0]) > 450))
    counted = f"trace elb_request_count_5min.csv: {gaps} gaps interpolated"
    assert measured.notes == ((counted,) if gaps else ())
