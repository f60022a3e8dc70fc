"""Deliberately broken engines are rejected by the same check."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from simulator.play.luck import Luck
from simulator.play.plan import Plan
from simulator.play.request_level import PlainOutcome
from simulator.play.rollout import Rollout
from tests.play.playing import bare
from tests.request_level.agreement import Case, confront, seed
from tests.request_level.cases import rollback_in_the_middle_of_a_shift

PLAYED: dict[tuple[str, int], list[PlainOutcome]] = {}


class Shared(Case):
    """A case played request by request once: what is broken is the engine, never this model."""

    def plain(self, numbers: range, seed: int) -> list[PlainOutcome]:
        """Replications request by request, from an earlier test where they have been played."""
        kept = PLAYED.setdefault((self.scenario.sha256, seed), [])
        kept += super().plain(range(len(kept), numbers.stop), seed)
        return kept[numbers.start : numbers.stop]


def switched(rng: Random) -> Case:
    """One switch to a new fleet; going back needs a new old one. Severity and times are random."""
    scenario = bare(
        rate="rate: 2 rps",
        users="1k",
        instances=1,
        service=f"startup: {{uniform: {{low: 20s, high: {rng.randint(350, 450)}s}}}}",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 10%, high: {rng.randint(50, 60)}%}}}}}}",
        detection="noticed: {after: 10s}",
        strategy="big_bang: {in_place: false}",
    )
    return Shared(scenario.with_("follow_up", "10m"), most=2000)


def alarmed(rng: Random) -> Case:
    """A canary whose first period after the shift nearly always trips the alarm."""
    scenario = bare(
        rate="rate: 10 rps",
        users="5k",
        defect=f"{{kind: errors, rate: {rng.randint(20, 30)}%}}",
        detection="alarms: [{above: 5%, minimum_requests: 20}]",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(30, 40)}%, bake: 1h}}]}}",
    )
    return Shared(scenario.with_("follow_up", "10m"))


def rejected(case: Case, number: int) -> bool:
    """Whether some figure differs by more than a sharp bound."""
    return any(figure.sharp and not figure.agrees for figure in confront(case, number))


@pytest.mark.parametrize("case", [switched, alarmed], ids=lambda case: case.__name__)
def test_the_engine_itself_is_not_rejected(case: Any) -> None:
    number = seed()
    assert not rejected(case(Random(number)), number)


@pytest.mark.alters_engine
def test_fifteen_percent_more_requests_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    between, cells = Plan.requests_between, Plan.requests

    def more_between(plan: Plan, a: float, b: float) -> float:
        return 1.15 * between(plan, a, b)

    def more_cells(plan: Plan, edges: np.ndarray) -> np.ndarray:
        return 1.15 * cells(plan, edges)

    monkeypatch.setattr(Plan, "requests_between", more_between)
    monkeypatch.setattr(Plan, "requests", more_cells)
    number = seed()
    assert rejected(alarmed(Random(number))._replace(widest=0.08), number)


@pytest.mark.alters_engine
def test_an_alarm_that_is_a_period_late_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    trip = Rollout.trip

    def late(rollout: Rollout, by: str, when: float) -> None:
        trip(rollout, by, when + 60.0)

    monkeypatch.setattr(Rollout, "trip", late)
    number = seed()
    assert rejected(alarmed(Random(number)), number)


@pytest.mark.alters_engine
def test_a_rollback_for_free_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    def free(rollout: Rollout) -> Iterator[Any]:
        rollout.router.take_effect(0.0, rollout.env.now)
        yield from ()

    monkeypatch.setattr(Rollout, "return_to_old", free)
    number = seed()
    assert rejected(rollback_in_the_middle_of_a_shift(Random(number)), number)


@pytest.mark.alters_engine
def test_one_stream_for_severity_and_start_times_is_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uniform = Luck.uniform

    def shared(luck: Luck, purpose: int, index: int = 0) -> float:
        return uniform(luck, 1, index)

    monkeypatch.setattr(Luck, "uniform", shared)
    number = seed()
    assert rejected(switched(Random(number)), number)
