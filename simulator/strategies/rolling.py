"""Rolling update: the instances of one pool are replaced a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Portion, PortionField

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Rolling(Strategy):
    """Replace the pool's instances at most `batch` at a time; traffic follows who is in service.

    `window` frees the slot of a finished instance at once (Kubernetes, ECS, Argo, instance
    refresh), `batch` waits for the whole batch (Beanstalk, CloudFormation) and takes about twice
    as long with the same numbers. At most min(batch, surge + max_unavailable) are in flight.
    """

    kind: Literal["rolling"] = "rolling"
    batch: PortionField = Field(
        Portion.parse("25%"), description="Instances replaced at a time: a count or a share."
    )
    mode: Literal["window", "batch"] = Field(
        "window", description="Whether a finished instance frees its slot at once."
    )
    surge: PortionField = Field(
        Portion.parse(0), description="Instances above the fleet's size while rolling."
    )
    max_unavailable: PortionField | None = Field(
        None, description="Instances below the fleet's size; the batch when surge is 0, else 0."
    )
    in_place: bool = Field(False, description="Drain and reinstall instead of replacing.")
    pause: Duration = Field(0.0, description="Wait after each instance (window) or batch.")
    rollback_batch: PortionField | None = Field(
        None, description="Instances at a time when rolling back; the batch when left out."
    )

    @model_validator(mode="after")
    def _can_move(self) -> Rolling:
        unavailable = self.max_unavailable
        if self.surge.of(1000) == 0 and unavailable is not None and unavailable.of(1000) == 0:
            raise ValueError(
                "surge 0 and max_unavailable 0 leave no instance that may be replaced: "
                "allow at least one of the two, e.g. surge: 1"
            )
        if self.in_place and self.surge.of(1000) > 0:
            raise ValueError("in place nothing can surge: remove surge, or set in_place: false")
        return self

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.roll(
            self.batch, self.surge, self.unavailable, self.mode, self.pause, self.in_place
        )

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        batch = self.rollback_batch or self.batch
        yield from rollout.roll_old(
            batch, self.surge, self.max_unavailable or batch, self.mode, self.pause, self.in_place
        )

    @property
    def unavailable(self) -> Portion:
        """Instances that may be missing from the fleet's size while rolling forward."""
        if self.max_unavailable is not None:
            return self.max_unavailable
        return self.batch if self.surge.of(1000) == 0 else Portion.parse(0)
