"""Responding: how long it takes from a detection to the decision to roll back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.play.luck import Purpose

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

LOOKS: Final = "operator"
BY_PEOPLE: Final = frozenset({"people", "noticed", "audit"})


def delay_to_decision(rollout: Rollout, by: str) -> float:
    """Seconds from the detection to the decision.

    What people find, and audits, is decided by a person who is already at it. An alarm, a judge
    or a failed health check rolls back by itself while the rollout is watched (or for good with
    `automatic: always`); otherwise it pages someone who acknowledges and then decides, both
    slower by `off_hours` outside the working hours of the calendar.
    """
    response, luck = rollout.plan.response, rollout.luck
    page = response.page
    machine = by not in BY_PEOPLE
    strategy = rollout.handed[-1] if rollout.handed else rollout.strategy
    automatic = response.automatic if by != LOOKS and strategy.undoes(by) else "never"
    if machine and (automatic == "always" or (automatic == "watched" and rollout.watched)):
        return response.decide.sample(luck.uniform(Purpose.DECIDE))
    delay = page.decide.sample(luck.uniform(Purpose.PAGE_DECIDE))
    if machine:
        delay += page.acknowledge.sample(luck.uniform(Purpose.PAGE_ACKNOWLEDGE))
    if page.off_hours != 1.0:
        plan = rollout.plan
        if not plan.scenario.calendar.working(plan.clock.wall(rollout.now)):
            delay *= page.off_hours
    return delay
