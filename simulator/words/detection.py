"""What may notice a bad release, beside the health checks that are always on."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.units import Count, Duration, Factor, PositiveDuration, Share

_MINUTE, _LONGEST = 60.0, 30 * 86_400.0
_DATAPOINTS = re.compile(r"(\d+) of (\d+)")


class Alarm(Words):
    """An alarm on the share of bad requests in periods of equal length."""

    name: str | None = Field(
        None, description="A name for tables; made from its settings if absent."
    )
    watch: Literal["new", "old", "service"] = Field(
        "new", description="Whose requests: the new version's, the old one's, or all."
    )
    metric: Literal["errors", "late", "bad"] = Field(
        "errors", description="errors (failed or rejected), late, or bad (either)."
    )
    above: Share = Field(description="A period is a breach when its bad share is above this.")
    period: PositiveDuration = Field(60.0, description="Length of one period.")
    datapoints: str = Field("1 of 1", description="m of n: breaches needed among the last n.")
    minimum_requests: int = Field(
        0, ge=0, description="With fewer requests a period is no datapoint."
    )
    delay: Duration = Field(0.0, description="From the end of a period until it can be read.")
    missing: Literal["missing", "breaching", "notBreaching", "ignore"] = Field(
        "missing", description="What a period without data counts as."
    )
    phase: Literal["random", "aligned"] = Field(
        "random", description="Where periods begin: one random phase, or with the deployment."
    )

    @field_validator("datapoints", mode="before")
    @classmethod
    def _m_of_n(cls, value: Any) -> Any:
        text = str(value)
        found = _DATAPOINTS.fullmatch(text)
        if not found or not 1 <= int(found[1]) <= int(found[2]) <= 1000:
            raise ValueError(f"{text!r} is not m of n with m <= n: write e.g. 2 of 3")
        return text

    @cached_property
    def m(self) -> int:
        """Breaches needed."""
        return int(self.datapoints.split(" of ")[0])

    @cached_property
    def n(self) -> int:
        """Datapoints looked at."""
        return int(self.datapoints.split(" of ")[1])

    _label: str = PrivateAttr("alarm")

    @property
    def label(self) -> str:
        """The name in tables: its own, or `alarm`, or with several e.g. `alarm new errors`."""
        return self.name or self._label


class BurnRate(Words):
    """One row of a multi-window burn-rate alarm: how fast the error budget may be spent."""

    burn: float = Field(
        gt=0, description="Times the rate that spends the budget exactly in the SLO's window."
    )
    long: PositiveDuration = Field(description="The long window: how much must have been spent.")
    short: PositiveDuration = Field(description="The short window: it must still be going on.")
    watch: Literal["new", "old", "service"] = Field(
        "service", description="Whose requests: the new version's, the old one's, or all."
    )
    metric: Literal["errors", "late", "bad"] = Field(
        "errors", description="errors (failed or rejected), late, or bad (either)."
    )
    delay: Duration = Field(0.0, description="From an evaluation until it can be read.")
    phase: Literal["random", "aligned"] = Field(
        "random", description="When each minute is evaluated: one random phase, or at full ones."
    )

    @field_validator("long", "short")
    @classmethod
    def _whole_minutes(cls, value: float) -> float:
        if value < _MINUTE or value % _MINUTE or value > _LONGEST:
            raise ValueError("must be whole minutes, at least 1m and at most 30d")
        return value

    @model_validator(mode="after")
    def _long_is_longer(self) -> BurnRate:
        if self.short > self.long:
            raise ValueError("the short window is longer than the long one: exchange them")
        return self

    @property
    def label(self) -> str:
        """The name in tables."""
        return "burn rate"


class Noticed(Words):
    """Somebody notices some time after the first harm, however it shows."""

    after: RandomDuration = Field(description="Time from the first harm.")


class Audit(Words):
    """A regular check of the data that finds corrupt writes."""

    every: PositiveDuration = Field(description="Time between two audits.")
    coverage: Share = Field(description="Chance that one audit finds corrupt data.")


class People(Words):
    """Users who report what they met."""

    report_rate: Share = Field(description="Share of the users who would report, once each.")
    needed: Count = Field(description="Reports until somebody takes them seriously.")
    delay: RandomDuration = Field(description="From meeting the failure to reporting it.")
    triage: RandomDuration = Field(description="From the last report needed to knowing the cause.")


class JudgedMetric(Words):
    """One metric of the canary judge, which must not increase."""

    metric: Literal["errors", "late", "bad"] = Field("errors", description="What is counted.")
    weight: Factor = Field(1.0, description="Its part in the score.")
    critical: bool = Field(False, description="Whether it alone can fail the step.")
    allowed_increase: Factor = Field(
        1.0, description="Ratio of the means below which it is not high."
    )
    critical_increase: Factor = Field(
        1.0, description="Ratio of the means at which a critical metric fails the step."
    )
    must_have_data: bool = Field(False, description="Whether a metric without data fails.")


class Judge(Words):
    """A verdict on a step from the counts of its bake."""

    test: Literal["threshold", "two_proportion", "mann_whitney", "sequential"] = Field(
        "threshold", description="How the verdict is reached."
    )
    metric: Literal["errors", "late", "bad"] = Field("errors", description="What is counted.")
    above: Share | None = Field(
        None, description="For test threshold: the step fails when the bad share is above this."
    )
    against: Literal["old", "baseline"] = Field(
        "old",
        description="What new is compared with: all of old, or as many old instances as new has; "
        "the time before the deployment where old serves nothing.",
    )
    significance: Share = Field(
        0.05, description="For two_proportion and sequential: chance to fail an equal release."
    )
    confidence: Share = Field(0.98, description="For mann_whitney: of the shift's interval.")
    tolerance: Share = Field(
        0.25, description="For mann_whitney: the interval must lie above this part of the shift."
    )
    metrics: tuple[JudgedMetric, ...] = Field(
        (), description="For mann_whitney: its metrics, when there is more to say than `metric`."
    )
    passing: Share = Field(
        0.95, description="For mann_whitney: the score from which a step passes."
    )
    marginal: Share = Field(
        0.75, description="For mann_whitney: the score below which it fails; between, no verdict."
    )
    period: PositiveDuration = Field(
        60.0, description="For mann_whitney one value, for sequential one look, each period."
    )
    minimum_requests: int = Field(0, ge=0, description="With fewer requests there is no verdict.")
    no_verdict: Literal["pass", "fail", "wait"] = Field(
        "pass", description="What happens without a verdict (wait: bake once more, then pass)."
    )

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Judge:
        if self.test == "threshold" and self.above is None:
            raise ValueError("needs above: the bad share at which a step fails, e.g. above: 1%")
        if self.test != "threshold" and self.above is not None:
            raise ValueError(f"above has no effect with test {self.test}; remove it")
        for name in ("significance", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be above 0% and below 100%")
        return self

    @property
    def rules(self) -> tuple[JudgedMetric, ...]:
        """The canary judge's metrics."""
        return self.metrics or (JudgedMetric(metric=self.metric),)

    @property
    def limit(self) -> float:
        """The bad share above which a step fails."""
        return 1.0 if self.above is None else self.above

    @property
    def label(self) -> str:
        """The name in tables."""
        return "judge"

    @property
    def delay(self) -> float:
        """Seconds from a look to its being read."""
        return 0.0


