"""Feature flag: the code is shipped dark, then a flag turns it on for more and more users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from simulator.words.detection import Judge
from simulator.words.strategy import AnyStrategy, Step, Strategy, kinds
from simulator.words.units import Count, Duration, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class FeatureFlag(Strategy):
    """Ship the new code switched off, then switch it on step by step for fixed shares of the users.

    Only what sits behind the flag is dark: other defects, and crashes always, reach everybody the
    way the code is shipped, and no flag takes them back. The same holds for a defect in a
    combination of flags that nobody tested: "off" is such a combination as well. Switching takes
    until every instance has asked for the flags again; each step is a change by hand.
    """

    always_sticky: ClassVar[bool] = True
    kind: Literal["feature_flag"] = "feature_flag"
    steps: tuple[Step, ...] = Field(
        (Step(weight=0.05, bake=600), Step(weight=0.25, bake=600), Step(weight=0.5, bake=600)),
        description="Shares of the users for whom it is on, and how long each is watched.",
    )
    poll: Duration = Field(30.0, description="How often instances ask for the flags.")
    covered: Share = Field(
        0.7, description="Share of defects that sit behind the flag (judgement, 40 to 90 %)."
    )
    flags: Count = Field(1, le=64, description="Flags that act on each other, this one included.")
    combinations_tested: Count | None = Field(
        None, description="Of their 2^flags combinations, those tested; all when left out."
    )
    ship: AnyStrategy = Field(
        default_factory=lambda: kinds()["rolling"](),  # type: ignore[call-arg]
        description="The strategy that ships the code; a rolling update when left out.",
    )
    judge: Judge | None = Field(
        None, description="Judges each step at its end; detection.judge when left out."
    )

    @field_validator("ship")
    @classmethod
    def _ships(cls, value: Strategy) -> Strategy:
        if value.moves_all and value.kind != "big_bang":
            raise ValueError(f"{value.kind} switches a flag of its own: ship by another strategy")
        return value

    @property
    def moves_all(self) -> bool:
        return True

    @property
    def on_trunk(self) -> bool:
        return True

    @property
    def dark(self) -> float:
        """The share of defects that the flag hides: covered, in a combination that was tested."""
        tested = self.combinations_tested
        return self.covered if tested is None else self.covered * min(tested / 2**self.flags, 1.0)

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        found = (step.judge or self.judge or usual for step in self.steps)
        return tuple(judge for judge in found if judge is not None) + self.ship.judges(usual)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.ship_dark(self.ship, self.dark)
        users = rollout.scenario.traffic.users
        for step in self.steps:
            yield from rollout.switch_flag(step.share(users), self.poll)
            if self.admits is not None:
                rollout.show_to(step)
            yield from rollout.bake(step.bake, step.judge or self.judge)
            yield from rollout.judge(step.bake)
            yield from rollout.approve(step.approve)
        yield from rollout.switch_flag(1, self.poll)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.switch_flag_off(self.poll)
        yield from rollout.undo_handed_over()
