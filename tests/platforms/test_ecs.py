"""ECS services: the guide's worked cases, stuck deployments, the circuit breaker, the shifts."""

from __future__ import annotations

import math

import pytest

from simulator.platforms.ecs import rules
from simulator.play.fault import Fault
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from simulator.words.units import Portion
from tests.answers import oracles_platforms as platforms
from tests.answers.comparing import noticed
from tests.platforms.watching import watched
from tests.play.playing import bare, play


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "bounds"),
    [
        (4, 0.5, 2.0, (2, 8)),  # the guide: 50 % of 4 are 2
        (2, 0.75, 2.0, (2, 4)),  # 75 % of 2 are 1.5, rounded up
        (3, 1.0, 1.25, (3, 3)),  # the guide: stuck
        (3, 0.66, 1.25, (2, 3)),
        (4, 1.0, 2.0, (4, 8)),
        (100, 0.29, 1.29, (29, 129)),  # 0.29 x 100 is not 29 in floating point
    ],
)
def test_the_lower_limit_is_rounded_up_and_the_upper_one_down(
    desired: int, minimum: float, maximum: float, bounds: tuple[int, int]
) -> None:
    assert rules.limits(desired, minimum, maximum) == bounds


def test_nothing_startable_and_nothing_stoppable_is_stuck() -> None:
    for words, startable, stoppable in (
        ((1.0, 1.25), 0, 0),
        ((1.0, 2.0), 3, 0),
        ((0.66, 1.25), 0, 1),
    ):
        bounds = rules.limits(3, *words)
        assert rules.startable(bounds, 3) == startable
        assert rules.stoppable(bounds, 3) == stoppable
        assert rules.stuck(3, bounds) == (startable == stoppable == 0)


def three(words: str, **more: str):  # type: ignore[no-untyped-def]
    given = {"service": "startup: 60s, drain: 30s, cost: 1/h", **more}
    return bare(instances=3, strategy=f"ecs_rolling: {{{words}}}", **given)


def test_three_tasks_at_100_and_125_percent_never_begin() -> None:
    """Nothing starts or stops until somebody looks; and a rehearsal says it in numbers."""
    scenario = three(
        "maximum: 125%",
        detection="health: none",
        response="overdue: 20m, page: {acknowledge: 2m, decide: 3m}",
    )
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.outcome == "stuck"
    assert outcome.caught_by == "operator"
    assert outcome.time_to_finish == 25 * 60
    assert outcome.peak_instances == 3
    assert outcome.failed_requests == 0
    assert rehearse(scenario, "ecs_rolling").reasons == (
        "stuck: of 3 tasks 3 have to run and 3 may, so that none can start and none can stop",
    )


def test_with_room_for_three_more_they_are_replaced_at_once() -> None:
    _, moments = watched(three("maximum: 200%"))
    assert min(m.serving for m in moments) == 3
    assert max(m.held for m in moments) == 6


def test_with_66_percent_there_are_two_for_a_while() -> None:
    """One at a time, 60 s each: 2 serve until all three are new."""
    rollout, moments = watched(three("minimum_healthy: 66%, maximum: 125%"))
    assert min(m.serving for m in moments) == 2
    assert rollout.script_end == 180


def test_four_tasks_at_75_and_125_percent_are_a_deployment_of_25_and_25_percent() -> None:
    """ECS and Kubernetes work out the same limits here, one above and one below: with the same
    starts the same course."""
    words = {"instances": 4, "service": "startup: {exponential: {mean: 60s}}, drain: 30s"}
    ecs = "ecs_rolling: {minimum_healthy: 75%, maximum: 125%}"
    one = watched(bare(strategy=ecs, **words), seed=5)[1]
    two = watched(bare(strategy="kubernetes_rolling: {}", **words), seed=5)[1]
    assert one == two


@pytest.mark.parametrize(
    ("desired", "threshold", "failures"),
    [
        (1, "50%", 3),  # the guide of 2023 says at least 10
        (25, "50%", 13),
        (400, "50%", 200),
        (800, "50%", 200),
        (40, "10%", 4),
        (40, "7", 7),
        (40, "1", 1),
    ],
)
def test_failures_that_break_the_circuit(desired: int, threshold: str, failures: int) -> None:
    assert rules.failures(desired, Portion.parse(threshold)) == failures


def crash() -> Fault:
    fault = Fault("crash")
    fault.crash = 1.0
    return fault


