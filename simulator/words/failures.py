"""Trouble that is not the change: what fails although the release is good."""

from __future__ import annotations

from pydantic import Field, field_validator

from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.units import Share


class Breakdown(Words):
    """Something that fails now and then, and is repaired."""

    mtbf: RandomDuration = Field(
        description="Time between two failures of one of them; a plain time is the mean of an "
        "exponential law."
    )
    repair: RandomDuration = Field(description="Time until it works again.")


class Failures(Words):
    """Trouble that is not the change; a part that is left out never happens."""

    instance: Breakdown | None = Field(None, description="Instances in service, each by itself.")
    zone: Breakdown | None = Field(
        None, description="A whole zone: 1/zones of both versions' instances (service.zones)."
    )
    tool_stall: Breakdown | None = Field(
        None, description="The tool that rolls out: meanwhile no step begins, forward or back."
    )
    slip: Share = Field(
        0.0,
        description="Chance that a manual step goes wrong: an approved step, a wave or a cut-over "
        "by hand reaches everyone at once, an installation is done twice.",
    )
    rollback: Share = Field(
        0.0, description="Chance that an attempt to roll back does nothing and is repeated."
    )

    @field_validator("rollback")
    @classmethod
    def _ends(cls, value: float) -> float:
        if value >= 1:
            raise ValueError("at 100% no rollback ever succeeds: write less, e.g. 2%")
        return value
