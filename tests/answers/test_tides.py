"""Cells with busy hours of their own: sums over the cells' own curves, integrated numerically."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import pytest
from scipy.integrate import quad

from simulator.play.rehearsal import gates
from simulator.words.reading import ScenarioError
from simulator.words.scenario import Scenario
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

HOUR = 3600.0
MEAN, PEAK = 1000.0, 1800.0
CELLS = {"asia": (0.3, "06:00"), "eu": (0.5, None), "us": (0.2, "20:30")}
DAILY = f"daily: {{mean: {MEAN:g} rps, peak: {PEAK:g} rps, peak_at: 14:00}}"


def cells() -> str:
    """The cells as words; eu peaks with the whole file's hour."""
    peaks = {name: f", peak_at: '{peak}'" if peak else "" for name, (_, peak) in CELLS.items()}
    listed = (f"{{name: {n}, share: {s}{peaks[n]}}}" for n, (s, _) in CELLS.items())
    return f"cells: [{', '.join(listed)}]"


def curve(*names: str, start: float = 16.0) -> Callable[[float], float]:
    """Requests/s of these cells, t seconds after the start (an hour of the day)."""

    def rate(t: float) -> float:
        total = 0.0
        for name in names:
            share, peak = CELLS[name]
            clock = datetime.strptime(peak or "14:00", "%H:%M")
            hours = start + t / HOUR - clock.hour - clock.minute / 60
            total += share * (MEAN + (PEAK - MEAN) * math.cos(math.pi * hours / 12))
        return total

    return rate


def over(rate: Callable[[float], float], a: float, b: float) -> float:
    return float(quad(rate, a, b, limit=200)[0])


def scenario(**words: str | int) -> Scenario:
    given: dict[str, str | int] = {
        "rate": DAILY,
        "users": "100k",
        "service": cells(),
        "traffic": "start_at: Tue 16:00",
        "defect": "{kind: errors, rate: 1%}",
        "strategy": "phased: {by: cells, bake: 6h}",
    }
    return bare(**(given | words))


def test_the_whole_is_the_sum_of_its_cells() -> None:
    traffic = scenario().traffic
    rate = curve(*CELLS)
    for t in (0.0, 5000.0, 40_000.0, 86_399.0):
        assert float(traffic.at(t)) == pytest.approx(rate(t))
        assert float(traffic.cumulative(t)) == pytest.approx(over(rate, 0, t), abs=1e-3)
    peak = max(rate(60.0 * k) for k in range(1440))
    assert traffic.peak == pytest.approx(peak, rel=1e-5)
    assert traffic.busiest_hour == pytest.approx(bare(rate=DAILY).traffic.busiest_hour)
    assert scenario().notes[-1].endswith(f"all together get at most {traffic.peak:.4g} rps")


@pytest.mark.parametrize(("after", "moved"), [(3, ["asia"]), (8, ["asia", "eu"]), (15, [*CELLS])])
def test_harm_is_the_sum_over_the_cells_that_have_moved(after: int, moved: list[str]) -> None:
    """Each cell's own requests from its own move on, 6 h after the one before, until it is found;
    a user of a cell of s x 100 000 users meets 1 % of its part of them."""
    words = scenario(**noticed(after * HOUR))
    outcomes = play(words, 40)
    sent = [over(curve(name), 6 * HOUR * k, after * HOUR) for k, name in enumerate(moved)]
    harmed = sum(
        CELLS[name][0] * -math.expm1(-0.01 * n / (CELLS[name][0] * 100_000))
        for name, n in zip(moved, sent, strict=True)
    )
    new = {name: 6 * HOUR * k for k, name in enumerate(moved)}
    rate = curve(*CELLS)
    exposure = sum(
        over(lambda t, name=name: curve(name)(t) / rate(t), begun, after * HOUR)  # type: ignore[misc]
        for name, begun in new.items()
    )
    first = outcomes[0]
    assert first.expected_failed_requests == pytest.approx(0.01 * sum(sent))
    assert first.users_harmed == pytest.approx(harmed)
    assert first.exposed_requests == pytest.approx(sum(sent))
    assert first.exposure_time == pytest.approx(exposure)
    assert near([o.failed_requests for o in outcomes], 0.01 * sum(sent))


