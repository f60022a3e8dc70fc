"""Deployments of Elastic Beanstalk by their policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from simulator.platforms.beanstalk import rules
from simulator.words.detection import Judge
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Portion, PortionField, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_NONE, _ONE, _ALL = Portion.parse(0), Portion.parse(1), Portion.parse("100%")
_SECOND_GROUP = ("immutable", "traffic_splitting")


class Beanstalk(Strategy):
    """Deploy a version to an environment: in place all at once or in batches, or by a second group.

    `rolling` detaches a batch, installs, attaches it, and waits until it has been healthy for
    `health_wait`; with an additional batch as many new instances serve meanwhile and the surplus
    goes at the end. A failed batch leaves the fleet mixed until a person acts. `immutable` starts
    one instance in a second group, then the rest; `traffic_splitting` sends it a share first; when
    that fails only the second group is terminated. Source: Elastic Beanstalk guide, 2023.
    """

    kind: Literal["beanstalk"] = "beanstalk"
    policy: rules.Policy = Field("all_at_once", description="The deployment policy.")
    batch: PortionField = Field(
        _ALL, description="Instances of a batch of rolling: a count, or a share rounded up."
    )
    health_wait: Duration = Field(
        rules.CHECKS * rules.CHECK_EVERY,
        description="How long instances have to be healthy: 12 passed checks in two minutes.",
    )
    new_version: PositiveShare = Field(
        0.1, description="Traffic share of the new version while traffic is split."
    )
    evaluation: Duration = Field(
        300.0, description="How long traffic is split until everything follows."
    )

    command_timeout: Duration = Field(
        rules.COMMAND_TIMEOUT,
        description="How long a batch may take until it serves, 240 s that Beanstalk adds apart; "
        "then the deployment has failed.",
    )

    @field_validator("command_timeout")
    @classmethod
    def _within_an_hour(cls, value: float) -> float:
        if not rules.SHORTEST_COMMAND <= value <= rules.LONGEST_COMMAND:
            raise ValueError("is outside 1 to 3600 seconds, which a command may take")
        return value

    @field_validator("evaluation")
    @classmethod
    def _within_limits(cls, value: float) -> float:
        if not rules.SHORTEST_EVALUATION <= value <= rules.LONGEST_EVALUATION:
            raise ValueError("is outside 3 to 600 minutes, which Beanstalk evaluates for")
        return value

    @property
    def moves_all(self) -> bool:
        return self.policy in ("all_at_once", "rolling_with_additional_batch")

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return () if usual is None or self.policy not in _SECOND_GROUP else (usual,)

    def undoes(self, by: str) -> bool:
        return by not in ("health", "command timeout") or self.policy in _SECOND_GROUP

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.limit_commands(self.command_timeout + rules.COMMAND_GRACE)
        batch = Portion(rules.batch(rollout.fleet.size, self.batch), False)
        match self.policy:
            case "all_at_once":
                yield from rollout.reinstall()
            case "rolling":
                yield from rollout.roll(batch, _NONE, batch, "batch", self.health_wait, True)
            case "rolling_with_additional_batch":
                yield from rollout.enter(batch)
                yield from rollout.bake(self.health_wait)
                yield from rollout.reinstall_beside(batch, self.health_wait)
            case "immutable":
                yield from rollout.enter(_ONE)
                yield from self._watch(rollout, self.health_wait)
                yield from rollout.enter(_ALL)
            case "traffic_splitting":
                yield from rollout.provision(1)
                yield from rollout.shift(self.new_version)
                yield from self._watch(rollout, self.evaluation)
                yield from rollout.shift(1)
        if self.policy != "traffic_splitting":
            yield from rollout.bake(self.health_wait)
        yield from rollout.retire_surplus()

    def _watch(self, rollout: Rollout, seconds: float) -> Iterator[Any]:
        yield from rollout.bake(seconds)
        yield from rollout.judge(seconds)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        batch = Portion(rules.batch(rollout.fleet.size, self.batch), False)
        match self.policy:
            case "all_at_once":
                yield from rollout.reinstall_old()
            case "rolling":
                yield from rollout.roll_old(batch, _NONE, batch, "batch", self.health_wait, True)
            case "rolling_with_additional_batch":
                yield from rollout.reinstall_old_beside(batch, self.health_wait)
            case _:
                yield from rollout.return_to_old()
