"""A Deployment: its arithmetic, and the engine's window that has to follow it pod by pod."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.kubernetes import rules
from simulator.platforms.kubernetes.rules import Deployment, ReplicaSet
from simulator.play.fault import Fault
from simulator.play.luck import Luck, Purpose
from simulator.words.limits import Fenceposts, fenceposts
from simulator.words.problems import ScenarioError
from simulator.words.units import Portion
from tests.platforms.watching import watched
from tests.play.playing import bare, play

NUMBERS = st.integers(0, 12)
few = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("desired", "surge", "unavailable", "posts"),
    [
        (10, "25%", "25%", (3, 2)),
        (4, "25%", "25%", (1, 1)),
        (1, "25%", "25%", (1, 0)),
        (2, "0%", "1%", (0, 1)),  # both come to 0: one may be missing
        (2, "0%", "0%", (0, 1)),
        (0, "25%", "25%", (0, 0)),
        (3, "0%", "100%", (0, 3)),
        (3, 0, 5, (0, 3)),  # capped to all there are
        (100, "29%", "29%", (29, 29)),  # 0.29 x 100 is 28.999... in floating point
        (10, 5, 0, (5, 0)),
    ],
)
def test_a_surge_is_rounded_up_and_what_may_be_missing_down(
    desired: int, surge: str | int, unavailable: str | int, posts: tuple[int, int]
) -> None:
    assert fenceposts(Portion.parse(surge), Portion.parse(unavailable), desired) == posts


def test_limits_that_the_api_refuses_are_refused() -> None:
    for words in (
        "{max_surge: 0, max_unavailable: 0}",
        "{max_surge: 0%, max_unavailable: 0}",
        "{max_unavailable: 101%}",
        "{min_ready: 10m}",
    ):
        with pytest.raises(ScenarioError):
            bare(strategy=f"kubernetes_rolling: {words}")


@pytest.mark.parametrize(
    ("new", "old", "surge", "size"),
    [
        ((0, 0), (10, 10), 0, 0),
        ((0, 0), (10, 10), 2, 2),
        ((0, 0), (5, 5), 0, 5),
        ((0, 0), (5, 5), 2, 7),
        ((12, 12), (0, 0), 0, 10),
    ],
)
def test_new_pods_as_in_the_controllers_own_table(
    new: tuple[int, int], old: tuple[int, int], surge: int, size: int
) -> None:
    """TestDeploymentController_reconcileNewReplicaSet, deployment of 10."""
    now = Deployment(10, ReplicaSet(*new), (ReplicaSet(*old),))
    assert rules.new_size(now, surge) == size


@pytest.mark.parametrize(
    ("new", "old", "unavailable", "size"),
    [
        ((0, 0), (10, 10), 0, 10),
        ((0, 0), (10, 10), 2, 8),
        ((0, 0), (10, 8), 2, 8),  # the two that are not available
        ((0, 0), (10, 9), 2, 8),  # one of each
        ((2, 0), (8, 8), 2, 8),  # new ones that are not ready let no old one go
        ((5, 0), (8, 8), 2, 8),  # 10 wanted, surge 3, the new version does not start
        ((3, 3), (10, 10), 0, 7),
    ],
)
def test_old_pods_as_in_the_controllers_own_table(
    new: tuple[int, int], old: tuple[int, int], unavailable: int, size: int
) -> None:
    """TestDeploymentController_reconcileOldReplicaSets and the cases in rolling.go."""
    now = Deployment(10, ReplicaSet(*new), (ReplicaSet(*old),))
    assert rules.old_sizes(now, unavailable) == (size,)


@given(
    desired=st.integers(1, 15),
    surge=NUMBERS,
    unavailable=NUMBERS,
    olds=st.lists(st.integers(0, 8), min_size=1, max_size=3),
    data=st.data(),
)
@few
def test_a_rolling_update_keeps_its_limits_and_ends(
    desired: int, surge: int, unavailable: int, olds: list[int], data: st.DataObject
) -> None:
    """From any division of the wanted pods among old versions, all available: never more than
    wanted + surge, never fewer available than wanted - unavailable, never the same twice once all
    pods are available, and at the end everything is new."""
    limits = fenceposts(Portion(surge, False), Portion(unavailable, False), desired)
    old, left = list[ReplicaSet](), desired
    for part in [*olds, desired]:
        old.append(ReplicaSet(min(part, left), min(part, left)))
        left -= min(part, left)
    now = Deployment(desired, ReplicaSet(0, 0), tuple(old))
    for _ in range(10 * desired + 10):
        before, now = now, rules.settled(now, limits)
        assert now.pods <= desired + limits.surge
        assert now.available >= desired - limits.unavailable
        assert rules.settled(now, limits) == now
        if now.complete:
            break
        waiting = now.new.spec - now.new.available
        assert waiting > 0, (before, now)
        ready = data.draw(st.integers(1, waiting))
        now = now._replace(new=ReplicaSet(now.new.spec, now.new.available + ready))
    assert now.complete


def by_the_rules(
    size: int, limits: Fenceposts, starts: list[float], ready: float
) -> list[tuple[float, int, int]]:
    """(time, old, new) pods that serve, when the controller's passes follow every change."""
    now = Deployment(size, ReplicaSet(0, 0), (ReplicaSet(size, size),))
    serving, asked, found = 0, 0, []
    events: list[tuple[float, int]] = [(0.0, 0)]  # time, 1 when it serves, 2 when it is available
    while events:
        time, what = heapq.heappop(events)
        serving += what == 1
        if what == 1:
            heapq.heappush(events, (time + ready, 2))
        if what == 2:
            now = now._replace(new=ReplicaSet(now.new.spec, now.new.available + 1))
        now = rules.settled(now, limits)
        for start in starts[asked : now.new.spec]:
            heapq.heappush(events, (time + start, 1))
        asked = now.new.spec
        if not events or events[0][0] > time:
            found.append((time, now.old[0].spec, serving))
    return found


