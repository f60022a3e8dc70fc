"""Deployments of Kubernetes: rolling updates, and recreating everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.platforms.kubernetes.rules import refuse
from simulator.words.limits import fenceposts
from simulator.words.strategy import MOST_FOLLOWED, Strategy
from simulator.words.units import Duration, Portion, PortionField, PositiveDuration

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

_QUARTER = Portion.parse("25%")
_ALL = Portion.parse("100%")


class KubernetesRolling(Strategy):
    """A Deployment with `strategy.type: RollingUpdate`: new pods as old ones may go.

    Never more than the wanted number and `max_surge` pods, never fewer available than it less
    `max_unavailable`; pods that are terminating do not count. Failed starts are tried again for
    ever: after `progress_deadline` without progress only the condition changes, and a person who
    looks may roll back, which is one more rolling update. Source: apps/v1 defaults.
    """

    kind: Literal["kubernetes_rolling"] = "kubernetes_rolling"
    max_surge: PortionField = Field(
        _QUARTER, description="Pods above the wanted number: a count, or a share rounded up."
    )
    max_unavailable: PortionField = Field(
        _QUARTER, description="Pods that may be missing: a count, or a share rounded down."
    )
    min_ready: Duration = Field(
        0.0, description="How long a pod has to be ready until it counts as available."
    )
    progress_deadline: PositiveDuration = Field(
        600.0, description="After so long without progress the Deployment says so; it goes on."
    )

    @model_validator(mode="after")
    def _can_move(self) -> KubernetesRolling:
        if reason := refuse(self.max_surge, self.max_unavailable):
            raise ValueError(f"{reason}; allow one of the two, e.g. max_surge: 1")
        if self.min_ready >= self.progress_deadline:
            raise ValueError(
                "progress_deadline must be longer than min_ready, or no pod could make it in time"
            )
        return self

    def undoes(self, by: str) -> bool:
        return by not in ("health", "progress deadline")

    def notes(self, scenario: Scenario) -> tuple[str, ...]:
        """The deadline, where there are too many pods to follow each."""
        pods = scenario.service.instances
        if pods <= MOST_FOLLOWED:
            return ()
        return (f"{pods} pods start along their mean course: progress_deadline is not followed",)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.expect_progress(self.progress_deadline)
        yield from rollout.roll(_ALL, *self._limits(rollout), "window", self.min_ready)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.roll_old(_ALL, *self._limits(rollout), "window", self.min_ready)

    def _limits(self, rollout: Rollout) -> tuple[Portion, Portion]:
        """The surge and what may be missing, in pods of this fleet, or of a cell's."""
        limits = fenceposts(self.max_surge, self.max_unavailable, rollout.group)
        return Portion(limits.surge, False), Portion(limits.unavailable, False)


class KubernetesRecreate(Strategy):
    """A Deployment with `strategy.type: Recreate`: all old pods go, then all new ones start.

    Nobody serves while the old ones terminate (the service's `drain`) and the first new one starts.
    Rolling back is the same again. Source: recreate.go, apps/v1 defaults.
    """

    kind: Literal["kubernetes_recreate"] = "kubernetes_recreate"
    progress_deadline: PositiveDuration = Field(
        600.0, description="After so long without progress the Deployment says so; it goes on."
    )

    @property
    def moves_all(self) -> bool:
        return True

    def undoes(self, by: str) -> bool:
        return by not in ("health", "progress deadline")

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.expect_progress(self.progress_deadline)
        yield from rollout.recreate()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.recreate_old()
