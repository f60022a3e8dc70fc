"""Service by service: only what a change touches is released, one service after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from simulator.words.detection import Judge
from simulator.words.strategy import AnyStrategy, Strategy, kinds
from simulator.words.units import Count, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class ServiceByService(Strategy):
    """Release only the services that a change touches, one after the other, each as a release.

    A change begins in one service; with probability `coupling` each other one has to change with
    it: 1 + (count - 1) x coupling releases on average. Independent services (0 %) deploy one part
    of the system and leave the rest alone; at 100 % they are a monolith in lock-step, with as many
    releases as services, and with mixed contracts from the first to the last of them.
    """

    kind: Literal["service_by_service"] = "service_by_service"
    count: Count = Field(5, le=1000, description="Services, each an equal part of the requests.")
    coupling: Share = Field(
        0.2, description="Chance that another service has to change too (judgement, 0 to 60 %)."
    )
    each: AnyStrategy = Field(
        default_factory=lambda: kinds()["rolling"](),  # type: ignore[call-arg]
        description="The strategy that releases each service; a rolling update when left out.",
    )

    @field_validator("each")
    @classmethod
    def _a_part(cls, value: Strategy) -> Strategy:
        if value.moves_all:
            raise ValueError(
                f"each: {value.kind} moves everything, not one service: take another strategy"
            )
        return value

    @property
    def moves_all(self) -> bool:
        return True

    @property
    def most_releases(self) -> int:
        return self.count if self.coupling else 1

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return self.each.judges(usual)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        touched = rollout.touch(self.count, self.coupling)
        for number in range(touched):
            yield from rollout.begin_release()
            yield from rollout.hand_over(self.each, 1 / touched, number / touched)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.undo_handed_over()
