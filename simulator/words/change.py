"""The change that is deployed: how it can be wrong, and what it demands of a rollout."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from simulator.words.delivery import Branch, Changes
from simulator.words.distributions import RandomDuration, RandomFactor, RandomShare
from simulator.words.model import Words
from simulator.words.units import Count, Duration, PositiveDuration, PositiveShare, Share

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


class Load(Words):
    """Requests fail while the new version carries more than so much traffic, in absolute terms."""

    kind: Literal["load"]
    share: Weight = 1.0
    threshold: PositiveShare = Field(
        description="Traffic on the new version above which it shows, as a share of what the "
        "full fleet can carry (mirrored traffic counts)."
    )
    rate: RandomShare = Field(description="Share of the new version's requests that fail then.")


class WrongData(Words):
    """Answers look fine, but a share of the writes is corrupt."""

    kind: Literal["wrong_data"]
    share: Weight = 1.0
    rate: RandomShare = Field(description="Share of writes that are corrupt.")


class MixedVersions(Words):
    """Requests fail when they meet the other version's data: rate x 2w(1-w) of all requests.

    After the decision to roll back the part `persists` stays at its highest, until the data are
    repaired: `repair` after the old version serves everything.
    """

    kind: Literal["mixed_versions"]
    share: Weight = 1.0
    rate: RandomShare = Field(description="Multiplies 2w(1-w), w the new version's share.")
    persists: Share = Field(description="Part that sits in the data and survives a rollback.")
    repair: RandomDuration = Field(description="Time to repair the data after a rollback.")


Defect = Annotated[
    Errors | Crash | Slow | Leak | Load | WrongData | MixedVersions, Field(discriminator="kind")
]


class Coupled(Words):
    """A change of the data store's schema that the code depends on.

    `together`: neither version works with the other's schema; it is migrated just before the new
    version gets its first traffic. `schema_first`: the old version works with the new schema, which
    is migrated before anything else. `schema_last`: the new version works with both, and the
    schema follows when the script is over. Rolling back after a migration that the old version does
    not work with needs a restore beside the running store, and loses the writes since then.
    """

    order: Literal["together", "schema_first", "schema_last"] = Field(
        description="When the schema is migrated."
    )
    migrate: RandomDuration = Field(description="How long the migration takes.")
    writes_blocked: Duration = Field(description="How long writes fail at its end (announced).")
    restore: RandomDuration | None = Field(
        None, description="Time to restore the old schema; none: there is no way back."
    )


class ExpandContract(Words):
    """The schema changes in several compatible releases, one after the other."""

    releases: Count = Field(description="Releases in all; the last one is the one simulated.")
    apart: Duration = Field(description="Time between the end of one and the start of the next.")


class Schema(Words):
    """What the release does to the schema of the data store; one of the two."""

    coupled: Coupled | None = Field(None, description="Code and schema depend on each other.")
    expand_contract: ExpandContract | None = Field(
        None, description="Compatible steps, several releases apart."
    )

    @model_validator(mode="after")
    def _one(self) -> Schema:
        if (self.coupled is None) == (self.expand_contract is None):
            raise ValueError(
                "is either coupled or expand_contract; write one of the two, or compatible"
            )
        return self


class UpgradeRoutine(Words):
    """A routine that must run exactly once while nothing serves."""

    takes: RandomDuration = Field(description="How long it runs.")
    lock: bool = Field(description="Whether a second fleet or batch cannot run it once more.")


class Change(Words):
    """One release: the chance that it is defective, and what the defect then is.

    The chance is stated, or it follows from the changes that the release carries.
    """

    stated: Share | None = Field(
        None, alias="defect_probability", description="Chance that a release is defective."
    )
    changes: Changes | None = Field(
        None, description="What it carries and how that was tested, instead of its probability."
    )
    branch: Branch | None = Field(
        None, description="A branch that is merged for it; a feature flag needs none."
    )
    defects: tuple[Defect, ...] = Field(description="Kinds of defects; shares are normalised.")
    schema_: Literal["compatible"] | Schema = Field(
        "compatible",
        alias="schema",
        description="What happens to the data store's schema; compatible: nothing that matters.",
    )
    upgrade_routine: UpgradeRoutine | None = Field(
        None, description="A routine that must run once while nothing serves."
    )
    single_writer: bool = Field(
        False, description="Whether only one version can write at a time; the second one fails."
    )
    replication_lag: Duration | None = Field(
        None,
        description="Each version has a data store of its own, and this is how far the other one's "
        "is behind; none: both use one store.",
    )
    every: PositiveDuration | None = Field(
        None, description="Time between two releases; a strategy that takes longer cannot keep up."
    )
    licences: Count | None = Field(
        None, description="Instances that are licensed at once, both versions together."
    )

    @field_validator("schema_", mode="before")
    @classmethod
    def _compatible(cls, value: Any) -> Any:
        return "compatible" if value is None or value in ("none", {}) else value

    @property
    def migration(self) -> Schema | None:
        """What happens to the schema, if anything."""
        return None if isinstance(self.schema_, str) else self.schema_

    @model_validator(mode="after")
    def _one_chance(self) -> Change:
        if self.stated is not None and self.changes is not None:
            raise ValueError(
                "states defect_probability, which follows from changes: remove one of the two"
            )
        if self.stated is None and self.changes is None:
            raise ValueError("has no defect_probability: write e.g. 5%, or describe its changes")
        return self

    @property
    def defect_probability(self) -> float:
        """The chance that a release is defective, stated or from its changes."""
        if self.changes is not None:
            return self.changes.defect_probability
        return self.stated or 0.0

    @property
    def count(self) -> int:
        """How many changes the release carries; 1 where nothing is said."""
        return 1 if self.changes is None else self.changes.count

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
