"""A stack update that replaces an Auto Scaling group's instances (AutoScalingRollingUpdate)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from simulator.platforms.cloudformation import rules
from simulator.words.strategy import Strategy
from simulator.words.units import Count, Duration, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

_MOST = 100


class _StackUpdate(Strategy):
    """What updates of a stack have alike: rollback triggers, and failures that it undoes itself."""

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """A rollback trigger too many, or a longer watch than it has."""
        if scenario.response.automatic == "never":
            return ()
        reason = rules.refuse_triggers(len(scenario.detection.alarms), scenario.response.watch)
        return (reason,) if reason else ()

    def undoes(self, by: str) -> bool:
        return by != "health"


class CloudFormationRolling(_StackUpdate):
    """Replace instances in batches; without signals nobody asks whether they serve.

    A batch is terminated, as many new instances are launched, and after the pause the next one
    follows. With signals the pause is how long a batch may take to say that it works; an update
    with too few signals fails and rolls back by itself, under the same policy. Rollback triggers
    are the scenario's alarms, watched for `response.watch` after it. Source: AWS CloudFormation
    user guide, 2023 (UpdatePolicy).
    """

    kind: Literal["cloudformation_rolling"] = "cloudformation_rolling"
    max_batch: Count = Field(1, description="Instances replaced at a time (MaxBatchSize).")
    min_in_service: int = Field(
        0, ge=0, description="Instances of the group that stay in service meanwhile."
    )
    pause: Duration | None = Field(
        None,
        description="Wait after each batch (PauseTime), 0s when left out; with signals how long "
        "they may take, 5m.",
    )
    wait_on_signals: bool = Field(
        False, description="Whether each new instance has to signal that it works."
    )
    min_successful: Share = Field(
        1.0, description="Share of the instances that has to signal success, rounded up."
    )

    @field_validator("pause")
    @classmethod
    def _within_an_hour(cls, value: float | None) -> float | None:
        if value is not None and value > rules.LONGEST_PAUSE:
            raise ValueError("is longer than an hour: PauseTime is PT1H at most")
        return value

    @model_validator(mode="after")
    def _is_a_policy(self) -> CloudFormationRolling:
        if self.max_batch > _MOST:
            raise ValueError("max_batch is above 100: CloudFormation replaces 100 at a time")
        if self.min_successful < 1 and not self.wait_on_signals:
            raise ValueError("min_successful counts signals: add wait_on_signals: true")
        return self

    def release(self, rollout: Rollout) -> Iterator[Any]:
        size = rollout.fleet.size
        needed = rules.signals_needed(size, self.min_successful)
        tolerated = size - needed if self.wait_on_signals and needed else None
        yield from rollout.replace(self._limits(size), self._pause, tolerated)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        size = rollout.fleet.size
        tolerated = size if self.wait_on_signals else None
        yield from rollout.replace_old(self._limits(size), self._pause, tolerated)

    def _limits(self, size: int) -> rules.Batch:
        return rules.batch(size, self.max_batch, self.min_in_service)

    @property
    def _pause(self) -> float:
        usual = rules.SIGNALS_WITHIN if self.wait_on_signals else 0.0
        return usual if self.pause is None else self.pause


class CloudFormationReplacing(_StackUpdate):
    """A new Auto Scaling group beside the old one, which is deleted when enough have signalled.

    The group's creation policy waits for the share `min_successful` of its instances, `timeout` at
    most; with fewer the update fails and rolls back by itself: the new group is deleted. Without
    any (0 %) nobody waits, and the old group goes at once. Each new instance serves as soon as it
    is ready. Source: AWS CloudFormation user guide, 2023 (UpdatePolicy, CreationPolicy).
    """

    kind: Literal["cloudformation_replacing"] = "cloudformation_replacing"
    timeout: Duration = Field(
        rules.SIGNALS_WITHIN, description="How long instances may take to signal, at most 12h."
    )
    min_successful: Share = Field(
        1.0, description="Share of the instances that has to signal success, rounded up."
    )

    @field_validator("timeout")
    @classmethod
    def _within_half_a_day(cls, value: float) -> float:
        if value > rules.LONGEST_CREATION:
            raise ValueError("is longer than 12 hours: a creation policy waits PT12H at most")
        return value

    def release(self, rollout: Rollout) -> Iterator[Any]:
        size = rollout.fleet.size
        needed = rules.signals_needed(size, self.min_successful)
        tolerated = size - needed if needed else None
        wait = self.timeout if needed else 0.0
        yield from rollout.replace((size, 0, size), wait, tolerated)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
