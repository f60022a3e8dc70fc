"""What holds for every strategy there is, aborted at any moment."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.play.fault import GOOD, draw
from simulator.play.fleet import NEW, OLD
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare, rehearse
from simulator.play.replication import replicate, run
from simulator.play.rollout import Rollout
from simulator.words.strategy import kinds
from tests.contracts.forms import CASES, FORMS, SERVICE
from tests.play.playing import bare

FOLLOWING = f"{SERVICE}, capacity: 100 rps, start_rate: 20/min, " + (
    "scaling: {min: 2, max: 40, target: 100%}"
)


def scenario(kind: str, form: str, **words: str):  # type: ignore[no-untyped-def]
    return bare(**{"service": SERVICE, "strategy": f"{kind}: {form}", **words})


def test_every_kind_is_here() -> None:
    assert set(FORMS) == set(kinds())


def aborted(
    kind: str, form: str, moment: float, seed: int, propagation: str = "0s", service: str = SERVICE
) -> tuple[Rollout, list[tuple[float, float]]]:
    """A rollout of a harmless release that something aborts at this moment (seconds), and its
    weights from moment to moment.
    """
    words = scenario(kind, form, service=service).with_("router.propagation", propagation)
    plan = prepare(words, kind)
    env = simpy.Environment()
    luck = Luck(seed)
    fault = draw(words.change.defects[0], luck)
    rollout = Rollout(env, plan, luck, fault)
    rollout.at(moment, lambda: rollout.abort("test"), urgent=True)
    rollout.begin_life()
    now, weights = 0.0, list[tuple[float, float]]()
    while not rollout.ended:
        upcoming = env.peek()
        assert upcoming < math.inf, "nothing left to happen"
        if upcoming > now:
            now = rollout.advance(now, upcoming)
            if now < upcoming:
                continue
        env.step()
        weights.append((env.now, rollout.weight()))
        check_state(rollout)
    return rollout, weights


def check_state(rollout: Rollout) -> None:
    """Weights in 0..1, instances never negative, nothing served that is not paid for."""
    fleet = rollout.fleet
    assert 0 <= rollout.weight() <= 1
    assert min(fleet.up) >= 0
    assert fleet.starting >= 0
    assert fleet.out >= 0
    if fleet.drift is None:
        assert sum(fleet.up) + fleet.out <= fleet.held + 1e-9


@pytest.mark.parametrize(("kind", "form"), CASES)
@given(part=st.floats(0.0, 1.2), seed=st.integers(0, 50), late=st.booleans())
@settings(max_examples=12, deadline=None, derandomize=True)
def test_an_abort_at_any_moment_ends_on_the_old_version_at_full_size(
    kind: str, form: str, part: float, seed: int, late: bool
) -> None:
    finish = rehearse(scenario(kind, form), kind).finish
    rollout, _ = aborted(kind, form, part * finish, seed, "45s" if late else "0s")
    assert rollout.caught_by in ("test", "smoke test")
    fleet = rollout.fleet
    rollout.env.run(until=rollout.env.now + 100)  # the last instances drain
    assert fleet.up == [fleet.size, 0]
    assert rollout.weight() == 0
    assert fleet.held == fleet.size
    assert fleet.starting == fleet.out == 0


@pytest.mark.parametrize(("kind", "form"), CASES)
@given(part=st.floats(0.0, 1.2), seed=st.integers(0, 50))
@settings(max_examples=3, deadline=None, derandomize=True)
def test_it_does_where_starts_are_throttled_and_groups_follow_their_load(
    kind: str, form: str, part: float, seed: int
) -> None:
    finish = rehearse(scenario(kind, form, service=FOLLOWING), kind).finish
    rollout, _ = aborted(kind, form, part * finish, seed, service=FOLLOWING)
    fleet = rollout.fleet
    rollout.env.run(until=rollout.env.now + 300)  # no start that was given up begins any more
    assert fleet.up == [fleet.size, 0]
    assert fleet.held == fleet.size
    assert fleet.starting == fleet.out == 0


@pytest.mark.parametrize(("kind", "form"), CASES)
@given(part=st.floats(0.0, 1.1), seed=st.integers(0, 50))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_after_the_decision_nothing_goes_forward(
    kind: str, form: str, part: float, seed: int
) -> None:
    """No forward verb in the journal, and the weight on the new version never rises again."""
    finish = rehearse(scenario(kind, form), kind).finish
    rollout, weights = aborted(kind, form, part * finish, seed)
    decided = rollout.decided_at
    forward = {"bake", "smoke test", "run in parallel", "hand over", "keep old", "deployed"}
    for entry in rollout.journal:
        if entry.time > decided or (entry.time == decided and entry.verb == "roll back"):
            assert entry.verb not in forward
            if entry.verb == "shift":
                assert entry.detail == 0
            if entry.verb in ("provision", "roll", "reinstall"):
                assert entry.detail[0] == OLD
    later = [weight for when, weight in weights if when > decided]
    for before, after in pairwise(later):
        assert after <= before + 1e-9


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_same_luck_gives_the_same_outcome(kind: str, form: str) -> None:
    words = scenario(kind, form, detection="alarms: [{above: 1%}]")
    plan = prepare(words, kind)
    luck, again = Luck(3), Luck(3)
    for number in (0, 1):
        luck.rekey(number)
    again.rekey(1)
    one = replicate(plan, luck, words.change.defects[0], "x")
    two = replicate(prepare(words, kind), again, words.change.defects[0], "x")
    for name, a, b in zip(one._fields, one, two, strict=True):
        assert a == b or (a != a and b != b), name


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_finished_release_serves_new_at_full_size(kind: str, form: str) -> None:
    plan = prepare(scenario(kind, form), kind)
    rollout = run(plan, Luck(5), GOOD)
    assert sum(rollout.fleet.up) == plan.size
    if not rollout.situation.shared:  # behind a flag both behaviours run on the same instances
        assert rollout.fleet.up[NEW] == plan.size
    assert rollout.weight() == 1
    assert rollout.fleet.held == plan.size
