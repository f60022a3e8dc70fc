"""Working hours and times in which nothing is released, week by week."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import Field, field_validator, model_validator

from simulator.words.model import Words
from simulator.words.traffic import clock_seconds

DAY, WEEK = 86_400.0, 7 * 86_400.0
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\w{3})(?:-(\w{3}))? (\d{1,2}:\d{2})-(\d{1,2}:\d{2})")
_MOST = 40  # spans of a week that one wait can run into

Span = tuple[float, float]


class Freeze(Words):
    """A span of every week in which no step starts."""

    start: str = Field(alias="from", description="When it begins, e.g. Fri 12:00.")
    end: str = Field(alias="to", description="When it ends, e.g. Mon 08:00.")

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        clock_seconds(value)
        return value

    @cached_property
    def span(self) -> Span:
        """From when to when, seconds since Monday 0:00; the end may lie in the next week."""
        start, end = clock_seconds(self.start), clock_seconds(self.end)
        return start, end if end > start else end + WEEK


class Calendar(Words):
    """When people work, and when nothing may be released; times are those of `start_at`."""

    work: str = Field(description="Working hours: days and times, e.g. Mon-Fri 09:00-17:00.")
    freeze: tuple[Freeze, ...] = Field((), description="Spans of the week without any release.")

    @field_validator("work")
    @classmethod
    def _is_hours(cls, value: str) -> str:
        _spans(value)
        return value

    @model_validator(mode="after")
    def _opens_at_all(self) -> Calendar:
        self.opens(0.0, True)
        return self

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The working hours of a week, seconds since Monday 0:00."""
        return _spans(self.work)

    def working(self, moment: float) -> bool:
        """Whether people work at a moment (seconds since a Monday 0:00)."""
        within = moment % WEEK
        return any(start <= within < end for start, end in self.spans)

    def opens(self, moment: float, work_only: bool) -> float:
        """The first moment from this one on at which a step may start (seconds since a Monday
        0:00): outside every freeze and, with `work_only`, in working hours.

        Raises ValueError if there is none.
        """
        for _ in range(_MOST):
            later = self._after_freeze(moment)
            if work_only and not self.working(later):
                later = self._next_work(later)
            if later == moment:
                return moment
            moment = later
        raise ValueError("its freezes leave no working hour: shorten them")

    def _after_freeze(self, moment: float) -> float:
        for freeze in self.freeze:
            start, end = freeze.span
            since = (moment - start) % WEEK
            if since < end - start:
                moment += end - start - since
        return moment

    def _next_work(self, moment: float) -> float:
        week = moment - moment % WEEK
        starts = (week + shift + start for shift in (0.0, WEEK) for start, _ in self.spans)
        return min(start for start in starts if start > moment)


def _spans(text: str) -> tuple[Span, ...]:
    """The spans of "Mon-Fri 09:00-17:00"; raises ValueError."""
    found = _HOURS.fullmatch(text.strip())
    names = [name.lower() for name in found.group(1, 2) if name] if found else []
    if not found or any(name not in _DAYS for name in names):
        raise ValueError(f"{text!r} are no working hours: write e.g. Mon-Fri 09:00-17:00")
    first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
    opens, closes = (clock_seconds(f"Mon {clock}") for clock in found.group(3, 4))
    if closes <= opens or last < first:
        raise ValueError(f"{text!r} end before they begin: write e.g. Mon-Fri 09:00-17:00")
    return tuple((day * DAY + opens, day * DAY + closes) for day in range(first, last + 1))
