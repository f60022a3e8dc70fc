"""Phased rollout: waves of users, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.words.detection import Judge
from simulator.words.strategy import AnyStrategy, Strategy
from simulator.words.units import Duration, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Phased(Strategy):
    """Move one wave of users after the other, and watch each before the next.

    A wave is moved at once by a prepared fleet of its share, or by the strategy in `within`. Users
    stay in their wave. The old fleet is kept until the last wave has been watched; rolling back
    concerns only what was moved.
    """

    always_sticky: ClassVar[bool] = True
    kind: Literal["phased"] = "phased"
    waves: tuple[PositiveShare, ...] = Field(
        (0.1, 0.3, 0.6), description="Shares of the users, wave by wave; together 100 %."
    )
    bake: Duration | tuple[Duration, ...] = Field(
        1800.0, description="How long each wave is watched: one length, or one per wave."
    )
    by: Literal["users"] = Field("users", description="What a wave consists of.")
    within: AnyStrategy | None = Field(
        None, description="The strategy that moves each wave; at once when left out."
    )
    judge: Judge | None = Field(
        None, description="Judges each wave at the end of its bake; detection.judge when left out."
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Phased:
        total = sum(self.waves)
        if abs(total - 1) > 1e-9:
            raise ValueError(
                f"waves sum to {100 * total:.4g}%, not 100%: change them, e.g. [10%, 30%, 60%]"
            )
        if isinstance(self.bake, tuple) and len(self.bake) != len(self.waves):
            raise ValueError(
                f"{len(self.bake)} bakes for {len(self.waves)} waves: give one, or one per wave"
            )
        if self.within is not None and self.within.moves_all:
            raise ValueError(
                f"within: {self.within.kind} moves everybody, not one wave: take another strategy"
            )
        return self

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None else (judge,)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        bakes = self.bake if isinstance(self.bake, tuple) else (self.bake,) * len(self.waves)
        moved = 0.0
        for wave, bake in zip(self.waves, bakes, strict=True):
            if self.within is not None:
                yield from rollout.hand_over(self.within, wave, moved)
            moved = min(moved + wave, 1.0)
            if self.within is None:
                yield from rollout.provision(moved)
                yield from rollout.shift(moved, by_hand=True)
            yield from rollout.bake(bake, self.judge)
            yield from rollout.judge(bake)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.undo_handed_over()
        yield from rollout.return_to_old()
