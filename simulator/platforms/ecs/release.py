"""Deployments of an ECS service: rolling updates, and the three that shift traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from simulator.platforms.ecs import rules
from simulator.words.detection import Judge
from simulator.words.strategy import MOST_FOLLOWED, Strategy
from simulator.words.units import Duration, Percentage, Portion, PortionField, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

_ALL = Portion.parse("100%")
_LONGEST, _LEAST_STEP, _LEAST_CANARY = 1440 * 60.0, 0.03, 0.001


class EcsRolling(Strategy):
    """The rolling update of an ECS service: tasks start and stop as two percentages allow.

    At least `minimum_healthy` of the desired tasks run (rounded up), at most `maximum` run or
    start (rounded down); when none may start and none stop the deployment is stuck. A failed task
    is replaced for ever, unless the circuit breaker counts too many: then the deployment has
    failed, and rolls back to the last completed one if that is on. Source: ECS API, 2026.
    """

    kind: Literal["ecs_rolling"] = "ecs_rolling"
    minimum_healthy: Share = Field(
        1.0, description="Share of the desired tasks that has to run, rounded up."
    )
    maximum: Percentage = Field(
        2.0, description="Share of the desired tasks that may run or start, rounded down."
    )
    circuit_breaker: bool = Field(
        False, description="Whether too many failed tasks make the deployment fail."
    )
    rollback: bool = Field(
        False, description="Whether a deployment failed by the circuit breaker rolls back itself."
    )
    failure_threshold: PortionField = Field(
        Portion.parse("50%"),
        description="Failed tasks that are too many: a count, or a share kept within 3 to 200.",
    )
    reset_on_healthy: bool = Field(
        True, description="Whether a healthy task sets the count of failed ones back to 0."
    )

    @model_validator(mode="after")
    def _can_move(self) -> EcsRolling:
        if self.maximum < 1:
            raise ValueError("maximum is below 100%: the desired tasks could not run; raise it")
        if self.rollback and not self.circuit_breaker:
            raise ValueError("rollback is the circuit breaker's: add circuit_breaker: true")
        if self.failure_threshold.number == 0:
            raise ValueError("failure_threshold must be at least 1 task or above 0%")
        return self

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """A deployment that is stuck, in tasks."""
        desired = scenario.service.instances
        bounds = rules.limits(desired, self.minimum_healthy, self.maximum)
        if not rules.stuck(desired, bounds):
            return ()
        return (
            f"stuck: of {desired} tasks {bounds.lower} have to run and {bounds.upper} may, "
            "so that none can start and none can stop",
        )

    def notes(self, scenario: Scenario) -> tuple[str, ...]:
        """The circuit breaker, where there are too many tasks to follow each."""
        tasks = scenario.service.instances
        if tasks <= MOST_FOLLOWED or not self.circuit_breaker:
            return ()
        return (f"{tasks} tasks start along their mean course: circuit_breaker is not followed",)

    def undoes(self, by: str) -> bool:
        return by != "health" and (by != "circuit breaker" or self.rollback)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        if self.circuit_breaker:
            failures = rules.failures(rollout.group, self.failure_threshold)
            yield from rollout.break_circuit(failures, self.reset_on_healthy)
        yield from rollout.roll(_ALL, *self._limits(rollout))

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.roll_old(_ALL, *self._limits(rollout))

    def _limits(self, rollout: Rollout) -> tuple[Portion, Portion]:
        """Tasks above the desired ones, and tasks that may be missing."""
        size = rollout.group
        bounds = rules.limits(size, self.minimum_healthy, self.maximum)
        return Portion(bounds.upper - size, False), Portion(size - bounds.lower, False)


class _Shifting(Strategy):
    """A second service revision at full size, to which traffic shifts; the way back is a shift."""

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return () if usual is None else (usual,)

    def undoes(self, by: str) -> bool:
        return by != "health"

    def _watch(self, rollout: Rollout, seconds: float) -> Iterator[Any]:
        yield from rollout.bake(seconds)
        yield from rollout.judge(seconds)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()


def _within_a_day(seconds: float) -> float:
    if seconds > _LONGEST:
        raise ValueError("is longer than 1440 minutes: ECS bakes for a day at most")
    return seconds


class EcsBlueGreen(_Shifting):
    """ECS's own blue/green: a full green revision, one shift, a bake in which both run.

    ECS asks for the bake and has no default; ten minutes here are judgement. Afterwards blue is
    terminated. Source: ECS API, 2026 (strategy BLUE_GREEN).
    """

    kind: Literal["ecs_blue_green"] = "ecs_blue_green"
    bake: Duration = Field(600.0, description="How long both run after all traffic has shifted.")

    _bakes = field_validator("bake")(_within_a_day)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)
        yield from rollout.shift(1)
        yield from self._watch(rollout, self.bake)
        yield from rollout.retire_old()


class EcsLinear(_Shifting):
    """ECS's linear deployment: equal steps at equal intervals to a green revision at full size.

    No step is baked after 100 %. Source: ECS API, 2026 (strategy LINEAR).
    """

    kind: Literal["ecs_linear"] = "ecs_linear"
    step: Share = Field(0.1, description="Traffic share of each step, 3 to 100 %.")
    step_bake: Duration = Field(360.0, description="How long each step is watched.")

    _bakes = field_validator("step_bake")(_within_a_day)

    @field_validator("step")
    @classmethod
    def _is_a_step(cls, value: float) -> float:
        if value < _LEAST_STEP:
            raise ValueError("is below 3%: ECS takes steps from 3% to 100%")
        return value

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)
        for weight in rules.weights(self.step):
            yield from rollout.shift(weight)
            if weight < 1:
                yield from self._watch(rollout, self.step_bake)
        yield from rollout.retire_old()


class EcsCanary(_Shifting):
    """ECS's canary: a small share to a green revision at full size, a bake, then the rest.

    Source: ECS API, 2026 (strategy CANARY).
    """

    kind: Literal["ecs_canary"] = "ecs_canary"
    canary: Share = Field(0.05, description="Traffic share of the canary, 0.1 to 100 %.")
    canary_bake: Duration = Field(600.0, description="How long the canary is watched.")

    _bakes = field_validator("canary_bake")(_within_a_day)

    @field_validator("canary")
    @classmethod
    def _is_a_canary(cls, value: float) -> float:
        if value < _LEAST_CANARY:
            raise ValueError("is below 0.1%: ECS takes canaries from 0.1% to 100%")
        return value

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)
        yield from rollout.shift(self.canary)
        yield from self._watch(rollout, self.canary_bake)
        yield from rollout.shift(1)
        yield from rollout.retire_old()
