"""Measurements of a metric at equal intervals, of which too many failed ones end a release."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from simulator.words.model import Words
from simulator.words.units import Count, Duration, PositiveDuration, Share


class Analysis(Words):
    """One metric that a controller measures beside its steps, or as a step of its own.

    A measurement asks for the bad share in the `window` before it. One that finds too few requests
    has no value: unless `no_data` says otherwise it is an error, which is not counted and tried
    again after ten seconds. Source of the defaults: Argo Rollouts, analysis (2025); window and
    delay are judgement: the range of most published queries, and one scrape of Prometheus.
    """

    name: str | None = Field(None, description="A name for tables; analysis when left out.")
    watch: Literal["new", "old", "service"] = Field(
        "new", description="Whose requests: the new version's, the old one's, or all."
    )
    metric: Literal["errors", "late", "bad"] = Field(
        "errors", description="errors (failed or rejected), late, or bad (either)."
    )
    above: Share = Field(description="A measurement has failed when the bad share is above this.")
    interval: PositiveDuration | None = Field(
        None, description="Time between measurements; a single one when left out."
    )
    count: Count | None = Field(
        None, description="Measurements until it has passed; until the end when left out."
    )
    failure_limit: int = Field(
        0, ge=0, description="Failed measurements that are still accepted, of all."
    )
    error_limit: int = Field(
        4, ge=0, description="Measurements without a value in a row that are still accepted."
    )
    initial_delay: Duration = Field(0.0, description="From its start to the first measurement.")
    window: PositiveDuration = Field(300.0, description="How far back a measurement looks.")
    delay: Duration = Field(30.0, description="How old the newest requests are that it can see.")
    minimum_requests: int = Field(
        1, ge=1, description="With fewer requests a measurement has no value."
    )
    no_data: Literal["error", "fail", "pass"] = Field(
        "error", description="What a measurement without a value is."
    )

    @model_validator(mode="after")
    def _can_be_over(self) -> Analysis:
        if self.interval is None and (self.count or 1) > 1:
            raise ValueError("count above 1 needs an interval: add one, e.g. interval: 1m")
        if self.count is not None and self.count < self.failure_limit:
            raise ValueError("count is below failure_limit: it could never fail")
        return self

    @property
    def label(self) -> str:
        """The name in tables."""
        return self.name or "analysis"

    @property
    def label_without_data(self) -> str:
        """The name in tables when it has ended a release because it had no value too often."""
        return f"{self.label} without data"

    @property
    def most(self) -> int | None:
        """Measurements that end it; None: it goes on until somebody stops it."""
        return 1 if self.interval is None else self.count

    @property
    def lasts(self) -> float:
        """Seconds from its start to its last measurement if each has a value; infinite without an
        end.
        """
        if self.most is None:
            return float("inf")
        return self.initial_delay + (self.most - 1) * (self.interval or 0.0)
