"""Pipelines of Spinnaker: a canary, its analysis by Kayenta, and a deployment to production."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.platforms.spinnaker import rules
from simulator.platforms.spinnaker.stages import (
    CanaryAnalysis,
    DeleteCanary,
    Deploy,
    DeployCanary,
    ManualJudgment,
    Stage,
    Wait,
)
from simulator.words.detection import Judge
from simulator.words.strategy import Strategy
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_ALL, _NONE = Portion.parse("100%"), Portion.parse(0)


class Spinnaker(Strategy):
    """A pipeline of Spinnaker: its stages one after the other.

    It watches nothing but its own stages. When one fails the pipeline stops and leaves everything
    as it is, unless other stages clean up then (`on_failure`); otherwise a person has to, and the
    canary keeps its traffic until then. Source: spinnaker.io and orca, 2023 and 2025.
    """

    kind: Literal["spinnaker"] = "spinnaker"
    stages: tuple[Stage, ...] = Field(
        (
            DeployCanary(kind="deploy_canary"),
            CanaryAnalysis(kind="canary_analysis"),
            DeleteCanary(kind="delete_canary"),
            Deploy(kind="deploy"),
        ),
        description="The stages, in their order.",
    )
    on_failure: Literal["stop", "clean_up"] = Field(
        "stop", description="What follows a stage that fails: nothing, or stages that undo it all."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Spinnaker:
        canary = False
        for number, stage in enumerate(self.stages, 1):
            if isinstance(stage, DeployCanary):
                if canary:
                    raise ValueError(f"stage {number} deploys a canary while there is one")
                canary = True
            elif isinstance(stage, CanaryAnalysis | DeleteCanary) and not canary:
                raise ValueError(f"stage {number} needs a canary: add deploy_canary before it")
            canary = canary and not isinstance(stage, DeleteCanary | Deploy)
        if sum(isinstance(stage, Deploy) for stage in self.stages) != 1:
            raise ValueError("needs one stage that deploys to production: kind deploy")
        return self

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        """Those of its analyses; the scenario's own is not asked."""
        found, baseline = list[Judge](), False
        for stage in self.stages:
            if isinstance(stage, DeployCanary):
                baseline = stage.baseline
            elif isinstance(stage, CanaryAnalysis):
                found += stage.judges(baseline)
        return tuple(found)

    def looks_at(self, weight: float, seconds: float) -> Judge | None:
        """That of the analysis runs which look at so many seconds; the last run asks for more."""
        baseline, found = False, None
        for stage in self.stages:
            if isinstance(stage, DeployCanary):
                baseline = stage.baseline
            elif isinstance(stage, CanaryAnalysis):
                usual, last = stage.judges(baseline)
                spans = [run.end - max(run.start, before) for run, before in stage.spans]
                if any(math.isclose(span * self.pace, seconds) for span in spans):
                    found = found or (usual if len(spans) > 1 else last)
        return found

    def undoes(self, by: str) -> bool:
        return self.on_failure == "clean_up" or by not in ("judge", "health")

    def release(self, rollout: Rollout) -> Iterator[Any]:
        baseline = False
        for stage in self.stages:
            match stage:
                case DeployCanary():
                    baseline = stage.baseline
                    yield from self._canary(rollout, stage)
                case Wait():
                    yield from rollout.bake(stage.duration)
                case ManualJudgment():
                    yield from rollout.approve(stage.takes)
                case CanaryAnalysis():
                    yield from self._analyse(rollout, stage, baseline)
                case DeleteCanary():
                    yield from rollout.delete_canary()
                case Deploy():
                    yield from self._deploy(rollout, stage)

    def _canary(self, rollout: Rollout, stage: DeployCanary) -> Iterator[Any]:
        size = rollout.fleet.size
        count = stage.instances.of(size)
        beside = count if stage.baseline else 0
        yield from rollout.provision_beside(count, beside)
        share = rules.canary_share(size, count, beside) if stage.share is None else stage.share
        yield from rollout.shift(share)

    def _analyse(self, rollout: Rollout, stage: CanaryAnalysis, baseline: bool) -> Iterator[Any]:
        usual, last = stage.judges(baseline)
        for run, before in stage.spans:
            judge = last if run is stage.runs[-1] else usual
            begins = max(run.start, before)
            yield from rollout.bake(begins - before)
            yield from rollout.bake(run.end - begins, judge, run.end - run.start)
            yield from rollout.judge()

    def _deploy(self, rollout: Rollout, stage: Deploy) -> Iterator[Any]:
        yield from rollout.delete_baseline()
        match stage.rollout:
            case "red_black":
                yield from rollout.grow_and_shrink(_NONE, True)
                yield from rollout.keep_old(stage.keep_old)
            case "rolling_red_black":
                for part in stage.steps:
                    yield from rollout.provision(part)
                    yield from rollout.shift(part)
                    yield from rollout.bake(stage.wait)
                yield from rollout.keep_old(stage.keep_old)
            case "highlander":
                yield from rollout.enter(_ALL)
            case "none":
                yield from rollout.roll(_ALL, *stage.limits(rollout.fleet.size))
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.delete_baseline()
        deploy = next(stage for stage in self.stages if isinstance(stage, Deploy))
        if deploy.rollout == "none":
            yield from rollout.roll_old(_ALL, *deploy.limits(rollout.fleet.size))
        else:
            yield from rollout.leave_standby(0)
            yield from rollout.return_to_old()
