"""Linear: equal (or doubling) steps at equal intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.detection import Judge
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Linear(Strategy):
    """Add `step` to the weight every `every`; with exponential growth the weight doubles instead.

    Nothing is waited for after the step to 100 %. Rolling back sets the weight to 0.
    """

    kind: Literal["linear"] = "linear"
    step: PositiveShare = Field(0.1, description="Traffic share of the first step.")
    every: Duration = Field(600.0, description="Time between two steps.")
    growth: Literal["linear", "exponential"] = Field(
        "linear", description="Add the step each time, or double the weight."
    )
    judge: Judge | None = Field(
        None, description="Judges each step before the next; detection.judge when left out."
    )

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None else (judge,)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        weight = 0.0
        while weight < 1:
            weight = 2 * weight if self.growth == "exponential" and weight else weight + self.step
            weight = 1.0 if weight > 1 - 1e-9 else weight
            yield from rollout.provision(weight)
            yield from rollout.shift(weight)
            if weight < 1:
                yield from rollout.bake(self.every, self.judge)
                yield from rollout.judge(self.every)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
