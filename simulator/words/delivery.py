"""What a release is made of and has been through: its changes, their tests, and their branch."""

from __future__ import annotations

import math

from pydantic import Field, field_validator

from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.units import Count, Duration, Share


class Stage(Words):
    """A stage of tests that every release passes before it is deployed; also a mere formality,
    which takes time and catches nothing.
    """

    catches: Share = Field(description="Chance that it finds a defect, of those that reach it.")
    takes: Duration = Field(0.0, description="How long one run takes.")
    flakes: Share = Field(
        0.0, description="Chance that a run fails for no reason and is run again; catches nothing."
    )

    @field_validator("flakes")
    @classmethod
    def _ends(cls, value: float) -> float:
        if value >= 1:
            raise ValueError("a stage that flakes always never ends; write a share below 100%")
        return value

    @property
    def runs(self) -> float:
        """The expected number of runs, 1 / (1 - flakes)."""
        return 1.0 / (1.0 - self.flakes)


class Changes(Words):
    """The changes that one release carries, alike and independent of each other.

    The more of them, the likelier the release is defective, and the longer it takes to find which
    one it was: a search by halves needs log2 of their number of steps.
    """

    count: Count = Field(description="Changes in one release.")
    each: Share = Field(description="Chance that one change is defective before the tests.")
    tests: tuple[Stage, ...] = Field(
        (), description="Stages of tests, one after the other; without any every defect escapes."
    )
    bisect: Duration = Field(
        description="One step of the search for the culprit after a rollback, with one person."
    )

    @property
    def escape(self) -> float:
        """The chance that one change is defective and no stage finds it."""
        return self.each * math.prod(1.0 - stage.catches for stage in self.tests)

    @property
    def defect_probability(self) -> float:
        """The chance that a release still carries a defect, 1 - (1 - escape)^count."""
        return -math.expm1(self.count * math.log1p(-self.escape)) if self.escape < 1 else 1.0

    @property
    def steps(self) -> float:
        """The steps of a search for the culprit by halves, log2 of the number of changes."""
        return math.log2(self.count)


class Branch(Words):
    """A branch on which the change grew old: the older, the likelier it conflicts with others."""

    age: Duration = Field(description="How old it is when it is merged.")
    conflict: Share = Field(description="Chance of a conflict for each day of its age.")
    resolve: RandomDuration = Field(description="How long it takes to resolve one.")

    @property
    def chance(self) -> float:
        """The chance of a conflict, 1 - (1 - conflict)^days."""
        return 1.0 - math.pow(1.0 - self.conflict, self.age / 86_400.0)
