"""Immutable update: a second group joins the pool, then the old one leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.detection import Judge
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Portion, PortionField

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Immutable(Strategy):
    """Start `first` new instances in the pool, watch them, start the rest, then retire the old.

    All instances in service share the traffic equally. Rolling back terminates the new ones.
    """

    kind: Literal["immutable"] = "immutable"
    first: PortionField = Field(
        Portion.parse(1), description="New instances that go first: a count or a share."
    )
    bake: Duration = Field(0.0, description="How long the first ones are watched.")
    judge: Judge | None = Field(
        None,
        description="Judges the first ones after their bake; detection.judge when left out.",
    )

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None else (judge,)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.enter(self.first)
        yield from rollout.bake(self.bake, self.judge)
        yield from rollout.judge(self.bake)
        yield from rollout.enter(Portion.parse("100%"))
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
