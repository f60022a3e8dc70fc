"""Elastic Beanstalk: capacity of each policy, what a failure leaves, and the order of times."""

from __future__ import annotations

import pytest

from simulator.platforms.beanstalk import rules
from simulator.play.fault import Fault
from simulator.words.problems import ScenarioError
from simulator.words.units import Portion
from tests.answers import oracles_platforms as platforms
from tests.platforms.watching import Moment, watched
from tests.play.playing import bare, play

POLICIES: tuple[rules.Policy, ...] = (
    "all_at_once",
    "rolling",
    "rolling_with_additional_batch",
    "immutable",
    "traffic_splitting",
)
START, INSTALL, DRAIN, EVALUATION = 240, 30, 20, 600


def environment(policy: str, words: str = "", size: int = 8, **more: str):  # type: ignore[no-untyped-def]
    """Instances that start in 240 s, install in 30 s and drain in 20 s."""
    service = f"startup: {START}s, install: {INSTALL}s, drain: {DRAIN}s"
    given = {"instances": size, "service": service, **more}
    return bare(strategy=f"beanstalk: {{policy: {policy}, {words}}}", **given)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("size", "each"), [(1, 1), (4, 2), (5, 2), (8, 3), (8, 8), (12, 1)])
def test_least_and_most_capacity(policy: rules.Policy, size: int, each: int) -> None:
    """0/n, (n - b)/n, n/(n + b), n/2n and n/2n: what the engine's fleet has in service."""
    exact = platforms.beanstalk_capacity(policy, size, each)
    assert rules.capacity(policy, size, each) == exact
    _, moments = watched(environment(policy, f"batch: {each}", size))
    serving = [moment.serving for moment in moments]
    assert (min(serving), max(serving)) == exact
    assert moments[-1][1:3] == (0, size)


@pytest.mark.parametrize(
    ("size", "share", "count"),
    [(10, "25%", 3), (10, "1%", 1), (4, "100%", 4), (3, 9, 3), (100, "29%", 29)],
)
def test_a_batch_in_per_cent_is_rounded_up(size: int, share: str | int, count: int) -> None:
    assert rules.batch(size, Portion.parse(share)) == count


def test_batches_and_updates_of_a_configuration() -> None:
    assert rules.batches(10, 3) == 4
    assert rules.batches(9, 3) == 3
    assert [rules.configuration_batch(least) for least in (1, 3, 4, 10)] == [1, 1, 2, 4]


def test_twelve_passed_checks_in_a_row() -> None:
    """A miss starts the count again: after eleven, 12 more are needed."""
    assert rules.healthy_after([True] * 12) == 12
    assert rules.healthy_after([True] * 11 + [False] + [True] * 12) == 24
    assert rules.healthy_after([True] * 11) is None
    assert rules.healthy_after([True] * 20, rules.WORKER_CHECKS) == 18


def crash(part: float) -> Fault:
    fault = Fault("crash")
    fault.crash = part
    return fault


def at(moments: list[Moment], time: float) -> Moment:
    """The fleet at a time (seconds)."""
    return max((m for m in moments if m.time <= time), key=lambda m: m.time)


def failing(policy: str) -> tuple[Moment, list[Moment], float]:
    """A version half of whose starts fail: the fleet when it is detected, and all of its course;
    and how long it took to decide (seconds)."""
    scenario = environment(
        policy,
        "batch: 2, health_wait: 10s",
        service="startup: 60s, install: 60s, drain: 20s, start_failure: {timeout: 3m}",
        response="decide: 10s, page: {acknowledge: 5m, decide: 10m}",
    )
    for seed in range(50):
        rollout, moments = watched(scenario, crash(0.5), seed)
        phases = {entry.time for entry in rollout.journal if entry.verb == "provision"}
        late = policy == "rolling" or len(phases) == 1
        if rollout.caught_by == "health" and 250 < rollout.detected_at < 700 and late:
            found = at(moments, rollout.detected_at)
            return found, moments, rollout.decided_at - rollout.detected_at
    raise AssertionError("no seed fails late")


def test_a_failed_rolling_deployment_leaves_a_mixed_fleet() -> None:
    """Finished batches are new, the rest old, the failed batch is away; until a person acts."""
    found, moments, delay = failing("rolling")
    assert found.new > 0
    assert found.old > 0
    assert found.serving < 8
    assert delay == 900
    assert moments[-1][1:3] == (8, 0)