class Detection(Words):
    """All detectors; beside health, one that is left out does not exist."""

    health: Literal["on", "none"] = Field(
        "on", description="Whether a new instance that fails to start twice is noticed."
    )

    alarms: tuple[Alarm, ...] = Field((), description="Alarms on shares of bad requests.")
    burn_rate: tuple[BurnRate, ...] = Field(
        (), description="Burn-rate alarms: standard, or rows of your own."
    )
    noticed: Noticed | None = Field(None, description="Noticed some time after the first harm.")
    audit: Audit | None = Field(None, description="Audits of the data.")
    people: People | None = Field(None, description="Users who report.")
    judge: Judge | None = Field(None, description="Judges every step of a progressive release.")

    @property
    def burn_groups(self) -> tuple[tuple[BurnRate, ...], ...]:
        """The burn-rate rows by what they watch and how."""
        groups: dict[tuple[object, ...], list[BurnRate]] = {}
        for row in self.burn_rate:
            groups.setdefault((row.watch, row.metric, row.delay, row.phase), []).append(row)
        return tuple(tuple(rows) for rows in groups.values())

    @model_validator(mode="after")
    def _named_apart(self) -> Detection:
        names = [alarm.name for alarm in self.alarms if alarm.name]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two alarms are named {name!r}: give them different names")
        if len(self.alarms) > 1:
            taken = set(names)
            for alarm in self.alarms:
                plain = label = f"alarm {alarm.watch} {alarm.metric}"
                number = 1
                while alarm.name is None and label in taken:
                    number += 1
                    label = f"{plain} {number}"
                alarm._label = label
                taken.add(label)
        return self
