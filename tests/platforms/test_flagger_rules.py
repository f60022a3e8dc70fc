"""Flagger's control loop, tick by tick: the documented walks, and what holds for every setting."""

from __future__ import annotations

from fractions import Fraction
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.flagger import rules
from simulator.platforms.flagger.rules import Analysis, Checks, Limit, Stage, Status
from simulator.words.units import exact

quick = settings(max_examples=60, deadline=None, derandomize=True)


def percent(*numbers: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(number, 100) for number in numbers)


def walk(analysis: Analysis, results: str = "") -> list[int]:
    """The weights after each tick in per cent; results are + and -, + at the end for ever."""
    found = list[int]()
    given = (result == "+" for result in results)
    for status in rules.course(analysis, [*given, *[True] * 400]):
        found.append(int(100 * status.weight))
        if status.phase in ("promoting", "failed"):
            break
    return found


@pytest.mark.parametrize(
    ("analysis", "weights"),
    [
        # the example of the documentation
        (Analysis(highest=exact(0.5), step=exact(0.05)), [*range(5, 51, 5), 50]),
        # an overshoot: 20, 40, 60, promote
        (Analysis(highest=exact(0.5), step=exact(0.2)), [20, 40, 60, 60]),
        (Analysis(step=exact(0.3)), [30, 60, 90, 100, 100]),
        # steps of different sizes; the last of them is the highest, whatever maxWeight says
        (Analysis(steps=percent(1, 2, 10, 80)), [1, 2, 10, 80, 80]),
        (Analysis(highest=exact(0.5), steps=percent(5, 100)), [5, 100, 100]),
        # stepWeight wins over stepWeights, but these say where it ends
        (Analysis(step=exact(0.1), steps=percent(5, 30)), [10, 20, 30, 30]),
        # one tick of mirroring first
        (Analysis(highest=exact(0.5), step=exact(0.25), mirror=True), [0, 25, 50, 50]),
        # A/B: all that match, for so many checks
        (Analysis(iterations=3, matched=True, mirror=True), [100, 100, 100, 100]),
        # blue/green: one more check with everybody on the canary
        (Analysis(iterations=3), [0, 0, 0, 100, 100]),
        (Analysis(iterations=2, mirror=True), [0, 0, 100, 100]),
        # without a mesh ten iterations, and no traffic
        (Analysis(step=exact(0.05), mesh=False), [0] * 12),
        (Analysis(iterations=2, matched=True, mesh=False), [0] * 4),
    ],
)
def test_weights_tick_by_tick(analysis: Analysis, weights: list[int]) -> None:
    assert walk(analysis) == weights


def test_a_failed_check_holds_the_weight_and_is_never_forgotten() -> None:
    analysis = Analysis(threshold=3, highest=exact(0.5), step=exact(0.1))
    assert walk(analysis, "++-+-+") == [10, 20, 20, 30, 30, 40, 50, 50]
    assert walk(analysis, "++-+-++-") == [10, 20, 20, 30, 30, 40, 50, 50, 0]


def test_too_many_failed_checks_are_found_one_tick_later() -> None:
    """The canary keeps its weight for one more interval, and a good check does not save it."""
    analysis = Analysis(threshold=2, step=exact(0.1))
    assert walk(analysis, "+--+") == [10, 10, 10, 0]
    assert rules.rollback_time(analysis, 60) == 3 * 60


def test_hooks_before_the_rollout_count_as_well() -> None:
    assert walk(Analysis(threshold=2, step=exact(0.1)), "--") == [0, 0, 0]


def test_nothing_moves_until_the_pods_are_ready() -> None:
    analysis = Analysis(step=exact(0.1))
    for now in (Status(failed=1), Status("promoting", exact(0.5)), Status("finalising")):
        assert rules.tick(analysis, now, ready=False) == now


@pytest.mark.parametrize(
    ("analysis", "seconds"),
    [
        (Analysis(highest=exact(0.5), step=exact(0.05)), 15 * 50 / 5),
        (Analysis(highest=exact(0.6), step=exact(0.02)), 15 * 60 / 2),
        (Analysis(iterations=10, matched=True), 15 * 10),
        (Analysis(iterations=10), 15 * 11),  # the check with everybody on it is one more
        (Analysis(step=exact(0.1), mesh=False), 15 * 11),
    ],
)
def test_the_documented_estimates(analysis: Analysis, seconds: float) -> None:
    """interval x max weight / step weight, and interval x iterations."""
    assert rules.least_time(analysis, 15) == seconds


def test_intervals_and_thresholds_that_are_not_taken() -> None:
    assert [rules.interval(x) for x in (None, 0, 5, 10, 90)] == [60, 10, 10, 10, 90]
    assert [rules.threshold(x) for x in (-1, 0, 1, 7)] == [1, 1, 1, 7]


@pytest.mark.parametrize(
    ("back", "mesh", "ticks"), [(0, True, 1), (10, True, 5), (15, True, 4), (10, False, 1)]
)
def test_traffic_goes_back_to_the_primary(back: int, mesh: bool, ticks: int) -> None:
    """From 50 % at once, or in steps: 15 % steps take four ticks."""
    analysis = Analysis(highest=exact(0.5), step=exact(0.5), back=Fraction(back, 100), mesh=mesh)
    assert rules.ticks_back(analysis) == ticks
    if mesh:
        now = Status("promoting", exact(0.5))
        for _ in range(ticks):
            now = rules.tick(analysis, now)
        assert now == Status("finalising")
        assert rules.tick(analysis, now).phase == "succeeded"


