"""Rollouts of Argo: canaries by counts of pods or by weights, and blue/green."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.platforms.argo_rollouts import rules
from simulator.words.analysis import Analysis
from simulator.words.distributions import LogNormal, RandomDuration
from simulator.words.limits import fenceposts
from simulator.words.model import Words
from simulator.words.strategy import Strategy
from simulator.words.units import (
    Count,
    Duration,
    Portion,
    PortionField,
    PositiveDuration,
    Share,
)

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

_QUARTER = Portion.parse("25%")


class RolloutStep(Words):
    """One step of a canary; it says exactly one thing."""

    weight: Share | None = Field(None, description="Traffic share from here on (setWeight).")
    pause: PositiveDuration | None = Field(None, description="Wait for so long.")
    approve: RandomDuration | None = Field(
        None, description="Wait until a person promotes (a pause without duration)."
    )
    analysis: tuple[Analysis, ...] = Field(
        (), description="Measure until all of these have passed."
    )
    canary_scale: PortionField | None = Field(
        None, description="Canary pods from here on, whatever the weight: a count or a share."
    )
    match_weight: bool = Field(
        False, description="Canary pods by the weight again (setCanaryScale.matchTrafficWeight)."
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> RolloutStep:
        said = [
            key for key in type(self).model_fields if getattr(self, key) not in (None, (), False)
        ]
        if len(said) != 1:
            told = " and ".join(said) if said else "nothing"
            raise ValueError(f"a step says one thing, this one says {told}; make it one step each")
        return self


class _Rollout(Strategy):
    """What canaries and blue/greens have in common: when pods count, and what is given up."""

    min_ready: Duration = Field(
        0.0, description="How long a pod has to be ready until it counts as available."
    )
    progress_deadline: PositiveDuration = Field(
        600.0, description="After so long without progress the rollout says so."
    )
    progress_abort: bool = Field(
        False, description="Whether it aborts then (progressDeadlineAbort)."
    )
    abort_scale_down_delay: Duration = Field(
        30.0, description="After an abort new pods stay so long; 0: for good."
    )

    @model_validator(mode="after")
    def _has_time(self) -> _Rollout:
        if self.min_ready >= self.progress_deadline:
            raise ValueError(
                "progress_deadline must be longer than min_ready, or no pod could make it in time"
            )
        return self

    @property
    def moves_all(self) -> bool:
        return True

    def undoes(self, by: str) -> bool:
        """Its own analyses, and if told so a deadline; whatever else is noticed pages a person."""
        own = {label for one in self.analyses for label in (one.label, one.label_without_data)}
        return by in own or (by == "progress deadline" and self.progress_abort)

    @property
    def _stays(self) -> float:
        """How long new pods stay after an abort, seconds."""
        return self.abort_scale_down_delay or math.inf


class ArgoCanary(_Rollout):
    """A Rollout with `strategy.canary`: steps of weights, pauses and analyses.

    Without `traffic_routing` a weight is what the numbers of pods make of it, replaced pod by pod
    within `max_surge` and `max_unavailable`, also on the way back. With it pods follow the weight,
    stable stays whole (unless `dynamic_stable_scale`), and an abort sets the weight to 0 at once.
    The background `analysis` begins before step `starting_step` (from 0) and ends with the
    promotion. After that a person who goes back skips the steps (promote --full). Source of the
    defaults: Argo Rollouts, utils/defaults (2025).
    """

    kind: Literal["argo_canary"] = "argo_canary"
    steps: tuple[RolloutStep, ...] = Field(
        (), description="Weights, pauses, analyses; a rolling update without any."
    )
    traffic_routing: bool = Field(
        False, description="Whether a mesh or an ingress sends traffic by weight."
    )
    max_surge: PortionField = Field(
        _QUARTER,
        description="Without traffic routing, pods above the wanted number: a count, or a share "
        "rounded up.",
    )
    max_unavailable: PortionField = Field(
        _QUARTER,
        description="Without traffic routing, pods that may be missing: a count, or a share "
        "rounded down.",
    )
    analysis: tuple[Analysis, ...] = Field((), description="Measured beside the steps.")
    starting_step: int = Field(0, ge=0, description="The step before which that begins, from 0.")
    min_pods: Count = Field(
        1, description="With traffic routing, the fewest pods of a version that has any."
    )
    dynamic_stable_scale: bool = Field(
        False, description="With traffic routing, whether stable shrinks as the weight grows."
    )
    scale_down_delay: Duration | None = Field(
        None,
        description="With traffic routing, how long old pods stay in the end; 30s if left out.",
    )

    @model_validator(mode="after")
    def _is_valid(self) -> ArgoCanary:
        for reason in rules.refuse_canary(
            self.max_surge,
            self.max_unavailable,
            self.traffic_routing,
            any(step.canary_scale or step.match_weight for step in self.steps),
            self.scale_down_delay is not None,
            self.dynamic_stable_scale,
        ):
            raise ValueError(reason)
        return self

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.analysis + tuple(one for step in self.steps for one in step.analysis)

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """An analysis step that nothing ends."""
        return tuple(
            f"step {number} never ends: its analysis has an interval and no count"
            for number, step in enumerate(self.steps, 1)
            if any(one.most is None for one in step.analysis)
        )

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.expect_progress(self.progress_deadline)
        for number in range(len(self.steps) + 1):
            if number == (self.starting_step if self.steps else 0):
                yield from rollout.begin_analysis(self.analysis)
            yield from self._take(rollout, number)
        yield from rollout.end_analysis()
        if self.traffic_routing:
            delay = 30.0 if self.scale_down_delay is None else self.scale_down_delay
            yield from rollout.keep_old(0.0 if self.dynamic_stable_scale else delay)
            yield from rollout.retire_old()

    def _take(self, rollout: Rollout, number: int) -> Iterator[Any]:
        """One step; the promotion comes after the last."""
        step = self.steps[number] if number < len(self.steps) else RolloutStep(weight=1.0)
        if step.pause is not None:
            yield from rollout.bake(step.pause)
        elif step.approve is not None:
            yield from rollout.approve(step.approve)
        elif step.analysis:
            yield from rollout.analyse(step.analysis)
        else:
            yield from self._move(rollout, number)

    def _move(self, rollout: Rollout, number: int) -> Iterator[Any]:
        """Bring pods, and the traffic, to what is in force at a step."""
        weight = rules.weight_in_force([step.weight for step in self.steps], number)
        size, least = rollout.fleet.size, self.min_pods
        if not self.traffic_routing:
            limits = fenceposts(self.max_surge, self.max_unavailable, size)
            wanted = rules.wish(size, weight, limits.surge)
            sizes = partial(self._sizes, size, weight)
            yield from rollout.reconcile(wanted.canary / sum(wanted), sizes, self.min_ready)
            return
        canary = rules.routed(size, weight, self._scale(number), least).canary
        stable = rules.dynamic(size, weight, weight, least=least).stable
        if self.dynamic_stable_scale:
            yield from rollout.provision(stable / size, 0)
        if canary >= rollout.fleet.up[1]:
            yield from rollout.scale(canary, ready=self.min_ready)
        yield from rollout.shift(weight if canary else 0.0)
        yield from rollout.scale(canary)
        if self.dynamic_stable_scale:
            yield from rollout.scale(stable, 0)

    def _scale(self, number: int) -> Portion | None:
        """The `canary_scale` in force at a step, if any."""
        if number >= len(self.steps):
            return None
        for step in reversed(self.steps[: number + 1]):
            if step.canary_scale is not None or step.match_weight:
                return step.canary_scale
        return None

    def _sizes(
        self, replicas: int, weight: float, canary: tuple[int, int], stable: tuple[int, int]
    ) -> tuple[int, int]:
        """What the controller makes next of (shall have, available) pods of the two versions."""
        limits = fenceposts(self.max_surge, self.max_unavailable, replicas)
        now = rules.Basic(rules.Pods(*canary), rules.Pods(*stable))
        return rules.next_sizes(now, replicas, weight, limits)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        if not self.traffic_routing:
            sizes = partial(self._sizes, rollout.fleet.size, 0.0)
            yield from rollout.reconcile_old(sizes, self.min_ready)
            return
        if self.dynamic_stable_scale:
            weights = [step.weight or 0.0 for step in self.steps]
            yield from rollout.step_back(rules.way_back(weights, rollout.weight())[:-1])
        yield from rollout.return_to_old(self._stays)


class ArgoBlueGreen(_Rollout):
    """A Rollout with `strategy.blueGreen`: new pods behind a preview service, then one switch.

    With fewer `preview_replicas` the rest starts before the switch. After the switch old pods stay
    `scale_down_delay`; without one until the `post_promotion_analysis` is over, at least 30 s. An
    abort sends everybody back to them. Source of the defaults: Argo Rollouts (2025).
    """

    kind: Literal["argo_blue_green"] = "argo_blue_green"
    preview_replicas: Count | None = Field(
        None, description="New pods until the promotion; all when left out."
    )
    pre_promotion_analysis: tuple[Analysis, ...] = Field(
        (), description="Measured before the switch, until all have passed."
    )
    auto_promotion: bool = Field(
        True, description="Whether it goes on by itself; otherwise a person promotes."
    )
    auto_promotion_after: Duration = Field(
        0.0, description="How long it waits before it goes on by itself."
    )
    approve: RandomDuration = Field(
        LogNormal(median=1800.0, sigma=1.26),
        description="How long a person takes to promote (judgement: half an hour, 5 % over 4 h).",
    )
    post_promotion_analysis: tuple[Analysis, ...] = Field(
        (), description="Measured after the switch."
    )
    scale_down_delay: Duration | None = Field(
        None, description="How long old pods stay after the switch."
    )

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.pre_promotion_analysis + self.post_promotion_analysis

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """An analysis that nothing ends."""
        waited = self.pre_promotion_analysis
        if self.scale_down_delay is None:
            waited += self.post_promotion_analysis
        if any(one.most is None for one in waited):
            return ("never ends: an analysis has an interval and no count",)
        return ()

    def release(self, rollout: Rollout) -> Iterator[Any]:
        size = rollout.fleet.size
        yield from rollout.expect_progress(self.progress_deadline)
        first = size if self.preview_replicas is None else self.preview_replicas
        yield from rollout.scale(first, ready=self.min_ready)
        yield from rollout.analyse(self.pre_promotion_analysis)
        if not self.auto_promotion:
            yield from rollout.approve(self.approve)
        else:
            yield from rollout.bake(self.auto_promotion_after)
        yield from rollout.scale(size, ready=self.min_ready)
        yield from rollout.shift(1)
        if self.scale_down_delay is None:
            yield from rollout.analyse(self.post_promotion_analysis, least=30.0)
        else:
            yield from rollout.begin_analysis(self.post_promotion_analysis)
            yield from rollout.keep_old(self.scale_down_delay)
            yield from rollout.end_analysis()
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old(self._stays)
