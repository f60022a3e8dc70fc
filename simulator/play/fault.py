"""The defect of one replication with its severity drawn: what it does to requests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.words.change import Defect


class Fault:
    """One drawn defect: shares of requests or writes on the new version that go wrong.

    `fail` and `late` are shares of requests of those users who can meet it (`users`, a fixed
    share of all); `corrupt` is a share of writes; `mixed` is multiplied by 2 w (1 - w); `factor`
    divides the new version's capacity; `crash` is the share of starts that fail; a leak begins
    `onset` seconds after an instance joined and grows over `ramp` seconds to `leak`.
    """

    __slots__ = (
        "corrupt",
        "crash",
        "factor",
        "fail",
        "kind",
        "late",
        "leak",
        "mixed",
        "onset",
        "ramp",
        "users",
    )

    def __init__(self, kind: str = "none") -> None:
        self.kind = kind
        self.fail = self.late = self.corrupt = self.mixed = self.crash = self.leak = 0.0
        self.factor = self.users = 1.0
        self.onset = math.inf
        self.ramp = 0.0


GOOD = Fault()


def draw(defect: Defect | None, luck: Luck) -> Fault:
    """The defect with its severity drawn from this replication's addressed luck."""
    if defect is None:
        return GOOD
    fault = Fault(defect.kind)
    match defect.kind:
        case "crash":
            fault.crash = defect.starts
        case "errors":
            fault.fail = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
            fault.users = defect.users
        case "slow":
            fault.late = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
            fault.factor = max(defect.factor.sample(luck.uniform(Purpose.FACTOR)), 1.0)
        case "leak":
            fault.leak = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
            fault.onset = defect.onset.sample(luck.uniform(Purpose.ONSET))
            fault.ramp = defect.ramp
        case "wrong_data":
            fault.corrupt = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
        case "mixed_versions":
            fault.mixed = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
    return fault
