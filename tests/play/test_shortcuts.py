"""Shorter ways: a clock of one's own, states that begin again, false position, cells at once."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from simulator.findings import study
from simulator.findings.study import Batch
from simulator.play.fault import Fault
from simulator.play.fleet import MIRROR, NEW
from simulator.play.luck import Luck, Purpose
from simulator.play.noise import Noise
from simulator.play.rehearsal import prepare
from simulator.play.rollout import Rollout
from simulator.play.solo import Solo
from simulator.play.stretch import Stretch
from simulator.play.users import _crossed
from simulator.words.reading import load
from tests.play.playing import bare

Told = list[tuple[float, str]]


def _script(env: simpy.Environment | Solo, told: Told, waits: list[float]) -> Iterator[object]:
    """Waits, is interrupted now and then, and says when it goes on."""
    for number, wait in enumerate(waits):
        try:
            yield env.timeout(wait)
            told.append((env.now, f"waited {number}"))
        except simpy.Interrupt as why:
            told.append((env.now, f"gave up {number}: {why.cause}"))
    happens = env.event()
    _at(env, env.now + 1.0, lambda: happens.succeed() and None)
    try:
        yield happens
    except simpy.Interrupt:
        told.append((env.now, "gave up"))
    told.append((env.now, "over"))


def _at(
    env: simpy.Environment | Solo, when: float, call: Callable[[], None], urgent: bool = False
) -> None:
    """Let something happen at a moment, as a rollout asks for it."""
    if isinstance(env, Solo):
        env.at(when, call, urgent)
        return
    event = simpy.Event(env)
    event._ok, event._value = True, None
    assert event.callbacks is not None
    event.callbacks.append(lambda _: call())
    env.schedule(event, 0 if urgent else 1, when - env.now)


def _played(env: simpy.Environment | Solo, seed: int) -> Told:
    luck, told = random.Random(seed), Told()
    waits = [luck.choice((0.0, 0.1, 0.3, luck.random())) for _ in range(12)]
    process = env.process(_script(env, told, waits))  # type: ignore[arg-type, union-attr]
    for number in range(8):
        when = luck.choice((0.0, 0.4, luck.random()))
        _at(env, when, lambda n=number: told.append((env.now, f"call {n}")), luck.random() < 0.5)
    if luck.random() < 0.7:
        _at(env, luck.random(), lambda: process.interrupt("enough"), urgent=True)
    while env.peek() < math.inf:
        env.step()
    return told


@given(st.integers(0, 10_000))
def test_a_clock_for_one_script_keeps_the_order_of_simpy(seed: int) -> None:
    assert _played(Solo(), seed) == _played(simpy.Environment(), seed)


@given(st.floats(-5, 100), st.floats(0.001, 50.0))
def test_false_position_finds_where_a_course_turns(turn: float, width: float) -> None:
    def missing(t: float) -> float:
        """A falling course, steep or flat."""
        return math.tanh((turn - t) / width)

    found = _crossed(missing, 0.0, 100.0, missing(100.0))
    assert found == pytest.approx(max(turn, 0.0), abs=0.1)


@given(st.integers(0, 2**62), st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90))))
def test_numbers_in_turn_are_those_asked_for_one_by_one(
    seed: int, asked: list[tuple[int, int]]
) -> None:
    luck = Luck(seed)
    for replication in range(2):
        luck.rekey(replication)
        for index, more in asked:
            found = luck.in_turn(Purpose.START, index, more)
            assert found == luck.uniform(Purpose.START, index)


@pytest.mark.alters_engine
def test_a_state_that_begins_again_is_the_one_that_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = load("textbook")
    batches = [
        Batch(strategy, stratum, 0, 2)
        for strategy in scenario.strategies
        for stratum in range(len(scenario.change.defects) + 1)
    ]

    def all_played() -> list[str]:
        return [repr(study.play(scenario, "shortcuts", 1, batch)) for batch in batches]

    quick = all_played()
    monkeypatch.setattr(Stretch, "again", lambda *_: False)
    assert all_played() == quick


def test_a_cell_drawn_alone_expects_what_it_expects_among_others() -> None:
    scenario = bare(
        strategy="shadow: {share: 40%, duration: 1h}",
        detection="alarms: [{watch: new, above: 1%, period: 1m}]",
    ).with_("router.cache", {"hits": 0.6, "ttl": 60.0})
    plan, fault = prepare(scenario, "shadow"), Fault("errors")
    rollout = Rollout(simpy.Environment(), plan, Luck(1), fault)
    rollout.router.mirror = 0.4
    rollout.fleet.join(NEW, 10, 0.0)
    watch = rollout.watch
    stretch = Stretch(plan, rollout.fleet, rollout.router, rollout.situation, 10.0)
    _, rows, _ = watch._draw_one(stretch, 10.0, 70.0, False)
    cells = watch._draw(stretch, 10.0, np.array([70.0, 130.0]), False)
    assert set(rows) == set(cells.expected) == {MIRROR}
    assert rows[MIRROR][0] == pytest.approx(60 * 1000 * 0.4 * 0.4)
    for version, (good, *_) in rows.items():
        assert cells.expected[version].tolist() == pytest.approx([good, good])
    watch._open.clear()
    assert watch._coast(stretch, 10.0, 40.0, 0) == 40.0
    assert watch._open[0].rows[MIRROR][0] == pytest.approx(30 * 1000 * 0.4 * 0.4)


@given(st.floats(0.0, 5000.0), st.lists(st.floats(0.01, 900.0), min_size=1, max_size=40))
def test_baseline_errors_of_cells_are_those_between_their_edges(
    start: float, lengths: list[float]
) -> None:
    plan = prepare(load("scenarios/web-shop.yaml"), "canary")
    assert plan.steady
    assert plan.noise_cv > 0
    noise, edges = Noise(plan, Luck(3)), start + np.cumsum([0.0, *lengths])
    requests = plan.requests(edges)
    found = noise.expected(edges, requests)
    alone = [
        noise.between(a, b, many)
        for a, b, many in zip(
            edges[:-1].tolist(), edges[1:].tolist(), requests.tolist(), strict=True
        )
    ]
    assert found.tolist() == pytest.approx(alone, rel=1e-9, abs=1e-9)
