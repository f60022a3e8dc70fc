"""Working hours and times in which nothing is released, by the week or by date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from simulator.words.clock import (
    DAY,
    WEEK,
    Clock,
    clock_seconds,
    date_seconds,
    is_date,
    zone_named,
)
from simulator.words.model import Words
from simulator.words.traffic import Traffic

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\w{3})(?:-(\w{3}))? (\d{1,2}:\d{2})-(\d{1,2}:\d{2})")
_WEEKS = 6  # whose spans one wait can run into
# The working hours where nobody says others (judgement): outside them people are slower to answer.
USUAL_HOURS = "Mon-Fri 09:00-17:00"

Span = tuple[float, float]


class Freeze(Words):
    """A span of every week, or between two dates, in which no step starts."""

    start: str = Field(
        alias="from", description="When it begins: every week (Fri 12:00), or a date (2026-12-24)."
    )
    end: str = Field(
        alias="to", description="When it ends: Mon 08:00; or a date, of which it has all hours."
    )

    @model_validator(mode="after")
    def _is_a_span(self) -> Freeze:
        start, end = self.span
        if self.dated != is_date(self.end):
            raise ValueError("from and to are either both weekly times or both dates: change one")
        if end <= start:
            raise ValueError("the freeze ends before it begins: exchange from and to")
        return self

    @property
    def dated(self) -> bool:
        """Whether it comes once, on dates."""
        return is_date(self.start)

    @cached_property
    def span(self) -> Span:
        """From when to when on the wall clock, seconds; a weekly end may lie in the next week."""
        start, end = (date_seconds(x) if is_date(x) else clock_seconds(x) for x in self._ends)
        if is_date(self.end):
            return start, end + (0.0 if ":" in self.end else DAY)
        return start, end if end > start else end + WEEK

    @property
    def _ends(self) -> tuple[str, str]:
        return self.start, self.end


class Calendar(Words):
    """When people work, and when nothing may be released; times are those of `start_at`."""

    timezone: str | None = Field(
        None,
        description="Where its hours are, e.g. Europe/Berlin: with dates, clocks are put forward "
        "and back.",
    )
    work: str | None = Field(
        None,
        description="Working hours, e.g. Mon-Fri 09:00-17:00 (taken for granted when left out), "
        "several with commas: people are quicker to answer, and approve in no others once they are "
        "stated.",
    )
    freeze: tuple[Freeze, ...] = Field((), description="Spans without any release.")

    @field_validator("work")
    @classmethod
    def _is_hours(cls, value: str | None) -> str | None:
        _spans(value or USUAL_HOURS)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None:
            zone_named(value)
        return value

    @model_validator(mode="after")
    def _opens_at_all(self) -> Calendar:
        self.opens(0.0, self.work is not None)
        return self

    @property
    def never_works(self) -> bool:
        """Whether its freezes leave no working hour."""
        try:
            self.opens(0.0, True)
        except ValueError:
            return True
        return False

    def clock(self, traffic: Traffic) -> Clock:
        """What the wall clock shows once traffic has begun; in its zone, if the date is known."""
        zone = ZoneInfo(self.timezone) if self.timezone and traffic.dated else None
        return Clock(traffic.began, zone, traffic.trace is not None)

    @property
    def dated(self) -> bool:
        """Whether it names dates."""
        return any(freeze.dated for freeze in self.freeze)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The working hours of a week, seconds since Monday 0:00."""
        return _spans(self.work or USUAL_HOURS)

    def working(self, moment: float) -> bool:
        """Whether people work at a moment of the wall clock (seconds)."""
        within = moment % WEEK
        return any(start <= within < end for start, end in self.spans)

    def opens(self, moment: float, work_only: bool) -> float:
        """The first moment of the wall clock from this one on at which a step may start (seconds):
        outside every freeze and, with `work_only`, in working hours.

        Raises ValueError if there is none.
        """
        for _ in range(_WEEKS * max(len(self.spans), len(_DAYS)) + 2 * len(self.freeze)):
            later = self._after_freeze(moment)
            if work_only and not self.working(later):
                later = self._next_work(later)
            if later == moment:
                return moment
            moment = later
        what = "working hour" if work_only else "hour of the week"
        raise ValueError(f"its freezes leave no {what}: shorten them")

    def worked(self, moment: float, seconds: float) -> float:
        """When somebody who begins at a moment has worked for so long, on the wall clock."""
        while True:
            moment = moment if self.working(moment) else self._next_work(moment)
            within = moment % WEEK
            left = next(end for start, end in self.spans if start <= within < end) - within
            if seconds <= left:
                return moment + seconds
            moment, seconds = moment + left, seconds - left

    def longest_wait(self, work_only: bool) -> float:
        """The longest time for which no step may start, seconds."""
        closes = [freeze.span[0] for freeze in self.freeze]
        if work_only:
            weeks = {start // WEEK * WEEK - shift for start in closes for shift in (0.0, WEEK)}
            closes += [week + end for week in weeks | {0.0} for _, end in self.spans]
        return max((self.opens(moment, work_only) - moment for moment in closes), default=0.0)

    def _after_freeze(self, moment: float) -> float:
        for freeze in self.freeze:
            start, end = freeze.span
            since = moment - start if freeze.dated else (moment - start) % WEEK
            if 0 <= since < end - start:
                moment += end - start - since
        return moment

    def _next_work(self, moment: float) -> float:
        week = moment - moment % WEEK
        starts = (week + shift + start for shift in (0.0, WEEK) for start, _ in self.spans)
        return min(start for start in starts if start > moment)


def _spans(text: str) -> tuple[Span, ...]:
    """The spans of "Mon-Thu 09:00-17:00, Fri 09:00-14:00", in order; raises ValueError."""
    found: list[Span] = []
    for start, end in sorted(span for part in text.split(",") for span in _days(part.strip())):
        if found and start < found[-1][1]:
            raise ValueError(f"{text!r} are hours of which some are told twice: let none overlap")
        touching = bool(found) and start == found[-1][1]
        found.append((found.pop()[0] if touching else start, end))
    return tuple(found)


def _days(text: str) -> Iterator[Span]:
    """The same hours of one day after the other: Mon-Fri 09:00-17:00; raises ValueError."""
    found = _HOURS.fullmatch(text)
    names = [name.lower() for name in found.group(1, 2) if name] if found else []
    if not found or any(name not in _DAYS for name in names):
        raise ValueError(
            f"{text!r} are no working hours: write e.g. Mon-Fri 09:00-17:00 (with commas between "
            "several)"
        )
    first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
    opens, closes = (
        DAY if clock == "24:00" else clock_seconds(f"Mon {clock}") for clock in found.group(3, 4)
    )
    if closes <= opens or last < first:
        raise ValueError(f"{text!r} end before they begin: write e.g. Mon-Fri 09:00-17:00")
    for day in range(first, last + 1):
        yield day * DAY + opens, day * DAY + closes
