"""Maintenance windows: targets are reinstalled in time boxes, the rest waits for the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.words.distributions import Constant, RandomDuration
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Portion, PortionField, PositiveDuration

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_HOUR = 3600.0


class MaintenanceWindow(Strategy):
    """Rate control within time boxes: nothing begins in the last `cutoff` of a window.

    Targets under way are finished, the others wait for the next window. The first one opens with
    the decision to deploy. Rolling back waits for no window.
    """

    kind: Literal["maintenance_window"] = "maintenance_window"
    duration: PositiveDuration = Field(4 * _HOUR, description="Length of a window, 1 to 24 h.")
    cutoff: Duration = Field(
        _HOUR, description="Time before its end in which nothing begins any more, 0 to 23 h."
    )
    every: PositiveDuration = Field(7 * 24 * _HOUR, description="From one opening to the next.")
    concurrency: PortionField = Field(
        Portion.parse(50), description="Targets at the same time: a count or a share."
    )
    max_errors: PortionField = Field(
        Portion.parse(0), description="Errors that are still accepted: a count or a share."
    )
    run_time: RandomDuration = Field(
        Constant(value=600.0), description="How long the task takes on a target."
    )

    @model_validator(mode="after")
    def _possible(self) -> MaintenanceWindow:
        if not _HOUR <= self.duration <= 24 * _HOUR or self.cutoff > 23 * _HOUR:
            raise ValueError("duration is 1 to 24 h and cutoff 0 to 23 h: change them")
        if not self.cutoff < self.duration <= self.every:
            raise ValueError("a window needs cutoff below duration, and duration within every")
        return self

    def release(self, rollout: Rollout) -> Iterator[Any]:
        hours = (self.every, self.duration - self.cutoff)
        yield from rollout.run_on_targets(
            self.concurrency, self.max_errors, self.run_time, hours=hours
        )

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.repair_targets(self.concurrency, self.run_time)
