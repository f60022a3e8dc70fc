"""Watching the fleet of one rollout while it is played."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import simpy

from simulator.play.fault import GOOD, Fault
from simulator.play.fleet import NEW, OLD
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.rollout import Rollout
from simulator.words.scenario import Scenario


class Moment(NamedTuple):
    """The fleet from a moment on (s): old and new instances in service, and all that are held."""

    time: float
    old: int
    new: int
    held: int

    @property
    def serving(self) -> int:
        """Instances in service."""
        return self.old + self.new


def watched(
    scenario: Scenario,
    fault: Fault = GOOD,
    seed: int = 1,
    then: Callable[[Rollout], None] = lambda _: None,
) -> tuple[Rollout, list[Moment]]:
    """Play the first strategy; and the fleet from every moment on at which something happened."""
    plan = prepare(scenario, next(iter(scenario.strategies)))
    env, now = simpy.Environment(), 0.0
    rollout = Rollout(env, plan, Luck(seed), fault)
    then(rollout)
    rollout.begin_life()
    moments = []
    while not rollout.ended:
        upcoming = env.peek()
        assert upcoming < math.inf, "nothing left to happen"
        if upcoming > now:
            fleet = rollout.fleet
            moments.append(Moment(now, fleet.up[OLD], fleet.up[NEW], fleet.held))
            now = rollout.advance(now, upcoming)
            if now < upcoming:
                continue
        env.step()
    fleet = rollout.fleet
    moments.append(Moment(now, fleet.up[OLD], fleet.up[NEW], fleet.held))
    return rollout, moments
