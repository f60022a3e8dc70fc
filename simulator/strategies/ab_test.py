"""A/B test: a sticky split that lasts until the effect it looks for would show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.words.strategy import Strategy
from simulator.words.units import Duration, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario


class ABTest(Strategy):
    """Split the users, wait for the sample the effect needs, decide, then move everybody.

    Without `duration` the test lasts until each arm has seen n users, n from the two-proportion
    formula of Fleiss without continuity correction; users arrive as their Poisson requests do.
    """

    always_sticky: ClassVar[bool] = True
    kind: Literal["ab_test"] = "ab_test"
    share: PositiveShare = Field(0.5, description="Share of the users who get the new version.")
    baseline: PositiveShare = Field(0.05, description="Conversion of the old version.")
    effect: PositiveShare = Field(0.005, description="Absolute change that must not be missed.")
    power: PositiveShare = Field(0.8, description="Chance to see that effect.")
    significance: PositiveShare = Field(0.05, description="Chance of a false positive, two-sided.")
    duration: Duration | None = Field(
        None, description="Length of the test; computed from the effect when left out."
    )

    @model_validator(mode="after")
    def _possible(self) -> ABTest:
        if self.share >= 1 or self.baseline + self.effect >= 1:
            raise ValueError("share, and baseline + effect, must be below 100%")
        return self

    @property
    def sample(self) -> int:
        """Users needed in the smaller arm (source: Fleiss 1981, without continuity correction)."""
        small, large, k = self.baseline + self.effect, self.baseline, self._ratio
        if self.share > 0.5:
            small, large = large, small
        pooled = (small + k * large) / (1 + k)
        z = NormalDist().inv_cdf
        a = z(1 - self.significance / 2) * math.sqrt((1 + 1 / k) * pooled * (1 - pooled))
        b = z(self.power) * math.sqrt(small * (1 - small) + large * (1 - large) / k)
        return math.ceil(((a + b) / self.effect) ** 2)

    @property
    def _ratio(self) -> float:
        small = min(self.share, 1 - self.share)
        return (1 - small) / small

    def length(self, users: int, rate: float) -> float:
        """Seconds until the smaller arm has seen its sample; infinite when there are too few users.

        With U users and `rate` requests/s in all, U (1 - exp(-rate t / U)) have come by t.
        """
        if self.duration is not None:
            return self.duration
        needed = self.sample / (users * min(self.share, 1 - self.share))
        return -math.log1p(-needed) * users / rate if needed < 1 else math.inf

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """Too few users for the effect."""
        users = scenario.traffic.users
        if self.length(users, scenario.traffic.mean) < math.inf:
            return ()
        arm = int(users * min(self.share, 1 - self.share))
        return (f"needs {self.sample} users in the smaller arm, it has {arm}",)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(self.share)
        yield from rollout.shift(self.share)
        yield from rollout.bake(self.length(rollout.plan.users, rollout.plan.rate))
        yield from rollout.promote("at_once")

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
