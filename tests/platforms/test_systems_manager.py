"""Rate control and maintenance windows: the rules, and the engine held against them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.systems_manager import rules
from simulator.words.problems import ScenarioError
from tests.play.playing import bare, play

few = settings(max_examples=12, deadline=None, derandomize=True)


def command(kind: str, targets: int, words: str, bad: bool = True):  # type: ignore[no-untyped-def]
    """One command on so many targets, each at half its load; bad: it breaks every node."""
    scenario = bare(
        instances=targets,
        service="utilisation: 50%",
        defect="{kind: crash}",
        strategy=f"{kind}: {{{words}}}",
    )
    (outcome,) = play(scenario, 1, bad=bad)
    return outcome


def broken(outcome: object, targets: int) -> int:
    """Targets out of service at the worst moment: what is left carries twice its share."""
    return round(targets * (1 - (outcome.min_headroom + 1) * 0.5))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("concurrency", "errors", "worst", "minutes"),
    [(50, "0", 50, 40), (20, "0", 20, 100), (1, "0", 1, 2000), (50, "10%", 150, 40)],
)
def test_a_thousand_nodes(concurrency: int, errors: str, worst: int, minutes: int) -> None:
    """1 000 nodes, two minutes each: a faulty patch breaks at most concurrency + accepted errors,
    a good one takes 40 min at 50, 100 min at 20, 33 h one by one; so does the engine."""
    most: float | int = 0.1 if errors == "10%" else int(errors)
    assert rules.worst(1000, concurrency, most).broken == worst
    assert rules.time_for_all(1000, concurrency, 120) == 60 * minutes
    words = f"concurrency: {concurrency}, max_errors: {errors}"
    assert broken(command("rate_controlled", 1000, words), 1000) == worst
    good = command("rate_controlled", 1000, words, bad=False)
    assert good.time_to_deploy == 60 * minutes


@given(
    targets=st.integers(2, 60),
    concurrency=st.integers(1, 30),
    errors=st.integers(0, 10),
    ramp=st.booleans(),
)
@few
def test_the_engine_stops_where_the_rule_says(
    targets: int, concurrency: int, errors: int, ramp: bool
) -> None:
    """Every target fails: without a ramp exactly min(concurrency + accepted, all) are broken as it
    stops, with one never more; a good command takes as long as the rounds."""
    words = f"concurrency: {concurrency}, max_errors: {errors}"
    words += ", ramp: doubling" if ramp else ""
    good = command("rate_controlled", targets, words, bad=False)
    assert good.time_to_deploy == rules.time_for_all(targets, concurrency, 120, ramp)
    if errors >= targets:
        return
    hurt = broken(command("rate_controlled", targets, words), targets)
    worst = rules.worst(targets, concurrency, errors).broken
    assert hurt <= worst if ramp else hurt == worst


def test_groups_double_up_to_the_concurrency() -> None:
    assert rules.groups(50, 10) == (1, 2, 4, 8, 10, 10, 10, 5)
    assert rules.groups(3, 10) == (1, 2)
    assert sum(rules.groups(997, rules.RUN_COMMAND_CONCURRENCY)) == 997
    with pytest.raises(ValueError, match="at least 1"):
        rules.groups(5, 0)


@pytest.mark.parametrize(
    ("errors", "targets", "stops_at"), [(3, 50, 4), (0, 50, 1), (0.1, 50, 6), (0.1, 55, 6)]
)
def test_it_stops_when_errors_exceed_the_accepted(
    errors: float, targets: int, stops_at: int
) -> None:
    assert rules.worst(targets, 10, errors).errors == stops_at


@given(
    targets=st.integers(2, 80),
    concurrency=st.integers(1, 12),
    minutes=st.integers(3, 40),
    hours=st.integers(1, 5),
    part=st.floats(0, 0.9),
)
@few
def test_windows_take_what_the_rule_says(
    targets: int, concurrency: int, minutes: int, hours: int, part: float
) -> None:
    """Rounds begin while the window is open, the last one is finished, the rest waits: the engine
    needs that many windows, and in the last one as many rounds as are left."""
    cutoff = math.floor(part * hours * 3600)
    box = (hours * 3600.0, float(cutoff), minutes * 60.0, concurrency)
    each, needed = rules.patched_in_window(*box), rules.windows_needed(targets, *box)
    words = f"duration: {hours}h, cutoff: {cutoff}s, every: 1d, "
    words += f"concurrency: {concurrency}, run_time: {minutes}m"
    outcome = command("maintenance_window", targets, words, bad=False)
    rest = math.ceil((targets - (needed - 1) * each) / concurrency)
    assert outcome.time_to_deploy == (needed - 1) * 86_400 + rest * minutes * 60


def test_a_longer_run_goes_on_past_the_window() -> None:
    """One hour open, 100 minutes a target, two at a time: two are begun in each, and finished."""
    words = "duration: 1h, cutoff: 0h, every: 1d, concurrency: 2, run_time: 100m"
    assert rules.patched_in_window(3600, 0, 6000, 2) == 2
    outcome = command("maintenance_window", 4, words, bad=False)
    assert outcome.time_to_deploy == 86_400 + 6000


def test_a_faulty_patch_breaks_a_window_at_most() -> None:
    words = "concurrency: 3, run_time: 10m"
    outcome = command("maintenance_window", 20, words)
    assert outcome.caught_by == "health"
    assert broken(outcome, 20) == rules.worst(20, 3).broken
    assert outcome.ended < 3600 * 24  # going back waits for no window


@pytest.mark.parametrize(
    "words", ["duration: 30m", "cutoff: 4h", "duration: 5h, every: 4h", "duration: 25h, every: 9d"]
)
def test_windows_that_cannot_be(words: str) -> None:
    with pytest.raises(ScenarioError, match=r"duration|cutoff"):
        bare(strategy=f"maintenance_window: {{{words}}}")


def test_tasks_go_by_priority() -> None:
    assert rules.in_order({"b": 1, "a": 1, "c": 0, "d": 5}) == (("c",), ("a", "b"), ("d",))
    assert rules.APPROVED_AFTER == 7 * 86_400