def test_a_failed_immutable_deployment_leaves_none() -> None:
    """The first new instance never serves: the second group is terminated by itself."""
    found, moments, delay = failing("immutable")
    assert (found.old, found.new) == (8, 0)
    assert max(m.new for m in moments) == 0
    assert delay == 10
    assert moments[-1][1:] == (8, 0, 8)


def seconds(policy: str, each: int, wait: float) -> float:
    """How long a deployment to eight instances takes, played by the engine."""
    words = f"batch: {each}, health_wait: {wait}s, evaluation: {EVALUATION}s"
    (outcome,) = play(environment(policy, words), 1, bad=False)
    return outcome.time_to_finish


def by_hand(policy: str, each: int, wait: float) -> float:
    """The same added up: k batches of drain, installation and wait; s starts; the last drain."""
    times = (START, DRAIN, INSTALL)
    return platforms.beanstalk_seconds(policy, rules.batches(8, each), times, wait, EVALUATION)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("each", "wait"), [(8, 0), (4, 30), (3, 120), (1, 60)])
def test_times_add_up(policy: str, each: int, wait: float) -> None:
    assert seconds(policy, each, wait) == pytest.approx(by_hand(policy, each, wait))


def order(each: int, wait: float) -> list[str]:
    """The policies by the time they take."""
    return sorted(POLICIES, key=lambda policy: seconds(policy, each, wait))


def test_the_order_of_times_and_where_it_flips() -> None:
    """The guide's order, all at once, rolling, additional batch, immutable, traffic splitting,
    comes out for two batches and a short health wait. It flips with more batches, and with a
    longer wait: every further batch waits once more, a second group only twice."""
    wait = 30
    assert order(4, wait) == list(POLICIES)
    flips = [f"two batches, {wait} s of health wait: {' < '.join(POLICIES)}"]
    for policy in ("rolling_with_additional_batch", "rolling"):
        rounds = next(
            rules.batches(8, each)
            for each in (4, 3, 2, 1)
            if seconds(policy, each, wait) > seconds("immutable", each, wait)
        )
        flips.append(f"{policy} takes longer than immutable from {rounds} batches on")
    low, high = float(wait), 600.0
    while high - low > 0.5:
        middle = (low + high) / 2
        slower = seconds("rolling_with_additional_batch", 4, middle) > seconds(
            "immutable", 4, middle
        )
        low, high = (low, middle) if slower else (middle, high)
    flips.append(f"with two batches from a health wait of {high:.0f} s on")
    print(*flips, sep="\n")
    assert flips[1].endswith("from 4 batches on")
    assert flips[2].endswith("from 8 batches on")
    assert high == pytest.approx(START - 2 * (DRAIN + INSTALL), abs=1)


@pytest.mark.parametrize(
    "words", ["evaluation: 2m", "evaluation: 11h", "new_version: 0%", "command_timeout: 2h"]
)
def test_words_that_are_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        environment("traffic_splitting", words)


@pytest.mark.parametrize(
    ("policy", "timeout", "seconds", "delay"),
    [
        ("rolling", "", 20 + 840, 900),
        ("rolling", "command_timeout: 1m", 20 + 300, 900),
        ("all_at_once", "command_timeout: 1m", 300, 900),
        ("rolling_with_additional_batch", "command_timeout: 2m", 360, 900),
        ("immutable", "", 840, 10),
        ("traffic_splitting", "command_timeout: 1s", 241, 10),
    ],
)
def test_a_command_that_takes_too_long_fails(
    policy: str, timeout: str, seconds: float, delay: float
) -> None:
    """600 s when nothing else is said, and the 240 s that Beanstalk adds, after the drain: nothing
    starts within hours. A second group is terminated by itself, otherwise a person acts."""
    scenario = environment(
        policy,
        f"batch: 2, {timeout}",
        service="startup: 60s, install: 60s, drain: 20s, start_failure: {timeout: 5h}",
        response="decide: 10s, page: {acknowledge: 5m, decide: 10m}",
    )
    rollout, _ = watched(scenario, crash(1.0))
    assert (rollout.caught_by, rollout.detected_at) == ("command timeout", seconds)
    assert rollout.decided_at - rollout.detected_at == delay


def test_a_command_in_time_is_none_too_long() -> None:
    """Installed in 839 s, which is within 600 + 240."""
    words = "startup: 1s, drain: 0s, start_failure: {timeout: 5h}"
    for install, caught in ((839, ""), (841, "command timeout")):
        rollout, _ = watched(environment("rolling", "", service=f"{words}, install: {install}s"))
        assert rollout.caught_by == caught