def test_a_cell_that_moves_at_its_night_is_nearly_idle() -> None:
    """With a peak of twice the mean asia, moved at 17:52 and found a quarter of an hour later, has
    sent 300 (1 - cos) requests/s around 18:00, 49 in all; as many users of all cells 30 %."""
    daily = "daily: {mean: 1000 rps, peak: 2000 rps, peak_at: 14:00}"
    words = {"rate": daily, "traffic": "start_at: Tue 17:52", **noticed(900)}
    (idle,) = play(scenario(**words), 1)
    (others,) = play(scenario(strategy="phased: {waves: [30%, 70%], bake: 6h}", **words), 1)
    night = over(lambda t: 300 * (1 - math.cos(2 * math.pi * (t - 480) / 86_400)), 0, 900)
    assert idle.exposed_requests == pytest.approx(night, rel=1e-6)
    assert idle.exposed_requests < 50
    assert others.exposed_requests > 200_000
    assert others.exposure_time == pytest.approx(0.3 * 900)


def test_what_a_gate_sees_is_what_its_cells_send() -> None:
    seen = gates(scenario(), "phased")
    first = over(curve("asia"), 0, 6 * HOUR)
    both = over(curve("asia", "eu"), 6 * HOUR, 12 * HOUR)
    assert [gate.requests for gate in seen[:2]] == pytest.approx([first, both])
    assert seen[0].weight == pytest.approx(first / over(curve(*CELLS), 0, 6 * HOUR))


def test_a_part_of_a_wave_has_the_curve_of_its_wave() -> None:
    """One box, a tenth of each wave: asia's tenth is watched for an hour, then all of it."""
    words = scenario(
        strategy="phased: {by: cells, schedule: amazon}",
        service=cells().replace("cells", "startup: 0s, cells"),
        traffic="start_at: Tue 10:00",
        instances=100,
        **noticed(2 * HOUR),
    )
    (outcome,) = play(words, 1)
    rate = curve("asia", start=10.0)
    expected = 0.1 * over(rate, 0, HOUR) + over(rate, HOUR, 2 * HOUR)
    assert outcome.exposed_requests == pytest.approx(expected)
    each = [over(rate, HOUR, 2 * HOUR) / 30_000, over(rate, 0, 2 * HOUR) / 30_000]
    harmed = 0.27 * -math.expm1(-0.01 * each[0]) + 0.03 * -math.expm1(-0.01 * each[1])
    assert outcome.users_harmed == pytest.approx(harmed)


def test_overload_is_that_of_the_cells_that_have_moved() -> None:
    """Asia's 3 of 10 instances carry 300 requests/s of the slow version, less than it sends around
    its peak at 6:00; the fleet of the other cells carries all of theirs."""
    words = scenario(
        service=cells() + ", capacity: 200 rps",
        traffic="start_at: Tue 02:00",
        defect="{kind: slow, factor: 2, rate: 0%}",
        **noticed(4 * HOUR),
    )
    (outcome,) = play(words, 1)
    rate, old = curve("asia", start=2.0), curve("eu", "us", start=2.0)
    rejected = over(lambda t: max(rate(t) - 300, 0.0), 0, 4 * HOUR)
    usual = over(lambda t: max(old(t) - 1400, 0.0), 0, 4 * HOUR)
    assert usual == 0.0
    assert outcome.expected_failed_requests == pytest.approx(rejected, rel=1e-5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"rate": "rate: 10 rps"}, "traffic: cells with peak_at need a daily curve"),
        (
            {"strategy": "feature_flag: {ship: {kind: phased, by: cells}}"},
            "ship: waves of cells with peak_at are no part of another strategy",
        ),
        (
            {"service": cells() + ", sessions: {mean: 10m, requests: 9}"},
            "waves of cells with peak_at and service.sessions",
        ),
        (
            {"traffic": "connections: {mean: 10m}"},
            "waves of cells with peak_at and traffic.connections",
        ),
        (
            {"traffic": "retries: 1"},
            "waves of cells with peak_at and traffic.retries",
        ),
        ({"service": cells().replace("20:30", "8 pm")}, "'8 pm' is not a time"),
    ],
)
def test_busy_hours_that_cannot_be_followed(words: dict[str, str], says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario(**words)
    assert says in str(refused.value)
