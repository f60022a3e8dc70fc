"""The change that is deployed, and how it can be wrong."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.words.distributions import RandomDuration, RandomFactor, RandomShare
from simulator.words.model import Words
from simulator.words.units import Duration, PositiveShare, Share

Weight = Annotated[
    PositiveShare, Field(description="How often it is this one, relative to others.")
]


class Errors(Words):
    """Requests on the new version fail."""

    kind: Literal["errors"]
    share: Weight = 1.0
    rate: RandomShare = Field(description="Share of requests that fail.")
    users: PositiveShare = Field(
        1.0, description="Fixed share of the users who can meet it, and always do at that rate."
    )


class Crash(Words):
    """Instances of the new version do not start."""

    kind: Literal["crash"]
    share: Weight = 1.0
    starts: PositiveShare = Field(1.0, description="Share of starts that fail.")


class Slow(Words):
    """The new version needs more time per request: less capacity, and some requests too late."""

    kind: Literal["slow"]
    share: Weight = 1.0
    factor: RandomFactor = Field(description="Service time multiplied by this (capacity divided).")
    rate: RandomShare = Field(description="Share of requests that are late.")


class Leak(Words):
    """Harmless until an instance is some time old, then more and more requests fail."""

    kind: Literal["leak"]
    share: Weight = 1.0
    onset: RandomDuration = Field(description="Age of an instance at which it begins.")
    ramp: Duration = Field(description="Time from the onset to the full rate.")
    rate: RandomShare = Field(description="Share of requests that fail in the end.")


class WrongData(Words):
    """Answers look fine, but a share of the writes is corrupt."""

    kind: Literal["wrong_data"]
    share: Weight = 1.0
    rate: RandomShare = Field(description="Share of writes that are corrupt.")


class MixedVersions(Words):
    """Requests fail when they meet the other version's data: rate x 2w(1-w) of all requests."""

    kind: Literal["mixed_versions"]
    share: Weight = 1.0
    rate: RandomShare = Field(description="Multiplies 2w(1-w), w the new version's share.")


Defect = Annotated[
    Errors | Crash | Slow | Leak | WrongData | MixedVersions, Field(discriminator="kind")
]


class Change(Words):
    """One release: the chance that it is defective, and what the defect then is."""

    defect_probability: Share = Field(description="Chance that a release is defective.")
    defects: tuple[Defect, ...] = Field(description="Kinds of defects; shares are normalised.")

    @model_validator(mode="after")
    def _any(self) -> Change:
        if not self.defects:
            raise ValueError("defects are empty: name at least one, or leave the key out")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the defects, summing to 1."""
        total = sum(defect.share for defect in self.defects)
        return tuple(defect.share / total for defect in self.defects)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each defect: its kind, numbered from the second of a kind on."""
        seen: Counter[str] = Counter()
        names = []
        for defect in self.defects:
            seen[defect.kind] += 1
            number = seen[defect.kind]
            names.append(defect.kind if number == 1 else f"{defect.kind} {number}")
        return tuple(names)
