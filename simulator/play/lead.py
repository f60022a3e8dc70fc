"""What a release goes through before it is deployed, and what is looked for after a rollback."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.plan import Plan


def before(plan: Plan, luck: Luck) -> float:
    """Seconds of merging and testing with these draws.

    A branch conflicts with its chance and is then resolved; a strategy that works on the trunk
    merges none. A stage that flakes is run again until it does not.
    """
    change, total = plan.scenario.change, 0.0
    branch = None if plan.strategy.on_trunk else change.branch
    if branch is not None and luck.uniform(Purpose.CONFLICT) < branch.chance:
        total += branch.resolve.sample(luck.uniform(Purpose.RESOLVE))
    if change.changes is not None:
        for index, stage in enumerate(change.changes.tests):
            total += stage.takes * geometric(1 - stage.flakes, luck.uniform(Purpose.TESTS, index))
    return total


def longest(plan: Plan, rare: float) -> float:
    """The same in the worst case: every part at this quantile, seconds."""
    change, total = plan.scenario.change, 0.0
    if change.branch is not None and change.branch.chance > 0:
        total += change.branch.resolve.quantile(rare)
    if change.changes is not None:
        total += sum(
            stage.takes * geometric(1 - stage.flakes, rare) for stage in change.changes.tests
        )
    return total


def search(plan: Plan) -> float:
    """Seconds of searching for the culprit among the changes of a release, by halves."""
    changes = plan.scenario.change.changes
    return 0.0 if changes is None else changes.steps * changes.bisect


def geometric(chance: float, luck: float) -> int:
    """The number of rounds until the first success, by inverse transform of a uniform number."""
    if chance >= 1:
        return 1
    return max(math.ceil(math.log1p(-luck) / math.log1p(-chance)), 1)
