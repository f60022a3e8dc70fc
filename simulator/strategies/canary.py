"""Canary: a small share of the traffic first, more with every step that passes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.words.detection import Judge
from simulator.words.strategy import Step, Strategy

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Canary(Strategy):
    """Raise the weight step by step; each step is watched, judged and approved before the next.

    The old fleet stays at full size until the last step has passed, then the rest is promoted at
    once or rolled. Rolling back sets the weight to 0. A first step may be for an audience (staff)
    instead of a weight: harm is capped to them, and they do not stand for all users.
    """

    kind: Literal["canary"] = "canary"
    steps: tuple[Step, ...] = Field(
        (Step(weight=0.05, bake=600), Step(weight=0.25, bake=600), Step(weight=0.5, bake=600)),
        description="Weights and how long each is watched.",
    )
    judge: Judge | None = Field(
        None, description="Judges each step at its end; detection.judge when left out."
    )
    promote: Literal["at_once", "rolling"] = Field(
        "at_once", description="How the rest follows after the last step."
    )

    @model_validator(mode="after")
    def _rises(self) -> Canary:
        weights = [step.weight for step in self.steps]
        if not weights:
            raise ValueError("steps are empty: give at least one, e.g. [{weight: 5%, bake: 10m}]")
        for low, high in pairwise(weights):
            if high <= low:
                raise ValueError(
                    f"weights must rise: {100 * high:.4g}% follows {100 * low:.4g}%; sort the steps"
                )
        return self

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        found = (step.judge or self.judge or usual for step in self.steps)
        return tuple(judge for judge in found if judge is not None)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        users = rollout.scenario.traffic.users
        for step in self.steps:
            yield from rollout.provision(step.share(users))
            yield from rollout.shift(step.share(users))
            if self.admits is not None:
                rollout.show_to(step)
            yield from rollout.bake(step.bake, step.judge or self.judge)
            yield from rollout.judge(step.bake)
            yield from rollout.approve(step.approve)
        yield from rollout.promote(self.promote)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
