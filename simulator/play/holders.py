"""Verbs about who has the new version: an audience first, or users who install and keep it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulator.play.cutovers import CutoverVerbs
from simulator.play.fault import GOOD
from simulator.play.installing import Installing
from simulator.play.luck import Luck, Purpose
from simulator.play.verbs import NO_TRAFFIC
from simulator.play.waits import Script

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.words.strategy import Step

_ALMOST_ALL: Final = -math.log(NO_TRAFFIC)


class HolderVerbs(CutoverVerbs):
    """Verbs that say which users have the new version; `lead` is the time of tests before (s)."""

    lead: float
    covered: bool

    def show_to(self, step: Step) -> None:
        """From now on a defect shows as it does in this step: to an audience perhaps not at all.

        Drawn once; a crash always shows. What a flag does not cover is not the step's.
        """
        fault, situation = self.fault, self.situation
        if step.audience is not None:
            self.note("audience", (step.audience, step.shows))
        if not self.covered:
            return
        hidden = self.luck.uniform(Purpose.AUDIENCE) >= step.shows
        if fault is not GOOD:
            situation.fault = GOOD if hidden and fault.kind != "crash" else fault
            self.router.changed = True

    def offer(self, mean: float) -> None:
        """From now on a weight is offered to users, who install it in `mean` seconds on average."""
        self.router.offer(mean)
        self.note("offer", mean)

    def stop_growth(self) -> Script:
        """Offer the new version to nobody any more, and wait for what replaces it where it is: the
        repaired version after a bad release, its next attempt after a good one.
        """
        left = self.router.stay(self.now)
        if isinstance(users := self.counts.users, Installing):
            users.hold(left)
        self.note("stop", left)
        if left > 0:
            takes = replaced_after(self.plan, self.luck, self.fault is GOOD) + self.lead
            self.note("wait for the replacement", takes)
            yield self.env.timeout(takes)


def replaced_after(plan: Plan, luck: Luck, good: bool) -> float:
    """Seconds from the decision until a repaired version is there; of a good one its next try."""
    response = plan.response
    if good:
        return response.retry.sample(luck.uniform(Purpose.RETRY))
    return response.fix.sample(luck.uniform(Purpose.FIX)) + plan.search


def until_all_have_it(mean: float) -> float:
    """Seconds until all but a thousandth have installed what is offered to all at once."""
    return mean * _ALMOST_ALL