def breaking(words: str, instances: int = 6):  # type: ignore[no-untyped-def]
    return bare(
        instances=instances,
        service="startup: 30s, start_failure: {timeout: 2m}",
        response="page: {acknowledge: 5m, decide: 10m}, decide: 10s",
        strategy=f"ecs_rolling: {{circuit_breaker: true, {words}}}",
    )


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("", 120),  # six start at once, three failures are enough: the first round
        ("maximum: 117%", 360),  # one at a time: the third round
        ("failure_threshold: 7", 240),  # six fail in the first round
        ("failure_threshold: 100%, maximum: 150%", 240),  # three at a time, six are too many
    ],
)
def test_failed_tasks_are_counted_over_all_that_start(words: str, seconds: float) -> None:
    """The breaker alone judges them: a task that fails twice is not yet anything."""
    rollout, moments = watched(breaking(words), crash())
    assert rollout.caught_by == "circuit breaker"
    assert rollout.detected_at == seconds
    assert moments[-1][1:] == (6, 0, 6)


@pytest.mark.parametrize(("words", "delay"), [("", 900), ("rollback: true", 10)])
def test_only_with_rollback_the_breaker_rolls_back_by_itself(words: str, delay: float) -> None:
    """Otherwise the deployment has failed: nothing further starts, and a person has to act."""
    rollout, _ = watched(breaking(words), crash())
    assert rollout.decided_at - rollout.detected_at == delay


def test_without_a_breaker_a_person_finds_out() -> None:
    """Tasks are started again for ever; what a machine sees of it rolls nothing back."""
    scenario = breaking("").with_("strategies.ecs_rolling", "{kind: ecs_rolling}")
    rollout, _ = watched(scenario, crash())
    assert (rollout.caught_by, rollout.detected_at) == ("health", 240)
    assert rollout.decided_at == 240 + 900


@pytest.mark.parametrize("reset", ["true", "false"])
def test_a_healthy_task_resets_the_count(reset: str) -> None:
    """Four tasks one after the other, each try fails with one half, three failures are too many.
    With resets a task has to fail three times in a row, 1 - (7/8)^4; without them three failures
    before the fourth success are enough, 1 - (1 + 4/2 + 10/4)/16."""
    scenario = breaking(f"maximum: 125%, reset_on_healthy: {reset}", 4)
    scenario = scenario.with_("service.start_failure.probability", "50%")
    exact = platforms.circuit_broken(4, 3, 0.5, reset == "true")
    assert exact == pytest.approx(1 - (7 / 8) ** 4 if reset == "true" else 1 - 5.5 / 16)
    tries = 400
    found = sum(o.outcome == "false_alarm" for o in play(scenario, tries, bad=False)) / tries
    assert abs(found - exact) < 4 * math.sqrt(exact * (1 - exact) / tries)


@pytest.mark.parametrize(
    ("strategy", "seconds"),
    [
        ("ecs_blue_green: {bake: 15m}", 60 + 900),
        ("ecs_linear: {}", 60 + 9 * 360),  # no bake after 100 %
        ("ecs_linear: {step: 40%, step_bake: 1m}", 60 + 2 * 60),
        ("ecs_canary: {}", 60 + 600),
    ],
)
def test_shifts_take_their_bakes_beside_a_full_fleet(strategy: str, seconds: float) -> None:
    words = {"service": "startup: 60s, cost: 1/h"}
    (outcome,) = play(bare(strategy=strategy, **words), 1, bad=False)
    assert outcome.time_to_deploy == pytest.approx(seconds)
    assert outcome.peak_instances == 20
    assert outcome.extra_cost == pytest.approx(10 * seconds / 3600)


def test_a_linear_shift_exposes_what_its_steps_sum_to() -> None:
    """Noticed in the third step, 6 min each: 10 % x 360 + 20 % x 360 + 30 % x 100 s."""
    (outcome,) = play(bare(strategy="ecs_linear: {}", **noticed(820)), 1)
    assert outcome.exposure_time == pytest.approx(36 + 72 + 30)


@pytest.mark.parametrize(
    "words",
    [
        "ecs_rolling: {maximum: 90%}",
        "ecs_rolling: {maximum: 2}",
        "ecs_rolling: {rollback: true}",
        "ecs_linear: {step: 2%}",
        "ecs_canary: {canary: 0.05%}",
        "ecs_blue_green: {bake: 25h}",
    ],
)
def test_what_ecs_refuses_is_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        bare(strategy=words)
