"""OpsWorks Stacks (legacy): the Deploy command on everything at once, or zone by zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.platforms.opsworks import rules
from simulator.words.distributions import Constant, RandomDuration
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Portion

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_ZONES = 3
_ALL, _NONE = Portion.parse("100%"), Portion.parse(0)


class OpsWorksDeploy(Strategy):
    """Run the Deploy event on online instances; an instance serves nobody while it runs.

    `all_at_once` is what the command does by itself. `by_zone` is the guide's rolling deployment:
    one instance, the rest of its zone, then each other zone, each checked before the next (three
    zones when the service does not say). Rolling back deploys the version before on whatever was
    touched, as many at a time.
    """

    kind: Literal["opsworks_deploy"] = "opsworks_deploy"
    order: Literal["all_at_once", "by_zone"] = Field(
        "all_at_once", description="Everything at once, or one instance, its zone, the others."
    )
    run_time: RandomDuration = Field(
        Constant(value=120.0), description="How long Deploy runs on an instance."
    )
    check: Duration = Field(300.0, description="By zone: how long each part is watched.")

    def release(self, rollout: Rollout) -> Iterator[Any]:
        size, done = rollout.plan.size, 0
        for part in self._parts(rollout):
            if done:
                yield from rollout.bake(self.check)
            done += part
            yield from rollout.run_on_targets(_ALL, _NONE, self.run_time, upto=done / size)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        most = Portion.parse(max(self._parts(rollout)))
        yield from rollout.repair_targets(most, self.run_time)

    def _parts(self, rollout: Rollout) -> tuple[int, ...]:
        plan = rollout.plan
        if self.order == "all_at_once":
            return (plan.size,)
        return rules.parts(plan.size, plan.scenario.service.zones or _ZONES)
