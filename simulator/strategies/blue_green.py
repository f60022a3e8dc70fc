"""Blue/green: a complete second fleet, a cut-over, and a way back while the first one lives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.cutover import CutOver, Method, Name, method
from simulator.words.detection import Judge
from simulator.words.strategy import Smoke, Strategy
from simulator.words.units import Duration

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario


class BlueGreen(Strategy):
    """Build green beside blue, test it, cut all traffic over, watch, keep blue, then retire it.

    Rolling back cuts back to blue while it lives; afterwards blue has to be built again. The extra
    cost is a whole fleet for as long as both live.
    """

    kind: Literal["blue_green"] = "blue_green"
    cutover: Name | CutOver = Field(
        "load_balancer",
        description="How traffic moves: a method by its name, or with its settings.",
    )
    smoke: Smoke | None = Field(
        Smoke(duration=0.0), description="Tests before the cut-over; none switches them off."
    )
    bake: Duration = Field(0.0, description="How long the release waits after the cut-over.")
    judge: Judge | None = Field(
        None,
        description="Judges the release after its bake, against the time before; "
        "detection.judge when left out.",
    )
    keep_old: Duration = Field(3600.0, description="How long blue is kept after that.")
    green: Literal["full", "scaled"] = Field(
        "full",
        description="Size of green before the cut-over; scaled: the fewest instances that "
        "service.scaling allows, which adds the others.",
    )

    @property
    def method(self) -> Method:
        """The cut-over method with its settings."""
        return self._method

    @cached_property
    def _method(self) -> Method:
        return method(self.cutover)

    @property
    def pooled(self) -> bool:
        return self.method.pooled

    @property
    def moves_all(self) -> bool:
        return not self.method.apart

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None or self.pooled else (judge,)

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """Green cannot be small where nothing adds what it lacks."""
        if self.green == "full" or (scenario.service.scaling and self.method.grows):
            return ()
        return ("green: scaled needs service.scaling and 1 of load_balancer, dns and swap_group",)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        build = self.method.build if self.green == "full" else self.method.build_small
        yield from build(rollout)
        yield from rollout.smoke_test(self.smoke if self.method.apart else None)
        yield from self.method.move(rollout)
        yield from rollout.bake(self.bake, self.judge)
        yield from rollout.judge(self.bake)
        yield from rollout.keep_old(self.keep_old)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from self.method.go_back(rollout)
