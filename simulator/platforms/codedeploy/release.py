"""Deployments of CodeDeploy by their configuration: hosts in place, or a shift of traffic."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from simulator.platforms.codedeploy import rules
from simulator.words.detection import Judge
from simulator.words.strategy import Smoke, Strategy
from simulator.words.units import Duration, Portion, PortionField

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

_PREFIX = "CodeDeployDefault."
_NONE = Portion.parse(0)


class CodeDeploy(Strategy):
    """Deploy by a published configuration, or with a minimum of healthy hosts of your own.

    Hosts are drained, reinstalled and registered again, as many at once as keep the minimum; one
    that fails stays out, and the deployment stops when no host may be taken any more. A rollback is
    a new deployment of the old version (here: to the hosts that were touched). On ECS and Lambda
    traffic shifts to a second fleet. Source: CodeDeploy API, 2026, and user guide, 2023.
    """

    kind: Literal["codedeploy"] = "codedeploy"
    config: str | None = Field(
        None,
        description="A published configuration, e.g. HalfAtATime or ECSCanary10Percent5Minutes, or "
        "one's own shift in the same words; OneAtATime when left out.",
    )
    minimum_healthy: PortionField | None = Field(
        None, description="Hosts that stay healthy instead: a count, or a share rounded up."
    )
    zonal: bool = Field(False, description="Whether one zone is deployed to after the other.")
    zone_minimum: PortionField = Field(
        _NONE, description="Hosts of the zone that stay healthy: a count, or a share rounded up."
    )
    monitor: Duration = Field(0.0, description="Wait after each zone but the last.")
    first_monitor: Duration | None = Field(
        None, description="Wait after the first zone; as after the others when left out."
    )
    rollback: bool = Field(
        False, description="Whether a failed deployment rolls back by itself (DEPLOYMENT_FAILURE)."
    )
    terminate_after: Duration = Field(
        0.0, description="How long the old fleet stays after a shift (terminationWaitTime)."
    )

    smoke: Smoke | None = Field(
        None, description="Of a shift: tests before any traffic (the hook BeforeAllowTraffic)."
    )

    @field_validator("config")
    @classmethod
    def _is_published(cls, value: str | None) -> str | None:
        known = (*rules.HOSTS, *rules.SHIFTS)
        name = None if value is None else value.removeprefix(_PREFIX)
        if name is None or name in known:
            return name
        if rules.is_shift(name):
            if reason := rules.refuse_shift(name):
                raise ValueError(f"{reason}; change it")
            return name
        near = difflib.get_close_matches(name, known, 1)
        hint = f" (did you mean {near[0]}?)" if near else f"; allowed: {', '.join(known)}"
        raise ValueError(f"no published configuration is called {value!r}{hint}")

    @model_validator(mode="after")
    def _is_one_way(self) -> CodeDeploy:
        healthy = self.minimum_healthy
        if healthy is not None and self.config is not None:
            raise ValueError("config and minimum_healthy say the same thing: remove one of them")
        if healthy is not None and healthy.is_share and healthy.number >= 1:
            raise ValueError("minimum_healthy of all hosts lets none be taken: 99% at most")
        if self.smoke is not None and not rules.is_shift(self.config):
            raise ValueError("smoke is for shifts: hosts in place are not tested apart; remove it")
        if self.zonal and rules.is_shift(self.config):
            raise ValueError("zonal is for hosts in place: remove it, or take another config")
        return self

    @property
    def moves_all(self) -> bool:
        return self.config == "AllAtOnce"

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return () if usual is None or not rules.is_shift(self.config) else (usual,)

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """A minimum that lets no host be taken, or zones that nobody told."""
        size, zones = scenario.service.instances, scenario.service.zones
        least = self._least(size)
        if rules.is_shift(self.config):
            return ()
        if least >= size:
            return (f"needs {least} healthy hosts of {size}: fails at once, no host may be taken",)
        if self.zonal and zones is None:
            return ("zonal needs to know the zones: write service.zones, e.g. 3",)
        for hosts in rules.zones(size, zones or 1) if self.zonal else ():
            kept = rules.minimum(hosts, self.zone_minimum)
            if kept >= hosts:
                return (f"needs {kept} healthy hosts of {hosts} in a zone: none may be taken",)
        return ()

    def undoes(self, by: str) -> bool:
        return self.rollback or by not in ("health", "minimum healthy hosts")

    def release(self, rollout: Rollout) -> Iterator[Any]:
        if rules.is_shift(self.config):
            yield from self._shift(rollout)
            return
        size = rollout.fleet.size
        number = (rollout.plan.scenario.service.zones or 1) if self.zonal else 1
        for zone, hosts in enumerate(rules.zones(size, number)):
            kept = rules.minimum(hosts, self.zone_minimum) if self.zonal else 0
            yield from rollout.deploy_to_hosts(hosts, self._least(size), kept)
            first = self.first_monitor if zone == 0 else None
            if zone < number - 1:
                yield from rollout.bake(self.monitor if first is None else first)
        yield from rollout.accept_failed_hosts()

    def _shift(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)
        yield from rollout.smoke_test(self.smoke)
        for weight, wait in rules.shifts(self.config or ""):
            yield from rollout.shift(weight)
            yield from rollout.bake(wait)
            yield from rollout.judge(wait)
        yield from rollout.keep_old(self.terminate_after)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        if rules.is_shift(self.config):
            yield from rollout.return_to_old()
            return
        size = rollout.fleet.size
        at_once = Portion(size - self._least(size), False)
        yield from rollout.roll_old(at_once, _NONE, at_once, in_place=True)

    def _least(self, size: int) -> int:
        """Hosts that have to stay healthy."""
        if self.minimum_healthy is not None:
            return rules.minimum(size, self.minimum_healthy)
        config = self.config or "OneAtATime"
        return 0 if rules.is_shift(config) else rules.minimum_of(config, size)
