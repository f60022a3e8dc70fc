"""Phased rollout: waves of users, cells or zones, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.words import waves as of_waves
from simulator.words.detection import Judge
from simulator.words.service import Service
from simulator.words.strategy import AnyStrategy, Strategy
from simulator.words.units import Duration, PositiveShare
from simulator.words.waves import SCHEDULES, Part, Wave

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_USUAL: dict[str, Any] = {"waves": ("10%", "30%", "60%"), "bake": "30m"}


class Phased(Strategy):
    """Move one wave of users after the other, and watch each before the next.

    A wave is moved at once by a prepared fleet of its share, or by the strategy in `within`. Users
    stay in their wave, but for waves of zones, which all users meet. The old fleet is kept until
    the last wave has been watched; rolling back concerns only what was moved. With `schedule:
    amazon` a box goes first in each wave, and steps start in working hours.
    """

    kind: Literal["phased"] = "phased"
    waves: tuple[PositiveShare | Wave, ...] = Field(
        (),
        description="Shares of the users, together 100 % (10%, 30%, 60% when left out), or cells: "
        "[{cells: [small], bake: 12h}, ...]; each cell, or zone, by itself when left out.",
    )
    bake: Duration | tuple[Duration, ...] | None = Field(
        None,
        description="How long each wave is watched: one length (30 min when left out), or one per "
        "wave; a schedule says it by itself.",
    )
    by: Literal["users", "cells", "zones"] = Field(
        "users", description="What a wave consists of; a region is a cell of its own."
    )
    schedule: Literal["amazon"] | None = Field(
        None,
        description="amazon: one box of each wave for 1 h, then 12 h for the first wave and 3 h "
        "for later ones; steps start in working hours only.",
    )
    within: AnyStrategy | None = Field(
        None, description="The strategy that moves each wave; at once when left out."
    )
    judge: Judge | None = Field(
        None, description="Judges each wave at the end of its bake; detection.judge when left out."
    )

    @model_validator(mode="before")
    @classmethod
    def _usually(cls, words: Any) -> Any:
        if not isinstance(words, Mapping):
            return words
        left = {"bake"} if words.get("schedule") is None else set()
        left |= {"waves"} if words.get("by", "users") == "users" else set()
        return {**{key: _USUAL[key] for key in left}, **words}

    @model_validator(mode="after")
    def _adds_up(self) -> Phased:
        if problem := of_waves.contradiction(self.waves, self.bake, self.by, self.schedule):
            raise ValueError(problem)
        if self.within is not None and self.within.moves_all:
            raise ValueError(
                f"within: {self.within.kind} moves everybody, not one wave: take another strategy"
            )
        return self

    @property
    def always_sticky(self) -> bool:
        return self.by != "zones"

    @property
    def waits_for_work(self) -> bool:
        return self.schedule is not None or super().waits_for_work

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        judge = self.judge or usual
        return () if judge is None else (judge,)

    def misfits(self, service: Service) -> Iterator[str]:
        yield from super().misfits(service)
        yield from of_waves.misfits(self.waves, self.bake, self.by, service)

    def parts(self, service: Service) -> tuple[Part, ...]:
        """What is moved, part by part, of a service."""
        schedule = SCHEDULES[self.schedule] if self.schedule else None
        return of_waves.in_parts(self.waves, self.bake, self.by, schedule, service)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        moved = 0.0
        for part in self.parts(rollout.scenario.service):
            rollout.begin_wave(part)
            if self.within is not None:
                yield from rollout.hand_over(self.within, part.share, moved)
            moved = min(moved + part.share, 1.0)
            if self.within is None:
                yield from rollout.provision(moved)
                yield from rollout.shift(moved, by_hand=True)
            yield from rollout.bake(part.bake, self.judge)
            yield from rollout.judge(part.bake)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.undo_handed_over()
        yield from rollout.return_to_old()
