"""Canaries of Argo Rollouts: pods over time as the rules say, weights, aborts, refusals."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.findings.trial import ALL, trials
from simulator.platforms.argo_rollouts import rules
from simulator.play.fault import Fault
from simulator.play.rehearsal import gates, rehearse
from simulator.words.limits import Fenceposts
from simulator.words.problems import ScenarioError
from tests.answers.comparing import noticed
from tests.platforms.watching import Moment, watched
from tests.play.playing import bare, play

START = 60.0


def canary(words: str, instances: int = 10, **more: str):  # type: ignore[no-untyped-def]
    given = {"service": "startup: 60s, drain: 30s, cost: 1/h", **more}
    return bare(instances=instances, strategy=f"argo_canary: {{{words}}}", **given)


def followed(
    replicas: int, weights: list[int], limits: Fenceposts, ready: float, pause: float
) -> list[tuple[float, int, int]]:
    """(time, old, new pods that serve) whenever that changes: passes of the controller, each pod
    starting for a minute and counting as available `ready` seconds later. Written from the rules,
    without the engine."""
    now, course = 0.0, [(0.0, replicas, 0)]
    new, old = [0, 0], [replicas, replicas]  # shall have, serving
    for weight in (*weights, 100):
        events: list[tuple[float, bool]] = []  # a start is over; or one pod is available
        unavailable = 0
        while True:
            while True:
                state = rules.Basic(
                    rules.Pods(new[0], new[1] - unavailable), rules.Pods(old[0], old[1])
                )
                wanted = rules.next_sizes(state, replicas, weight / 100, limits)
                if wanted == (new[0], old[0]):
                    break
                for _ in range(wanted.canary - new[0]):
                    heapq.heappush(events, (now + START, False))
                new[0] = wanted.canary
                old[0], old[1] = wanted.stable, min(old[1], wanted.stable)
            course.append((now, old[1], new[1]))
            if not events:
                break
            now, available = heapq.heappop(events)
            if available:
                unavailable -= 1
                continue
            new[1] += 1
            if ready:
                unavailable += 1
                heapq.heappush(events, (now + ready, True))
        now += pause if weight < 100 else 0.0
    return course


def changes(course: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """The state at the end of each moment, where it differs from the one before."""
    last = {round(time, 6): (old, new) for time, old, new in course}
    found: list[tuple[float, int, int]] = []
    for time, state in sorted(last.items()):
        if not found or found[-1][1:] != state:
            found.append((time, *state))
    return found


@given(
    replicas=st.integers(1, 14),
    weights=st.lists(st.integers(1, 99), max_size=3, unique=True).map(sorted),
    surge=st.integers(0, 4),
    unavailable=st.integers(0, 4),
    ready=st.sampled_from([0, 25]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_pods_over_time_are_what_the_rules_make_of_them(
    replicas: int, weights: list[int], surge: int, unavailable: int, ready: int
) -> None:
    """Every pod that comes into service or goes, at the second at which it does."""
    surge = surge or (not unavailable)
    limits = Fenceposts(surge, min(unavailable, replicas))
    steps = ", ".join(f"{{weight: {weight}%}}, {{pause: 100s}}" for weight in weights)
    words = f"max_surge: {surge:d}, max_unavailable: {unavailable}, min_ready: {ready}s"
    rollout, moments = watched(canary(f"steps: [{steps}], {words}", replicas))
    seen = [(m.time, m.old, m.new) for m in moments if m.time <= rollout.script_end]
    assert changes(seen) == changes(followed(replicas, weights, limits, ready, 100))
    for entry, weight in zip(
        [e for e in rollout.journal if e.verb == "shift"], [*weights, 100], strict=True
    ):
        at = [m for m in moments if m.time <= entry.time][-1]
        assert (at.new, at.old) == rules.wish(replicas, weight / 100, surge)


@pytest.mark.parametrize(
    ("instances", "percent", "share"),
    [(5, 20, 1 / 5), (10, 5, 1 / 11), (3, 50, 2 / 4), (1, 1, 1 / 2), (4, 25, 1 / 4)],
)
def test_the_traffic_follows_the_pods_and_not_the_weight(
    instances: int, percent: int, share: float
) -> None:
    """Noticed in the pause: exposed for as long as the canary serves, to its part of the pods."""
    words = noticed(500)
    scenario = canary(f"steps: [{{weight: {percent}%}}, {{pause: 1h}}]", instances, **words)
    (outcome,) = play(scenario, 1)
    assert outcome.exposure_when_caught == pytest.approx(share)
    assert outcome.caught_at == f"{100 * share:.3g}%"


def test_a_basic_canary_rolls_back_within_its_limits() -> None:
    """6 of 10 are new; with a surge of 1 and none missing 6 pods come back one after the other."""
    words = "steps: [{weight: 60%}, {pause: 1h}], max_surge: 1, max_unavailable: 0"
    scenario = canary(words, **noticed(0))
    rollout, moments = watched(scenario.with_("detection.noticed.after", "500s"), errors())
    back = [m for m in moments if m.time > rollout.decided_at]
    assert min(m.serving for m in back) == 10
    assert max(m.old + m.new for m in back) <= 11
    assert (back[-1].old, back[-1].new) == (10, 0)
    assert rollout.env.now - rollout.decided_at == 6 * START


def errors() -> Fault:
    fault = Fault("errors")
    fault.fail = 0.2
    return fault


ROUTED = "traffic_routing: true, steps: [{weight: 25%}, {pause: 5m}, {weight: 50%}, {pause: 5m}]"


def at_shifts(moments: list[Moment], rollout) -> list[tuple[float, int, int]]:  # type: ignore[no-untyped-def]
    """(weight, old, new pods) just after each weight is in force."""
    found = []
    for entry in rollout.journal:
        if entry.verb == "shift":
            at = [m for m in moments if m.time <= entry.time][-1]
            found.append((entry.detail, at.old, at.new))
    return found


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ("", [(0.25, 10, 3), (0.5, 10, 5), (1, 10, 10)]),
        ("min_pods: 4", [(0.25, 10, 4), (0.5, 10, 5), (1, 10, 10)]),
        ("dynamic_stable_scale: true", [(0.25, 8, 3), (0.5, 5, 5), (1, 0, 10)]),
    ],
)
def test_with_traffic_routing_pods_follow_the_weight(
    words: str, counts: list[tuple[float, int, int]]
) -> None:
    rollout, moments = watched(canary(f"{ROUTED}, {words}"))
    assert at_shifts(moments, rollout) == counts


def test_a_canary_scale_stays_in_force_until_it_matches_again() -> None:
    steps = (
        "{canary_scale: 6}, {weight: 20%}, {pause: 5m}, {weight: 40%}, {pause: 5m}, "
        "{match_weight: true}, {pause: 5m}, {canary_scale: 10%}, {weight: 90%}, {pause: 5m}"
    )
    rollout, moments = watched(canary(f"traffic_routing: true, steps: [{steps}]"))
    counts = at_shifts(moments, rollout)
    assert [(weight, new) for weight, _, new in counts] == [
        (0, 6), (0.2, 6), (0.4, 6), (0.4, 4), (0.4, 1), (0.9, 1), (1, 10),
    ]  # fmt: skip


def test_the_time_to_deploy_is_starts_and_pauses() -> None:
    """Three starts, two pauses; then the old pods stay 30 s and drain 30 s, beside a full fleet."""
    rollout, moments = watched(canary(ROUTED))
    assert rollout.full_at == 3 * START + 2 * 300
    assert rollout.script_end == rollout.full_at + 30 + 30
    assert max(m.held for m in moments) == 20
    with_delay, _ = watched(canary(f"{ROUTED}, scale_down_delay: 10m"))
    assert with_delay.script_end == rollout.full_at + 600 + 30


@pytest.mark.parametrize(("delay", "stays"), [("", 30), ("abort_scale_down_delay: 4m", 240)])
def test_an_abort_takes_the_traffic_at_once_and_the_pods_later(delay: str, stays: float) -> None:
    scenario = canary(f"{ROUTED}, {delay}", **noticed(400))
    rollout, moments = watched(scenario, errors())
    decided = rollout.decided_at
    assert rollout.restored_at == decided
    assert [m.new for m in moments if m.time == decided] == [5]
    gone = next(m.time for m in moments if m.time > decided and m.new == 0)
    assert gone == decided + stays
    assert moments[-1].held == 10


def test_an_abort_without_delay_leaves_the_pods_for_good() -> None:
    scenario = canary(f"{ROUTED}, abort_scale_down_delay: 0s", **noticed(400))
    _, moments = watched(scenario, errors())
    assert moments[-1][1:] == (10, 5, 15)


def test_with_dynamic_stable_scale_traffic_goes_back_as_stable_pods_come() -> None:
    """At 75 % five of ten old pods are gone too many: back to 50 %, 25 % and 0, a start each."""
    steps = ", ".join(f"{{weight: {w}%}}, {{pause: 10m}}" for w in (25, 50, 75))
    words = f"traffic_routing: true, dynamic_stable_scale: true, steps: [{steps}]"
    rollout, _ = watched(canary(words, **noticed(1500)), errors())
    back = [
        (e.time - rollout.decided_at, e.detail) for e in rollout.journal if e.verb == "step back"
    ]
    assert back == [(60, 0.5), (120, 0.25)]
    assert rollout.restored_at - rollout.decided_at == 180
    plain, _ = watched(
        canary(words.replace("dynamic_stable_scale: true, ", ""), **noticed(1500)), errors()
    )
    assert plain.restored_at == plain.decided_at


def test_a_stuck_canary_says_so_and_aborts_only_if_told_to() -> None:
    """Pods that never start: the deadline runs out, and then a person is called, or it aborts."""
    fault = Fault("crash")
    fault.crash = 1.0
    words = {
        "detection": "health: none",
        "response": "overdue: 9h, page: {acknowledge: 5m, decide: 10m}, decide: 10s",
    }
    for routing in ("false", "true"):
        for abort, delay in (("false", 900), ("true", 10)):
            said = f"traffic_routing: {routing}, progress_abort: {abort}, steps: [{{weight: 20%}}]"
            rollout, moments = watched(canary(said, **words), fault)
            assert (rollout.caught_by, rollout.detected_at) == ("progress deadline", 600)
            assert rollout.decided_at - rollout.detected_at == delay
            assert moments[-1][1:] == (10, 0, 10)


def test_an_approval_takes_a_person() -> None:
    steps = "steps: [{weight: 20%}, {approve: 40m}]"
    rollout, _ = watched(canary(steps))
    course = followed(10, [20], Fenceposts(3, 2), 0, 2400)
    assert rollout.script_end == course[-1][0]


@pytest.mark.parametrize(
    "words",
    [
        "max_surge: 0, max_unavailable: 0",
        "steps: [{weight: 101%}]",
        "steps: [{pause: 0s}]",
        "steps: [{}]",
        "steps: [{weight: 5%, pause: 1m}]",
        "steps: [{canary_scale: 3}]",
        "scale_down_delay: 1m",
        "dynamic_stable_scale: true",
        "traffic_routing: true, dynamic_stable_scale: true, scale_down_delay: 1m",
        "min_ready: 20m",
        "analysis: [{above: 1%, count: 3}]",
        "analysis: [{above: 1%, interval: 1m, count: 3, failure_limit: 4}]",
    ],
)
def test_what_is_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        canary(words)


def test_an_analysis_step_that_nothing_ends_is_unsuitable() -> None:
    scenario = canary("steps: [{weight: 20%}, {analysis: [{above: 1%, interval: 1m}]}]")
    assert rehearse(scenario, "argo_canary").reasons == (
        "step 2 never ends: its analysis has an interval and no count",
    )
    (outcome,) = play(scenario.with_("response.overdue", "20m"), 1, bad=False)
    assert outcome.outcome == "stuck"


def test_only_its_own_analysis_aborts_by_itself() -> None:
    """An alarm calls a person, who takes a quarter of an hour; what the analysis found does not."""
    more = {
        "detection": "alarms: [{above: 5%, phase: aligned}]",
        "response": "decide: 0s, page: {acknowledge: 5m, decide: 10m}",
    }
    steps = "traffic_routing: true, steps: [{weight: 20%}, {pause: 2h}]"
    rollout, _ = watched(canary(steps, **more), errors())
    assert (rollout.caught_by, rollout.decided_at - rollout.detected_at) == ("alarm", 900)
    analysis = "starting_step: 1, analysis: [{above: 5%, interval: 1m, name: rates, delay: 0s}]"
    rollout, _ = watched(canary(f"{steps}, {analysis}", **more), errors())
    assert (rollout.caught_by, rollout.decided_at - rollout.detected_at) == ("rates", 0)


def test_a_person_who_is_waited_for_is_a_gate() -> None:
    """The only time in which anybody looks at 20 %: its requests at the median wait."""
    steps = (
        "traffic_routing: true, steps: [{weight: 20%}, {approve: 10m}, {weight: 50%}, {pause: 5m}]"
    )
    found = gates(canary(steps), "argo_canary")
    assert [(g.phase, g.duration, round(g.requests)) for g in found[:2]] == [
        ("20%", 600, 120_000),
        ("50%", 300, 150_000),
    ]
    basic = gates(canary("steps: [{weight: 5%}, {pause: 10m}, {approve: 9m}]"), "argo_canary")
    assert [(g.phase, round(g.requests)) for g in basic[:1]] == [("9.09%", 54_545)]
    assert basic[1].phase == "watch"


def test_gates_show_what_the_detectors_see() -> None:
    """A step of a canary says no bake and no judge: its gate has those of everybody else."""
    words = "steps: [{canary_scale: 4}, {weight: 20%}, {pause: 10m}], traffic_routing: true"
    scenario = canary(words, detection="alarms: [{watch: new, above: 2%}]")
    (gate, *_) = gates(scenario, "argo_canary")
    assert [trial.detector for trial in trials(scenario, "argo_canary", gate)][-1] == ALL
