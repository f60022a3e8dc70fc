"""Blue/greens of Argo Rollouts: preview pods, promotion, analyses around the switch, aborts."""

from __future__ import annotations

import pytest

from simulator.play.fault import Fault
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from tests.answers.comparing import noticed
from tests.platforms.watching import watched
from tests.play.playing import bare, play


def blue_green(words: str, **more: str):  # type: ignore[no-untyped-def]
    given = {"service": "startup: 60s, drain: 30s, cost: 1/h", "response": "decide: 0s", **more}
    return bare(strategy=f"argo_blue_green: {{{words}}}", **given)


def failing() -> Fault:
    fault = Fault("errors")
    fault.fail = 0.2
    return fault


@pytest.mark.parametrize(
    ("words", "switch", "end"),
    [
        ("", 60, 60 + 30 + 30),
        ("scale_down_delay: 5m", 60, 60 + 300 + 30),
        ("preview_replicas: 2", 120, 120 + 60),  # the other eight start before the switch
        ("auto_promotion_after: 4m", 300, 300 + 60),
        ("auto_promotion: false, approve: 20m", 1260, 1260 + 60),
        ("auto_promotion: false, approve: 20m, auto_promotion_after: 4m", 1260, 1260 + 60),
        ("min_ready: 45s", 105, 105 + 60),
        ("preview_replicas: 2, min_ready: 45s", 210, 210 + 60),
        ("post_promotion_analysis: [{above: 90%, interval: 1m, count: 4}]", 60, 60 + 180 + 30 + 40),
        ("post_promotion_analysis: [{above: 90%, watch: service}]", 60, 60 + 30 + 30),
        ("scale_down_delay: 1m, post_promotion_analysis: [{above: 90%, interval: 1m}]", 60, 150),
    ],
)
def test_when_traffic_switches_and_when_the_old_pods_are_gone(
    words: str, switch: float, end: float
) -> None:
    """A start is a minute, old pods stay 30 s and drain 30 s; a measurement right after the switch
    has a value only when it sees requests, 40 s later."""
    rollout, moments = watched(blue_green(words))
    assert rollout.full_at == switch
    assert rollout.script_end == end
    assert max(m.held for m in moments) == 20


def test_fewer_preview_pods_are_paid_for_until_the_promotion() -> None:
    scenario = blue_green("preview_replicas: 2, auto_promotion: false, approve: 1h")
    _, moments = watched(scenario)
    assert [m.held for m in moments if m.time == 60] == [12]
    (outcome,) = play(scenario, 1, bad=False)
    both = 60 * 2 + 3600 * 2 + 60 * 10 + 60 * 10  # pods x seconds above ten
    assert outcome.extra_cost == pytest.approx(both / 3600)


def test_a_failed_analysis_after_the_switch_switches_back() -> None:
    """The first measurement that sees requests is made 40 s after the switch; old pods are there,
    so everybody is back at once, and new pods stay 30 s."""
    analysis = "[{above: 5%, interval: 1m, count: 5}]"
    rollout, moments = watched(blue_green(f"post_promotion_analysis: {analysis}"), failing())
    assert (rollout.caught_by, rollout.detected_at) == ("analysis", 100)
    assert rollout.restored_at == rollout.decided_at
    assert next(m.time for m in moments if m.time > 100 and not m.new) == rollout.decided_at + 30


def test_a_delay_that_is_shorter_than_the_analysis_ends_it() -> None:
    """What it would have found a minute later nobody measures any more."""
    analysis = "[{above: 5%, interval: 1m, initial_delay: 3m}]"
    words = f"post_promotion_analysis: {analysis}"
    longer = blue_green(f"{words}, scale_down_delay: 5m")
    assert watched(longer, failing())[0].detected_at == 60 + 180
    shorter = blue_green(f"{words}, scale_down_delay: 2m")
    assert watched(shorter, failing())[0].caught_by == ""


def test_an_analysis_before_the_switch_has_nothing_to_see() -> None:
    """New pods behind the preview service get nobody's requests: five tries, then an abort."""
    analysis = "pre_promotion_analysis: [{above: 5%}]"
    rollout, _ = watched(blue_green(analysis))
    assert (rollout.caught_by, rollout.detected_at) == ("analysis without data", 60 + 40)
    assert rollout.caught_at == "start"


@pytest.mark.parametrize(("delay", "stays"), [("", 30), ("abort_scale_down_delay: 4m", 240)])
def test_an_abort_before_the_switch_lets_the_new_pods_go(delay: str, stays: float) -> None:
    words = f"auto_promotion: false, approve: 1h, {delay}"
    rollout, moments = watched(
        blue_green(words), then=lambda one: one.at(600, lambda: one.abort("test"), urgent=True)
    )
    assert next(m.time for m in moments if m.time > 600 and not m.new) == 600 + stays
    assert moments[-1][1:] == (10, 0, 10)
    assert rollout.weight() == 0


def test_going_back_after_the_old_pods_are_gone_takes_a_start() -> None:
    (outcome,) = play(blue_green("", **noticed(3600)), 1)
    assert outcome.rollback_time == pytest.approx(60)
    (kept,) = play(blue_green("scale_down_delay: 2h", **noticed(3600)), 1)
    assert kept.rollback_time == 0


def test_an_analysis_that_nothing_ends_is_unsuitable() -> None:
    for when in ("pre", "post"):
        scenario = blue_green(f"{when}_promotion_analysis: [{{above: 1%, interval: 1m}}]")
        assert rehearse(scenario, "argo_blue_green").reasons == (
            "never ends: an analysis has an interval and no count",
        )


@pytest.mark.parametrize("words", ["min_ready: 20m", "preview_replicas: 0", "approve: none"])
def test_what_is_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        blue_green(words)
