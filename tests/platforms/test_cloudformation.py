"""Stack updates: with and without signals, the guide's roundings, and alarms after the update."""

from __future__ import annotations

import math

import pytest

from simulator.platforms.cloudformation import rules
from simulator.play.fault import Fault
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from tests.answers import oracles_platforms as platforms
from tests.answers.comparing import noticed
from tests.platforms.watching import Moment, watched
from tests.play.playing import bare, play

EXAMPLE = "wait_on_signals: true, min_in_service: 1, pause: 12m5s"


def four(words: str = "", **more: str):  # type: ignore[no-untyped-def]
    """Four instances that need 240 s to start."""
    service = "startup: 240s, drain: 30s, start_failure: {timeout: 10h}"
    given = {"instances": 4, "service": service, **more}
    return bare(strategy=f"cloudformation_rolling: {{{words}}}", **given)


def least(moments: list[Moment]) -> int:
    return min(moment.serving for moment in moments)


def test_the_defaults_take_all_four_away_at_once() -> None:
    """Nothing is waited for: nobody serves for the 240 s that the new ones need."""
    rollout, moments = watched(four())
    assert least(moments) == 0
    (outcome,) = play(four(), 1, bad=False)
    assert outcome.outage == outcome.time_to_deploy == 240
    assert rollout.fleet.up == [0, 4]


def test_with_signals_three_of_the_four_stay() -> None:
    """The guide's example: one at a time, each waits for its signal."""
    rollout, moments = watched(four(EXAMPLE))
    assert least(moments) == 3
    assert rollout.script_end == 4 * 240


@pytest.mark.parametrize(
    ("words", "stay", "seconds"),
    [
        ("pause: 60s", 0, 3 * 60 + 240),  # all four are gone at 180 s, the first serves at 240 s
        ("pause: 80s", 1, 3 * 80 + 240),
        ("pause: 240s", 3, 4 * 240),
        ("max_batch: 2, wait_on_signals: true", 2, 2 * 240),
        ("max_batch: 2, wait_on_signals: true, min_in_service: 3", 3, 2 * 240),
        ("wait_on_signals: true, min_in_service: 4", 4, 4 * 240),
        ("min_in_service: 4", 0, 240),  # counts what was started, not what serves
    ],
)
def test_what_stays_in_service(words: str, stay: int, seconds: float) -> None:
    rollout, moments = watched(four(words))
    assert least(moments) == stay
    assert rollout.script_end == pytest.approx(seconds)
    assert rollout.fleet.up == [0, 4]


@pytest.mark.parametrize(
    ("size", "most", "kept", "batch"),
    [(4, 1, 0, (1, 1, 0)), (4, 1, 4, (1, 0, 1)), (5, 2, 4, (2, 1, 1)), (3, 9, 1, (3, 2, 1))],
)
def test_what_may_not_be_taken_away_is_added_before(
    size: int, most: int, kept: int, batch: tuple[int, int, int]
) -> None:
    assert rules.batch(size, most, kept) == batch


@pytest.mark.parametrize(
    ("size", "share", "needed"),
    [(5, 0.5, 3), (4, 1.0, 4), (10, 0.0, 0), (1000, 0.333, 333), (3, 0.01, 1)],
)
def test_signals_needed_are_rounded_up(size: int, share: float, needed: int) -> None:
    """5 at 50 % are 3."""
    assert rules.signals_needed(size, share) == needed


def test_a_creation_policy_counts_successes_in_time() -> None:
    assert rules.created([(10, True), (20, True)], 2, 300)
    assert not rules.created([(10, True), (301, True)], 2, 300)
    assert not rules.created([(10, True), (15, False), (20, True)], 2, 300)
    assert rules.created([(10, True), (20, False)], 1, 300)


def crash(part: float = 1.0) -> Fault:
    fault = Fault("crash")
    fault.crash = part
    return fault


def test_a_batch_that_does_not_signal_fails_the_update_and_rolls_back() -> None:
    """Five minutes when nothing else is said; one instance is missing, and comes back."""
    rollout, moments = watched(four("wait_on_signals: true, min_in_service: 1"), crash())
    assert (rollout.caught_by, rollout.detected_at) == ("missing signals", 300)
    assert rollout.decided_at == 300
    assert rollout.env.now == 300 + 240
    assert least(moments) == 3
    assert moments[-1][1:3] == (4, 0)


def test_without_signals_nobody_rolls_back_a_version_that_does_not_start() -> None:
    """The update is over at once; whoever is called finds that nothing serves any more."""
    scenario = four(
        detection="health: on",
        service="startup: 240s, start_failure: {timeout: 5m}",
        response="page: {acknowledge: 2m, decide: 3m}",
    )
    rollout, _ = watched(scenario, crash())
    assert (rollout.caught_by, rollout.detected_at) == ("health", 600)
    assert rollout.decided_at == 900
    assert rollout.counts.outage == 900 + 240  # and the way back is by the same policy


