"""The defect of one replication with its severity drawn: what it does to requests."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Final

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.words.change import Defect
    from simulator.words.distributions import Distribution

_OF_REQUESTS = ("fail", "late", "corrupt", "mixed", "leak", "load")


class Fault:
    """One drawn defect: shares of requests or writes on the new version that go wrong.

    `fail` and `late` are shares of requests of those users who can meet it (`users`, a fixed
    share of all); `corrupt` is a share of writes; `mixed` is multiplied by 2 w (1 - w)
    (the part `persists` survives a rollback until `repair`); `factor` divides the new version's
    capacity; `load` is the share that fails while the new version carries more than `threshold` of
    the full fleet's capacity; `crash` is the share of starts that fail; a leak begins
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
        "load",
        "mixed",
        "onset",
        "persists",
        "ramp",
        "repair",
        "threshold",
        "users",
    )

    def __init__(self, kind: str = "none") -> None:
        self.kind = kind
        self.fail = self.late = self.corrupt = self.mixed = self.crash = self.leak = 0.0
        self.load = self.persists = 0.0
        self.threshold = math.inf
        self.repair: Distribution | None = None
        self.factor = self.users = 1.0
        self.onset = math.inf
        self.ramp = 0.0

    def reaching(self, share: float) -> Fault:
        """The same where only a share of the requests meets the new version at all."""
        if self is GOOD or share >= 1:
            return self
        less = copy.copy(self)
        for key in _OF_REQUESTS:
            setattr(less, key, share * getattr(self, key))
        return less

    def without_starts(self) -> Fault:
        """The same defect where nothing is started: what would crash fails its requests."""
        if not self.crash:
            return self
        other = Fault(self.kind)
        other.fail = self.crash
        return other


GOOD: Final = Fault()


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
        case "load":
            fault.load = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
            fault.threshold = defect.threshold
        case "wrong_data":
            fault.corrupt = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
        case "mixed_versions":
            fault.mixed = defect.rate.sample(luck.uniform(Purpose.SEVERITY))
            fault.persists = defect.persists
            fault.repair = defect.repair
    return fault