@pytest.mark.parametrize("steps", [(), percent(10, 10), percent(20, 5), percent(0, 10)])
def test_a_canary_that_never_moves(steps: tuple[Fraction, ...]) -> None:
    """Without steps, or with steps that do not rise, no tick changes anything."""
    assert rules.stages(Analysis(steps=steps)) == ()


shares = st.integers(1, 100).map(lambda number: Fraction(number, 100))
analyses = st.builds(
    Analysis,
    threshold=st.integers(-1, 5),
    highest=shares,
    step=shares,
    steps=st.one_of(
        st.just(()), st.lists(shares, min_size=1, max_size=5, unique=True).map(sorted).map(tuple)
    ),
    back=st.one_of(st.just(Fraction(0)), shares),
    iterations=st.integers(0, 4),
    matched=st.booleans(),
    mirror=st.booleans(),
    mesh=st.booleans(),
)


@given(analysis=analyses, results=st.lists(st.booleans(), max_size=40))
@quick
def test_what_holds_for_every_analysis(analysis: Analysis, results: list[bool]) -> None:
    """Weights rise with good checks only, never above all; the threshold and nothing else fails
    it; and it ends."""
    now, failures = Status(), 0
    for good in results:
        after = rules.tick(analysis, now, good)
        assert 0 <= after.weight <= 1
        checked = now.phase == "progressing" and failures < rules.threshold(analysis.threshold)
        assert (after.phase == "failed") == (now.phase == "failed") or not checked
        if checked:
            failures += not good
            assert after.failed == failures
            assert after.weight >= now.weight
            assert good or after.weight == now.weight
        elif now.phase == "progressing":
            assert after == Status("failed", iterations=now.iterations, failed=now.failed)
        else:
            assert after.weight <= now.weight
        now = after
    ends = list(rules.course(analysis, repeat(True, 300)))[-1]
    assert ends.phase == "succeeded"


@given(analysis=analyses, results=st.lists(st.booleans(), max_size=12))
@quick
def test_stages_say_the_same_as_the_loop(analysis: Analysis, results: list[bool]) -> None:
    """Holding every stage until it has had its good checks gives the loop's weights."""
    analysis = analysis._replace(threshold=1000)
    outcomes = iter([*results, *[True] * 300])
    found = list(rules.course(analysis, [True, *results, *[True] * 300]))
    expected = list[tuple[Fraction, bool]]()
    for stage in rules.stages(analysis):
        good = 0
        while good < stage.checks:
            expected.append((stage.weight, stage.mirrored))
            good += next(outcomes)
    assert [(status.weight, status.mirrored) for status in found[: len(expected)]] == expected
    assert found[len(expected) - 1].phase == "progressing"
    assert found[len(expected)].phase == "promoting"


def test_stages_of_a_blue_green_release() -> None:
    found = rules.stages(Analysis(iterations=5, mirror=True))
    assert found == (Stage(Fraction(0), True, 5), Stage(Fraction(1), False, 1))


def test_bounds_are_inclusive() -> None:
    """A success rate of exactly 99 % passes `min: 99`."""
    limit = Limit("errors", exact(0.01), 1)
    assert not rules.exceeded(((1, 0, 100),), limit)
    assert rules.exceeded(((2, 0, 199),), limit)
    assert rules.exceeded(((0, 9, 100),), limit._replace(bad="late"))
    assert rules.exceeded(((1, 1, 100),), limit._replace(bad="bad"))


def test_no_values_fail_a_check() -> None:
    limit = Limit("errors", exact(0.01), 2)
    assert rules.exceeded(((0, 0, 0), (0, 0, 0)), limit)
    assert not rules.exceeded(((0, 0, 0), (0, 0, 0)), limit, no_data_fails=False)
    assert not rules.exceeded(((0, 0, 4), (0, 0, 0)), limit)


def test_windows_overlap() -> None:
    """A window of four ticks: one bad tick fails four checks in a row, the shorter window one."""
    long, short = Limit("errors", exact(0.01), 4), Limit("errors", exact(0.01), 1)
    for limits, expected in (((long,), 4), ((short,), 1), ((short, long), 4)):
        checks, found = Checks(), list[bool]()
        for failed in (0, 30, 0, 0, 0, 0, 0):
            checks = checks.after((failed, 0, 500), limits, True)
            found.append(checks.good)
        assert found == [True, *[False] * expected, *[True] * (6 - expected)]
        assert checks.failed == expected
        assert len(checks.seen) == max(limit.ticks for limit in limits)


def test_nobody_looking_is_no_failure() -> None:
    assert Checks(2, ((9, 0, 9),)).after(None, (), True) == Checks(2)


def test_windows_in_ticks() -> None:
    assert [rules.window_ticks(w, 15) for w in (5, 15, 30, 31, 60)] == [1, 1, 2, 3, 4]
