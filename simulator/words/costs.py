"""What is promised and what things cost."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from simulator.words.model import Words
from simulator.words.units import Hourly, Money, PositiveDuration, Share


class Slo(Words):
    """The service level objective."""

    availability: Share = Field(description="Share of requests that must be good.")
    latency: PositiveDuration | None = Field(
        None, description="An answer that comes later than this is bad; needs service.service_time."
    )
    window: PositiveDuration = Field(description="The window of the objective.")
    budget_left: Share = Field(description="Share of the error budget that is left today.")

    @field_validator("availability")
    @classmethod
    def _below_one(cls, value: float) -> float:
        if value >= 1:
            raise ValueError("an objective of 100% leaves no budget: write e.g. 99.9%")
        return value


class Costs(Words):
    """Prices of harm, people and time, in one currency."""

    currency: str = Field(
        description="The currency's three letters.", json_schema_extra={"pattern": "^[A-Z]{3}$"}
    )
    failed_request: Money = Field(description="Per failed, rejected or late request.")
    corrupt_write: Money = Field(description="Per corrupt write, repair included.")
    responder: Hourly = Field(description="One person who responds.")
    responders: int = Field(ge=0, le=1000, description="People who respond.")
    watching: Hourly = Field(description="People watching the rollout.")
    outage: Hourly = Field(description="On top of failed requests while nobody serves.")
    sla_credit: Money = Field(description="Due when the rest of the error budget is spent.")
    licence: Money = Field(description="Per instance above the licences, once a release.")
    release: Money = Field(description="Work and paper of one release, whatever is in it.")
    delay: Hourly = Field(
        description="Every hour until a working version carries all traffic, for each change in it."
    )

    @field_validator("currency")
    @classmethod
    def _three_letters(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError(f"{value!r} is no currency; write its three letters, e.g. USD")
        return value