@given(
    size=st.integers(1, 14),
    surge=NUMBERS,
    unavailable=NUMBERS,
    ready=st.sampled_from([0, 25, 200]),
    seed=st.integers(0, 1000),
)
@few
def test_the_engine_follows_the_controller_pod_by_pod(
    size: int, surge: int, unavailable: int, ready: int, seed: int
) -> None:
    """With the same start-up times the instances in service are the controller's at every moment,
    also while pods are ready and not yet available."""
    if surge == unavailable == 0:
        return
    scenario = bare(
        instances=size,
        service="startup: {exponential: {mean: 60s}}, drain: 30s, start_failure: {timeout: 10h}",
        strategy=f"kubernetes_rolling: {{max_surge: {surge}, max_unavailable: {unavailable}, "
        f"min_ready: {ready}s, progress_deadline: 5h}}",
    )
    limits = fenceposts(Portion(surge, False), Portion(unavailable, False), size)
    rollout, moments = watched(scenario, seed=seed)
    law, luck = rollout.plan.start_law(), Luck(seed)
    starts = [law.one(luck.uniform(Purpose.START, k)) for k in range(size)]
    expected = by_the_rules(size, limits, starts, ready)
    known = [(m.time, m.old, m.new) for m in moments]
    for time, old, new in expected:
        at = max((m for m in known if m[0] <= time + 1e-6), key=lambda m: m[0])
        assert at[1:] == (old, new), time
    assert max(m.serving for m in moments) <= size + limits.surge
    assert min(m.serving for m in moments) >= size - limits.unavailable
    assert rollout.script_end == pytest.approx(expected[-1][0])


def test_a_pod_that_is_not_available_yet_lets_no_old_one_go() -> None:
    """Two pods, one at a time, 60 s to start and 100 s to become available: replaced at 60 s and
    160 s + 60 s, available at 320 s; nobody is ever missing."""
    strategy = "kubernetes_rolling: {max_surge: 1, max_unavailable: 0, min_ready: 100s}"
    _, moments = watched(bare(instances=2, service="startup: 60s", strategy=strategy))
    assert [(m.time, m.old, m.new) for m in moments][:5] == [
        (0, 2, 0),
        (60, 2, 1),
        (160, 1, 1),
        (220, 1, 2),
        (320, 0, 2),
    ]


