"""Phased rollout: waves of users, cells or zones, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.words.detection import Judge
from simulator.words.recall import Installed
from simulator.words.strategy import AnyStrategy

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Phased(Installed):
    """Move one wave of users after the other, and watch each before the next.

    A wave is moved at once by a prepared fleet of its share, or by the strategy in `within`. Users
    stay in their wave, but for waves of zones, which all users meet. The old fleet is kept until
    the last wave has been watched; rolling back concerns only what was moved. With `schedule:
    amazon` a box goes first in each wave, and steps start in working hours. With `recall: none`
    (an app in a store) a wave is offered to its users, who install it in their own time, and
    rolling back only stops that: whoever has the version keeps it until it is repaired.
    """

    kind: Literal["phased"] = "phased"
    within: AnyStrategy | None = Field(
        None, description="The strategy that moves each wave; at once when left out."
    )
    judge: Judge | None = Field(
        None, description="Judges each wave at the end of its bake; detection.judge when left out."
    )

    @model_validator(mode="after")
    def _moves_a_wave(self) -> Phased:
        if self.within is not None and self.within.moves_all:
            raise ValueError(
                f"within: {self.within.kind} moves everybody, not one wave: take another strategy"
            )
        if self.within is not None and self.recall is not None:
            raise ValueError("recall: none: users install each wave by themselves: remove within")
        return self

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None else (judge,)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        if self.unrecalled is not None:
            rollout.offer(self.unrecalled)
        moved = 0.0
        for part in self.parts(rollout.scenario.service):
            rollout.begin_wave(part)
            if self.within is not None:
                yield from rollout.hand_over(self.within, part.share, moved)
            moved = min(moved + part.share, 1.0)
            if self.within is None:
                yield from rollout.provision(moved)
                yield from rollout.shift(moved, by_hand=True)
            yield from rollout.bake(part.bake, self.judge)
            yield from rollout.judge(part.bake)
        if self.recall is None:
            yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        if self.unrecalled is not None:
            yield from rollout.stop_growth()
        yield from rollout.undo_handed_over()
        yield from rollout.return_to_old()
