"""Counts of pods and weights of the Rollout controller: documented cases, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.platforms.argo_rollouts import rules
from simulator.platforms.argo_rollouts.rules import Basic, Pods, Sizes
from simulator.words.limits import Fenceposts, fenceposts
from simulator.words.units import Portion

REPLICAS = st.integers(1, 60)
PERCENT = st.integers(0, 100)
LIMITS = st.builds(Fenceposts, st.integers(0, 20), st.integers(0, 20)).filter(any)


@pytest.mark.parametrize(
    ("replicas", "percent", "surge", "sizes"),
    [
        (10, 5, 0, (1, 9)),
        (10, 5, 1, (1, 10)),  # 1 of 11 is nearer to 5 % than 1 of 10
        (3, 50, 0, (2, 1)),  # as near as 1 of 3: up wins
        (3, 50, 1, (2, 2)),
        (1, 49, 0, (0, 1)),
        (1, 50, 0, (1, 0)),
        (1, 51, 0, (1, 0)),
        (1, 1, 1, (1, 1)),
        (1, 99, 1, (1, 1)),
        (4, 25, 1, (1, 3)),
        (4, 50, 1, (2, 2)),
        (4, 75, 1, (3, 1)),
        (5, 20, 2, (1, 4)),
        (10, 99, 0, (9, 1)),  # both sides keep a pod
        (10, 99, 3, (10, 1)),
        (10, 0, 3, (0, 10)),
        (10, 100, 3, (10, 0)),
        (0, 30, 1, (0, 0)),
    ],
)
def test_the_counts_nearest_to_a_weight(
    replicas: int, percent: int, surge: int, sizes: tuple[int, int]
) -> None:
    assert rules.wish(replicas, percent / 100, surge) == sizes


@given(replicas=REPLICAS, percent=PERCENT, surge=st.integers(0, 3))
def test_no_other_counts_of_all_replicas_are_nearer(
    replicas: int, percent: int, surge: int
) -> None:
    """Of all counts in `replicas` pods that keep one on both sides (where there are two, and the
    weight asks for both) none is nearer to the weight; with one pod more it is no farther. But a
    single pod with a surge is one of each at any weight."""
    canary, stable = rules.wish(replicas, percent / 100, surge)
    both = 0 < percent < 100 and replicas + min(surge, 1) > 1
    if both and replicas == 1:
        assert (canary, stable) == (1, 1)
        return
    least = 1 if both else 0
    counts = range(least, replicas - least + 1)
    nearest = min(abs(100 * count - percent * replicas) / replicas for count in counts)
    total = canary + stable
    assert replicas <= total <= replicas + min(surge, 1)
    assert abs(100 * canary - percent * total) / total <= nearest + 1e-9
    if both:
        assert min(canary, stable) >= 1


@pytest.mark.parametrize(
    ("replicas", "percent", "canary", "stable", "limits", "sizes"),
    [  # the controller's own comment: first pass from nothing
        (10, 10, (0, 0), (10, 10), (1, 1), (1, 9)),
        (10, 30, (0, 0), (10, 10), (3, 0), (3, 10)),
        (10, 30, (0, 0), (10, 10), (0, 5), (0, 7)),
        (1, 5, (0, 0), (1, 1), (1, 0), (1, 1)),
        (1, 95, (0, 0), (1, 1), (1, 0), (1, 1)),
        (10, 5, (0, 0), (10, 10), (1, 1), (1, 10)),  # the newer code: 1 of 11 is nearer
        # a canary that does not become available keeps stable up
        (10, 50, (3, 0), (10, 10), (3, 0), (3, 10)),
        (10, 50, (3, 2), (10, 10), (3, 0), (3, 8)),
        # an abort: stable first, and only the canary goes
        (10, 0, (5, 5), (5, 5), (3, 0), (5, 8)),
        (10, 0, (5, 5), (8, 8), (3, 0), (2, 8)),
        # canary pods that are not available do not hold up their own going
        (10, 0, (5, 0), (8, 8), (3, 2), (0, 8)),
    ],
)
def test_one_pass_of_a_basic_canary(
    replicas: int,
    percent: int,
    canary: tuple[int, int],
    stable: tuple[int, int],
    limits: tuple[int, int],
    sizes: tuple[int, int],
) -> None:
    now = Basic(Pods(*canary), Pods(*stable))
    assert rules.next_sizes(now, replicas, percent / 100, Fenceposts(*limits)) == sizes


def test_older_versions_go_first() -> None:
    now = Basic(Pods(2, 2), Pods(8, 8), older=1)
    assert rules.next_sizes(now, 10, 0.5, Fenceposts(3, 0)) == (4, 8)
    assert not rules.reached(now, 10, 0.2, Fenceposts(0, 1))


def follow(now: Basic, replicas: int, weight: float, limits: Fenceposts) -> list[Basic]:
    """Passes of the controller, and whatever it asked for becomes available in between."""
    course = [now]
    for _ in range(4 * replicas + 20):
        canary, stable = rules.next_sizes(now, replicas, weight, limits)
        kept = Basic(
            Pods(canary, min(now.canary.available, canary)),
            Pods(stable, min(now.stable.available, stable)),
        )
        course.append(kept)
        now = Basic(Pods(canary, canary), Pods(stable, stable))
        course.append(now)
        if rules.reached(now, replicas, weight, limits):
            return course
    raise AssertionError("never done")


@given(replicas=REPLICAS, percents=st.lists(PERCENT, min_size=1, max_size=4), limits=LIMITS)
def test_steps_come_to_their_wish_within_the_limits(
    replicas: int, percents: list[int], limits: Fenceposts
) -> None:
    """Up, down and back: never more pods than the surge allows, never fewer available than have to
    be, and in the end exactly the counts that are nearest to the weight.

    From counts within the limits, which every step leaves."""
    now = Basic(Pods(0, 0), Pods(replicas, replicas))
    least = replicas - min(limits.unavailable, replicas)
    limits = Fenceposts(limits.surge, min(limits.unavailable, replicas))
    for percent in (*percents, 0):
        course = follow(now, replicas, percent / 100, limits)
        for moment in course:
            assert moment.canary.spec + moment.stable.spec <= replicas + limits.surge
            assert moment.canary.available + moment.stable.available >= least
        now = course[-1]
        if limits.unavailable or limits.surge:
            wanted = rules.wish(replicas, percent / 100, limits.surge)
            assert (now.canary.spec, now.stable.spec) == wanted


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "limits"),
    [
        ("25%", "25%", 4, (1, 1)),
        ("25%", "25%", 5, (2, 1)),
        ("25%", "25%", 1, (1, 0)),
        ("0", "25%", 3, (0, 1)),  # both come to 0: one may be missing
        ("0", "20", 10, (0, 10)),
        ("29%", "29%", 100, (29, 29)),
    ],
)
def test_limits(surge: str, unavailable: str, replicas: int, limits: tuple[int, int]) -> None:
    found = fenceposts(Portion.parse(surge), Portion.parse(unavailable), replicas)
    assert found == limits


@pytest.mark.parametrize(
    ("replicas", "percent", "scale", "least", "canary"),
    [
        (10, 5, None, 1, 1),
        (10, 11, None, 1, 2),
        (100, 29, None, 1, 29),
        (10, 5, None, 3, 3),
        (2, 5, None, 3, 2),  # no more than all
        (10, 0, None, 3, 0),
        (10, 5, "25", 1, 25),  # beyond all replicas
        (10, 5, "25%", 1, 3),
    ],
)
def test_counts_with_traffic_routing(
    replicas: int, percent: int, scale: str | None, least: int, canary: int
) -> None:
    said = None if scale is None else Portion.parse(scale)
    assert rules.routed(replicas, percent / 100, said, least) == Sizes(canary, replicas)


def test_stable_follows_the_weight_with_dynamic_stable_scale() -> None:
    assert rules.dynamic(10, 0.25, 0.0) == (3, 10)  # before the weight is in force
    assert rules.dynamic(10, 0.25, 0.25) == (3, 8)
    assert rules.dynamic(10, 1.0, 1.0) == (10, 0)
    assert rules.dynamic(10, 0.0, 0.6, aborted=True) == (6, 10)
    assert rules.dynamic(10, 0.9, 0.9, least=2) == (9, 2)
    assert rules.way_back((0.2, 0.4, 0.6, 0.6), 0.6) == (0.4, 0.2, 0.0)


def test_the_weight_in_force_is_the_last_one_set() -> None:
    steps = (None, 0.2, None, 0.6, None)
    found = [rules.weight_in_force(steps, at) for at in range(6)]
    assert found == [0, 0.2, 0.2, 0.6, 0.6, 1]
    assert rules.weight_in_force(steps, 3, aborted=True) == 0


def test_when_a_step_may_go_on() -> None:
    assert rules.met(10, 10)
    assert not rules.met(9, 10)
    assert rules.met(0, 0)
    assert rules.met(9, 10, Portion.parse("90%"))
    assert not rules.met(8, 10, Portion.parse("90%"))
    assert rules.met(3, 10, Portion.parse("3"))


def test_what_validation_refuses() -> None:
    some, none = Portion.parse("25%"), Portion.parse("0")
    assert not list(rules.refuse_canary(some, some, routing=False))
    assert len(list(rules.refuse_canary(none, none, routing=True))) == 1
    assert len(list(rules.refuse_canary(some, some, False, True, True, True))) == 3
    assert len(list(rules.refuse_canary(some, some, True, True, True, True))) == 1
    assert len(list(rules.refuse_blue_green("a", "a", 10, 11))) == 2
    assert not list(rules.refuse_blue_green("a", "b", 10, 10))
