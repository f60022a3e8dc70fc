"""Rate controlled: a command runs on every target, some at a time, up to too many errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.distributions import Constant, RandomDuration
from simulator.words.strategy import Strategy
from simulator.words.units import Portion, PortionField

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class RateControlled(Strategy):
    """Reinstall the targets in place, at most `concurrency` at once, each drained before.

    A target whose new version does not start is an error; with more than `max_errors` nothing
    further is started (Systems Manager's rate control). Rolling back repairs what was touched.
    """

    kind: Literal["rate_controlled"] = "rate_controlled"
    concurrency: PortionField = Field(
        Portion.parse(50), description="Targets at the same time: a count or a share."
    )
    max_errors: PortionField = Field(
        Portion.parse(0), description="Errors that are still accepted: a count or a share."
    )
    run_time: RandomDuration = Field(
        Constant(value=120.0), description="How long the command takes on a target."
    )
    ramp: Literal["none", "doubling"] = Field(
        "none", description="Whether it begins with one target and doubles up to the concurrency."
    )

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.run_on_targets(
            self.concurrency, self.max_errors, self.run_time, self.ramp == "doubling"
        )

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.repair_targets(self.concurrency, self.run_time)
