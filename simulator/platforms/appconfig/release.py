"""AppConfig: a configuration grows to everyone, then bakes; an alarm takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.platforms.appconfig import rules
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_OWN = ("growth", "factor", "duration", "bake")


class AppConfig(Strategy):
    """A change of configuration that more and more of the instances read, all of them running on.

    `strategy` is one of the predefined deployment strategies, or `custom` with its own growth.
    Nothing is installed; an instance has the change when it asks for it the next time, half of
    `poll` later on average.
    """

    kind: Literal["appconfig"] = "appconfig"
    strategy: Literal[
        "AppConfig.AllAtOnce",
        "AppConfig.Linear50PercentEvery30Seconds",
        "AppConfig.Linear20PercentEvery6Minutes",
        "AppConfig.Canary10Percent20Minutes",
        "custom",
    ] = Field(
        "AppConfig.Linear20PercentEvery6Minutes",
        description="A predefined deployment strategy, or custom.",
    )
    growth: Literal["linear", "exponential"] = Field(
        "linear", description="Of a custom one: G, 2G, 3G ... or G, 2G, 4G ..."
    )
    factor: PositiveShare = Field(0.2, description="Of a custom one: its growth factor G.")
    duration: Duration = Field(1800.0, description="Of a custom one: until everyone has it, <= 1d.")
    bake: Duration = Field(600.0, description="Of a custom one: watched afterwards, <= 1d.")
    poll: Duration = Field(
        45.0, description="How often each instance asks for it, at a moment of its own."
    )

    @model_validator(mode="after")
    def _possible(self) -> AppConfig:
        stated = sorted(self.model_fields_set & set(_OWN))
        if self.strategy != "custom" and stated and self._differs(stated):
            raise ValueError(
                f"{stated[0]} is fixed by {self.strategy}: remove it, or say strategy: custom"
            )
        if max(self.duration, self.bake) > 86_400 or self.factor < 0.01:
            raise ValueError("duration and bake are at most 1d, and factor is at least 1%")
        return self

    def _differs(self, stated: list[str]) -> bool:
        """Whether something other than the defaults is stated."""
        return any(getattr(self, key) != type(self).model_fields[key].default for key in stated)

    @property
    def moves_all(self) -> bool:
        return True

    @property
    def course(self) -> rules.Course:
        """How it grows, and how long it bakes."""
        own = rules.Course(self.growth, self.factor, self.duration, self.bake)
        return rules.PREDEFINED.get(self.strategy, own)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.share_instances(self.poll)
        before = 0.0
        for at, share in rules.steps(self.course):
            yield from rollout.bake(at - before)
            yield from rollout.shift(share)
            before = at
        yield from rollout.bake(self.course.bake)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.take_back(self.poll)