def test_some_may_be_silent() -> None:
    """Half of the starts never succeed in time. With half of four needed two may be silent: the
    update fails when three are, P(Bin(4, 1/2) >= 3) = 5/16."""
    scenario = four(
        "wait_on_signals: true, min_successful: 50%, max_batch: 4",
        service="startup: 240s, start_failure: {probability: 50%, timeout: 6m}",
        detection="health: none",
    )
    tries = 400
    found = sum(o.caught_by == "missing signals" for o in play(scenario, tries, bad=False))
    assert abs(found / tries - 5 / 16) < 4 * math.sqrt(5 / 16 * 11 / 16 / tries)


@pytest.mark.parametrize(("minutes", "share"), [(0, 0.0), (5, 0.341), (30, 0.918), (60, 0.993)])
def test_an_alarm_inside_the_monitoring_time(minutes: int, share: float) -> None:
    """The fault shows 12 min after the update on average: 1 - exp(-m/12)."""
    scenario = four(
        service="startup: 0s",
        detection="noticed: {after: {exponential: {mean: 12m}}}",
        response=f"watch: {minutes}m",
    )
    tries = 300
    found = sum(o.caught_at == "watch" for o in play(scenario, tries)) / tries
    assert share == pytest.approx(1 - math.exp(-minutes / 12), abs=1e-3)
    assert abs(found - share) <= 4 * math.sqrt(share * (1 - share) / tries) + 1e-9


def test_triggers_have_limits() -> None:
    assert rules.refuse_triggers(5, 180 * 60) == ""
    assert rules.refuse_triggers(6, 0) == (
        "6 rollback triggers: CloudFormation watches 5 alarms at most"
    )
    scenario = four(response="watch: 4h")
    assert rehearse(scenario, "cloudformation_rolling").reasons == (
        "monitoring for 240 min: it lasts from 0 to 180 minutes",
    )
    assert rehearse(four(response="watch: 3h"), "cloudformation_rolling").suitable


@pytest.mark.parametrize("words", ["max_batch: 101", "pause: 61m", "min_successful: 50%"])
def test_policies_that_are_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        four(words)


def replacing(words: str = "", **more: str):  # type: ignore[no-untyped-def]
    """Four instances that need 240 s to start, replaced by another group."""
    service = "startup: 240s, drain: 30s, cost: 1/h, start_failure: {timeout: 10h}"
    given = {"instances": 4, "service": service, **more}
    return bare(strategy=f"cloudformation_replacing: {{{words}}}", **given)


def test_a_new_group_beside_the_old_one() -> None:
    """Eight instances until all four have signalled; the old ones drain: 4 x (240 + 30) s."""
    rollout, moments = watched(replacing())
    assert (least(moments), max(m.held for m in moments)) == (4, 8)
    (outcome,) = play(replacing(), 1, bad=False)
    assert outcome.time_to_deploy == 240
    assert outcome.outage == 0
    assert outcome.extra_cost == pytest.approx(4 * 270 / 3600)
    assert rollout.fleet.up == [0, 4]


def test_without_a_creation_policy_the_old_group_goes_at_once() -> None:
    """Nobody waits: 240 s in which nobody serves."""
    (outcome,) = play(replacing("min_successful: 0%"), 1, bad=False)
    assert outcome.outage == outcome.time_to_deploy == 240


@pytest.mark.parametrize(("timeout", "seconds"), [("", 300), ("timeout: 20m", 1200)])
def test_a_group_that_does_not_signal_is_deleted(timeout: str, seconds: float) -> None:
    """It waits until its timeout and fails; the old group has served all along."""
    rollout, moments = watched(replacing(timeout, detection="health: none"), crash())
    assert (rollout.caught_by, rollout.detected_at) == ("missing signals", seconds)
    assert rollout.decided_at == seconds
    assert least(moments) == 4
    assert moments[-1][1:] == (4, 0, 4)


def test_signals_of_a_new_group_are_counted() -> None:
    """Four starts, each in time with one half; 75 % have to: fails with 1 - P(Bin(4, 1/2) >= 3) =
    11/16."""
    scenario = replacing(
        "min_successful: 75%",
        service="startup: 240s, start_failure: {probability: 50%, timeout: 6m}",
        detection="health: none",
    )
    exact, tries = 1 - platforms.binomial_at_least(4, 0.5, 3), 400
    assert exact == 11 / 16
    found = sum(o.caught_by == "missing signals" for o in play(scenario, tries, bad=False))
    assert abs(found / tries - exact) < 4 * math.sqrt(exact * (1 - exact) / tries)


@pytest.mark.parametrize(("after", "back"), [(100, 0), (4000, 240)])
def test_back_from_a_new_group(after: int, back: int) -> None:
    """While the old group serves beside it a new one is just deleted: seen 100 s after half of the
    starts; later the old one is built again."""
    scenario = replacing(
        "timeout: 1h",
        service="startup: {uniform: {low: 100s, high: 500s}}, drain: 0s"
        if not back
        else "startup: 240s, drain: 0s",
        **noticed(after),
    )
    (outcome,) = play(scenario, 1)
    assert outcome.rollback_90 == back


def test_a_creation_policy_waits_for_half_a_day_at_most() -> None:
    with pytest.raises(ScenarioError, match="12 hours"):
        replacing("timeout: 13h")
    assert (
        "monitoring for 240 min"
        in (rehearse(replacing("", response="watch: 4h"), "cloudformation_replacing").reasons[0])
    )