def test_large_deployments_wait_for_min_ready_too() -> None:
    """Above 200 pods the course is a mean one: slots of start + min_ready, 1000 / 100 times."""
    strategy = "kubernetes_rolling: {max_surge: 10%, max_unavailable: 0, min_ready: 30s}"
    words = {"instances": 1000, "service": "startup: {normal: {mean: 60s, sd: 1s}}"}
    (outcome,) = play(bare(strategy=strategy, **words), 1, bad=False)
    assert outcome.time_to_deploy == pytest.approx(10 * 90, rel=0.03)
    assert outcome.peak_instances == 1100


def test_recreating_is_an_outage_of_drain_and_start() -> None:
    """30 s until the old pods are gone and 60 s until new ones serve: 1000 x 90 s failed, and 10
    instances at most."""
    words = {"service": "startup: 60s, drain: 30s", "strategy": "kubernetes_recreate: {}"}
    (outcome,) = play(bare(**words), 1, bad=False)
    assert outcome.outage == outcome.time_to_deploy == 90
    assert outcome.expected_failed_requests == pytest.approx(90_000)
    assert outcome.peak_instances == 10
    assert outcome.mixed_time == 0


def test_recreating_is_no_outage_that_anybody_is_called_for() -> None:
    """It was announced: an alarm on the service does not count it."""
    words = {"service": "startup: 60s, drain: 30s", "strategy": "kubernetes_recreate: {}"}
    alarm = "alarms: [{watch: service, above: 1%, period: 10s}]"
    (outcome,) = play(bare(**words, detection=alarm), 1, bad=False)
    assert outcome.outcome == "deployed"


def crash(part: float = 1.0) -> Fault:
    """A version of whose starts so many fail."""
    fault = Fault("crash")
    fault.crash = part
    return fault


@pytest.mark.parametrize("kind", ["kubernetes_rolling", "kubernetes_recreate"])
def test_without_progress_a_person_is_called_and_the_controller_goes_on(kind: str) -> None:
    """No pod ever starts: said at 600 s, decided by whoever is called 5 + 10 min later; nothing
    rolls back by itself although everything else does."""
    scenario = bare(
        service="startup: 60s, start_failure: {timeout: 10h}",
        detection="health: on",
        response="page: {acknowledge: 5m, decide: 10m}",
        strategy=f"{kind}: {{}}",
    )
    rollout, _ = watched(scenario, crash())
    assert rollout.caught_by == "progress deadline"
    assert (rollout.detected_at, rollout.decided_at) == (600, 1500)


def test_a_rollout_that_moves_again_is_left_alone() -> None:
    """Starts of 12 min: no progress is said after 10, the person who looks sees it go on."""
    scenario = bare(
        instances=4,
        service="startup: 12m, start_failure: {timeout: 10h}",
        response="page: {acknowledge: 5m, decide: 10m}",
        strategy="kubernetes_rolling: {}",
    )
    rollout, _ = watched(scenario)
    assert [e.time for e in rollout.journal if e.verb == "no progress"] == [600, 720 + 600]
    assert not rollout.caught_by
    assert rules.overdue(0, 600, 600.1)
    assert not rules.overdue(0, 600, 600)


def test_rolling_back_is_one_more_rolling_update() -> None:
    """10 pods, 3 above and 2 below: two are missing and five new ones never start. Rolling back
    gives those five back and asks for the two that are missing: one start-up."""
    scenario = bare(service="startup: 60s", strategy="kubernetes_rolling: {}")
    rollout, moments = watched(
        scenario, crash(), then=lambda r: r.at(300, lambda: r.abort("test"), urgent=True)
    )
    assert moments[0] == (0, 8, 0, 13)
    assert rollout.env.now == 360
    assert moments[-1][1:] == (10, 0, 10)
