"""The stages of a Spinnaker pipeline that move instances or traffic, wait, or decide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from simulator.platforms.spinnaker import rules
from simulator.words.detection import Judge, JudgedMetric
from simulator.words.distributions import Constant, RandomDuration
from simulator.words.model import Words
from simulator.words.units import (
    Duration,
    Portion,
    PortionField,
    PositiveDuration,
    PositiveShare,
    Share,
)

_ONE, _QUARTER = Portion.parse(1), Portion.parse("25%")
_MOST_POINTS = 1440  # a side; a day of minutes


class DeployCanary(Words):
    """Deploy a canary, and as many instances of the old version as its baseline.

    Spinnaker's advice is a baseline as young and as large as the canary (best practices, 2023).
    """

    kind: Literal["deploy_canary"] = Field(description="The kind of stage.")
    instances: PortionField = Field(
        _ONE, description="Instances of the canary: a count, or a share rounded up."
    )
    baseline: bool = Field(
        True, description="Whether as many old instances are started to compare it with."
    )
    share: PositiveShare | None = Field(
        None, description="The canary's share of the traffic; as its instances have when left out."
    )


class Wait(Words):
    """Wait (waitTime)."""

    kind: Literal["wait"] = Field(description="The kind of stage.")
    duration: Duration = Field(600.0, description="How long the pipeline waits.")


class ManualJudgment(Words):
    """Wait until a person lets the pipeline go on; a stage of its own has no other default."""

    kind: Literal["manual_judgment"] = Field(description="The kind of stage.")
    takes: RandomDuration = Field(
        Constant(value=900.0),
        description="How long it takes until somebody has judged (judgement).",
    )


class CanaryAnalysis(Words):
    """Judge the canary in runs of Kayenta's Mann-Whitney judge; start values of the stage, 2023.

    Every `interval` a run compares what came since the `delay`, or over `lookback` only. A run
    whose score is not above `marginal` fails the canary at once; the last one has to reach
    `passing`. Without any requests to compare the score is 0.
    """

    kind: Literal["canary_analysis"] = Field(description="The kind of stage.")
    delay: Duration = Field(0.0, description="Wait before the first run's data begin.")
    interval: Duration = Field(
        rules.INTERVAL, description="Time between runs; one at the end of the lifetime when 0s."
    )
    lookback: Duration = Field(
        0.0, description="How far back a run looks (sliding); to the delay when 0s (growing)."
    )
    lifetime: PositiveDuration = Field(rules.LIFETIME, description="How long runs are made.")
    passing: PositiveShare = Field(
        rules.PASSING, description="Score that the last run has to reach."
    )
    marginal: Share = Field(rules.MARGINAL, description="Score above which every run has to be.")
    step: PositiveDuration = Field(rules.STEP, description="Time between two values of a metric.")
    metrics: tuple[JudgedMetric, ...] = Field(
        (JudgedMetric(metric="errors"),), description="What is compared, with weights."
    )
    unseen: Share = Field(
        0.0, description="Part of the score of metrics that no defect here moves: they pass."
    )

    @field_validator("lifetime")
    @classmethod
    def _a_minute(cls, value: float) -> float:
        if value < rules.MINUTE:
            raise ValueError("is below a minute: no run would be made")
        return value

    @model_validator(mode="after")
    def _can_be_judged(self) -> CanaryAnalysis:
        if self.marginal >= 1:
            raise ValueError("marginal of 100%: no score is above it")
        if not self.metrics:
            raise ValueError("metrics are empty: name one, e.g. [{metric: errors}]")
        if self.lifetime / self.step > _MOST_POINTS:
            raise ValueError(
                f"lifetime has more than {_MOST_POINTS} steps: make step longer, e.g. 5m"
            )
        if 0 < self.interval < rules.MINUTE or 0 < self.lookback < self.step:
            raise ValueError("interval must be at least 1m, and lookback at least a step")
        return self

    @cached_property
    def runs(self) -> tuple[rules.Run, ...]:
        """The analysis runs, seconds of the stage."""
        return rules.schedule(self.lifetime, self.interval, self.lookback, self.delay)

    @property
    def spans(self) -> tuple[tuple[rules.Run, float], ...]:
        """Each run with the end of the one before, seconds of the stage."""
        return tuple(zip(self.runs, (0.0, *(run.end for run in self.runs)), strict=False))

    def judges(self, baseline: bool) -> Iterator[Judge]:
        """The judge of the runs before the last, and that of the last."""
        least = rules.above(self.marginal)
        for wanted in (least, max(least, self.passing)):
            score = rules.of_seen(wanted, self.unseen)
            yield Judge(
                test="mann_whitney",
                against="baseline" if baseline else "old",
                metrics=self.metrics,
                passing=score,
                marginal=score,
                period=self.step,
                no_verdict="fail",
            )


class DeleteCanary(Words):
    """Delete the canary and its baseline: all traffic is on the old version again."""

    kind: Literal["delete_canary"] = Field(description="The kind of stage.")


class Deploy(Words):
    """Deploy to production by one of Spinnaker's rollout strategies.

    `red_black`: new instances take traffic as they come, then the old ones are disabled and kept;
    `rolling_red_black`: the same part by part (here a part has its traffic once all of it is up);
    `highlander`: the old ones are destroyed at once; `none`: the manifest is a Deployment, which
    Kubernetes rolls by itself (defaults of apps/v1). A baseline that is still there goes first, and
    a canary becomes a part of what is deployed.
    """

    kind: Literal["deploy"] = Field(description="The kind of stage.")
    rollout: Literal["red_black", "rolling_red_black", "highlander", "none"] = Field(
        "red_black", description="The rollout strategy."
    )
    steps: tuple[PositiveShare, ...] = Field(
        (0.5, 1.0), description="For rolling_red_black: parts that are replaced, up to all."
    )
    wait: Duration = Field(0.0, description="For rolling_red_black: wait after each part.")
    keep_old: Duration = Field(
        3600.0, description="For red/black: how long disabled instances are kept (judgement)."
    )
    max_surge: PortionField = Field(
        _QUARTER, description="For none: pods above the wanted number, a share rounded up."
    )
    max_unavailable: PortionField = Field(
        _QUARTER, description="For none: pods that may be missing, a share rounded down."
    )

    @model_validator(mode="after")
    def _reaches_all(self) -> Deploy:
        if self.steps[-1:] != (1.0,) or list(self.steps) != sorted(set(self.steps)):
            raise ValueError("steps rise and end with all: write e.g. [10%, 50%, 100%]")
        return self

    def limits(self, size: int) -> tuple[Portion, Portion]:
        """Pods above the wanted number, and pods that may be missing, of a Deployment."""
        surge = rules.surge(size, self.max_surge)
        below = rules.missing(size, self.max_unavailable, surge)
        return Portion(surge, False), Portion(below, False)


Stage = Annotated[
    DeployCanary | Wait | ManualJudgment | CanaryAnalysis | DeleteCanary | Deploy,
    Field(discriminator="kind"),
]
