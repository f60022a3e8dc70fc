"""CodeDeploy: minimum healthy hosts as documented, zones, and the published shifts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.codedeploy import rules
from simulator.play.fault import Fault
from simulator.play.luck import Luck, Purpose
from simulator.play.rehearsal import rehearse
from simulator.words.problems import ScenarioError
from simulator.words.units import Portion
from tests.platforms.watching import watched
from tests.play.playing import bare, play


@pytest.mark.parametrize(
    ("size", "healthy", "least", "at_once"),
    [
        (9, "40%", 4, 5),  # the guide: 4 must succeed, 5 at once
        (9, 6, 6, 3),
        (10, "85%", 9, 1),
        (100, "29%", 29, 71),  # 0.29 x 100 is not 29 in floating point
        (9, 0, 0, 9),
    ],
)
def test_a_share_of_healthy_hosts_is_rounded_up(
    size: int, healthy: str | int, least: int, at_once: int
) -> None:
    assert rules.minimum(size, Portion.parse(healthy)) == least
    _, moments = watched(hosts(f"minimum_healthy: {healthy}", size))
    assert min(m.serving for m in moments) == size - at_once


@pytest.mark.parametrize(
    ("config", "size", "at_once"),
    [
        ("HalfAtATime", 9, 4),  # the guide: 4 at a time, 5 must succeed
        ("HalfAtATime", 10, 5),
        ("OneAtATime", 9, 1),
        ("AllAtOnce", 9, 9),
        ("HalfAtATime", 1, 1),
    ],
)
def test_published_configurations(config: str, size: int, at_once: int) -> None:
    assert size - rules.minimum_of(config, size) == at_once
    _, moments = watched(hosts(f"config: CodeDeployDefault.{config}", size))
    assert min(m.serving for m in moments) == size - at_once


@pytest.mark.parametrize(
    ("config", "results", "verdict"),
    [
        ("OneAtATime", "++++-", (True, 5, 1)),  # the last one may fail
        ("OneAtATime", "+++-+", (False, 4, 1)),
        ("OneAtATime", "-", (False, 1, 1)),  # with one host it has to succeed
        ("HalfAtATime", "----+++++", (False, 4, 4)),
        ("HalfAtATime", "---++++++", (True, 9, 3)),
        ("HalfAtATime", "+++++----", (True, 9, 4)),  # five have succeeded
        ("AllAtOnce", "----+", (True, 5, 4)),
        ("AllAtOnce", "-----", (False, 5, 5)),
    ],
)
def test_when_a_deployment_has_failed(
    config: str, results: str, verdict: tuple[bool, int, int]
) -> None:
    least = rules.minimum_of(config, len(results))
    assert rules.deploy([r == "+" for r in results], least) == verdict


def test_one_failure_of_ten_fails_85_percent() -> None:
    least = rules.minimum(10, Portion.parse("85%"))
    assert rules.deploy([False] + [True] * 9, least) == (False, 1, 1)
    assert rules.deploy([True] * 10, 10) == (False, 0, 0)  # fails at once


def hosts(words: str, size: int = 9, **more: str):  # type: ignore[no-untyped-def]
    """Hosts that take 30 s to drain and 60 s to install."""
    given = {"service": "install: 60s, drain: 30s, cost: 1/h", **more}
    return bare(instances=size, strategy=f"codedeploy: {{{words}}}", **given)


def crash(part: float) -> Fault:
    fault = Fault("crash")
    fault.crash = part
    return fault


@given(
    size=st.integers(1, 12),
    kept=st.integers(0, 11),
    part=st.sampled_from([0.1, 0.3, 0.7, 1.0]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_engine_comes_to_the_same_verdict(size: int, kept: int, part: float, seed: int) -> None:
    """All installations take as long; host by host the same ones fail, and never more are away than
    may be."""
    if kept >= size:
        return
    luck = Luck(seed)
    results = [luck.uniform(Purpose.TARGET_FAILS, k) >= part for k in range(size)]
    verdict = rules.deploy(results, kept)
    rollout, moments = watched(hosts(f"minimum_healthy: {kept}", size), crash(part), seed)
    assert (rollout.caught_by == "") == verdict.success
    assert rollout.ended_hosts == verdict.tried
    assert rollout.failed_hosts == verdict.failed
    assert min(m.serving for m in moments) >= kept


@pytest.mark.parametrize(("words", "delay"), [("", 900), ("rollback: true", 10)])
def test_a_failed_deployment_rolls_back_only_where_asked(words: str, delay: float) -> None:
    """The first of nine fails after 90 s; coming back takes its installation, 60 s."""
    scenario = hosts(words, response="decide: 10s, page: {acknowledge: 5m, decide: 10m}")
    rollout, moments = watched(scenario, crash(1.0))
    assert (rollout.caught_by, rollout.detected_at) == ("minimum healthy hosts", 90)
    assert rollout.decided_at == 90 + delay
    assert rollout.env.now == 90 + delay + 60
    assert moments[-1][1:] == (9, 0, 9)


def test_a_host_that_was_accepted_as_failed_is_repaired() -> None:
    """The last one of three fails (its luck is the third): the deployment has succeeded."""
    seed = next(s for s in range(99) if _fails(s) == [False, False, True])
    rollout, moments = watched(hosts("", 3), crash(0.5), seed)
    assert rollout.failed_hosts == 1
    assert not rollout.caught_by
    assert moments[-1][1:3] == (0, 3)


def _fails(seed: int) -> list[bool]:
    luck = Luck(seed)
    return [luck.uniform(Purpose.TARGET_FAILS, k) < 0.5 for k in range(3)]


def test_zones_are_taken_one_after_the_other() -> None:
    """Nine hosts in three zones, two of each stay: three times three installations of 90 s, one
    wait of ten minutes after the first zone and one of five after the second."""
    assert rules.zones(9, 3) == (3, 3, 3)
    assert rules.zones(10, 4) == (3, 3, 2, 2)
    words = "config: AllAtOnce, zonal: true, zone_minimum: 66%, monitor: 5m, first_monitor: 10m"
    scenario = hosts(words, service="install: 60s, drain: 30s, zones: 3")
    rollout, moments = watched(scenario)
    assert rollout.script_end == 9 * 90 + 600 + 300
    assert min(m.serving for m in moments) == 8


@pytest.mark.parametrize(
    ("config", "seconds", "steps"),
    [
        ("ECSLinear10PercentEvery1Minutes", 9 * 60, 10),
        ("ECSLinear10PercentEvery3Minutes", 27 * 60, 10),
        ("ECSCanary10Percent5Minutes", 300, 2),
        ("ECSCanary10Percent15Minutes", 900, 2),
        ("ECSAllAtOnce", 0, 1),
        ("LambdaCanary10Percent30Minutes", 1800, 2),
        ("LambdaLinear10PercentEvery1Minute", 9 * 60, 10),
        ("LambdaLinear10PercentEvery10Minutes", 90 * 60, 10),
        ("LambdaAllAtOnce", 0, 1),
    ],
)
def test_published_shifts(config: str, seconds: float, steps: int) -> None:
    """The first step comes at once; the last one after so many seconds."""
    found = rules.shifts(config)
    assert sum(shift.wait for shift in found) == seconds
    assert len(found) == steps
    assert found[-1].weight == 1
    scenario = hosts(f"config: {config}", service="startup: 60s")
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == pytest.approx(60 + seconds)


def test_every_published_shift_is_read() -> None:
    for config in rules.SHIFTS:
        percent = 100 if "AllAtOnce" in config else 10
        assert rules.shifts(config)[0].weight == percent / 100


def test_ten_percent_each_minute_sums_to_four_and_a_half_minutes() -> None:
    """Exposed share-minutes are the steps' sum, 0.1 + 0.2 + ... + 0.9, up to the last step."""
    scenario = hosts(
        "config: LambdaLinear10PercentEvery1Minute",
        detection="noticed: {after: 9m}",
        service="startup: 0s",
    )
    (outcome,) = play(scenario, 1)
    assert outcome.exposure_time == pytest.approx(4.5 * 60)


def test_configurations_that_cannot_work_say_why() -> None:
    def reasons(words: str, **more: str) -> tuple[str, ...]:
        return rehearse(hosts(words, **more), "codedeploy").reasons

    assert reasons("minimum_healthy: 9") == (
        "needs 9 healthy hosts of 9: fails at once, no host may be taken",
    )
    assert reasons("zonal: true") == ("zonal needs to know the zones: write service.zones, e.g. 3",)
    words = "zonal: true, zone_minimum: 3"
    assert reasons(words, service="zones: 3") == (
        "needs 3 healthy hosts of 3 in a zone: none may be taken",
    )


@pytest.mark.parametrize(
    "words",
    [
        "config: HalfAtTime",
        "config: HalfAtATime, minimum_healthy: 3",
        "minimum_healthy: 100%",
        "config: ECSAllAtOnce, zonal: true",
    ],
)
def test_words_that_are_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        hosts(words)
