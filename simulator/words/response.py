"""What happens once something was noticed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.units import Duration, Factor


class Page(Words):
    """A person who is called."""

    acknowledge: RandomDuration = Field(description="From the page to looking at it.")
    decide: RandomDuration = Field(description="From looking to the decision to roll back.")
    off_hours: Factor = Field(description="Multiplies both outside the working hours.")


class Response(Words):
    """From a detection to a working service."""

    automatic: Literal["watched", "always", "never"] = Field(
        description="When alarms roll back by themselves: while watched, always or never."
    )
    watch: Duration = Field(description="How long the rollout is watched after its script.")
    hold: bool = Field(description="Whether no further step starts once something was detected.")
    decide: RandomDuration = Field(description="From an alarm to the automatic decision.")
    page: Page = Field(description="The person who decides otherwise.")
    point_of_no_return: Literal["fix_forward", "roll_back"] = Field(
        description="What is done past it: wait for the fix, or roll back the wrong way."
    )
    overdue: Duration = Field(
        description="When somebody looks at a rollout that can never finish by itself."
    )
    back_within: Duration = Field(
        description="How soon after the decision everybody should be back; what is left of the "
        "harm then is the figure still_harmed."
    )
    fix: RandomDuration = Field(description="From a rollback to the repaired release.")
    retry: RandomDuration = Field(description="From rolling back a good release to its next try.")
