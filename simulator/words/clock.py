"""Clocks: weekdays and times, dates and time zones, and how a deployment's seconds map to them.

The wall clock counts seconds since a Monday 0:00; where dates are known, since that of 1969-12-29.
"""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAY, WEEK = 86_400.0, 7 * 86_400.0
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun)\w*\s+)?(\d{1,2}):(\d{2})", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2})?")
_TUESDAY = 1
_FIRST = datetime(1969, 12, 29)
MONDAY = 3 * DAY  # from the Monday before 1970 to 1970


def clock_seconds(text: str) -> float:
    """Seconds since Monday 0:00 of "Tue 10:00"; without a weekday, Tuesday is meant.

    Raises ValueError for anything else.
    """
    found = _CLOCK.fullmatch(text.strip())
    if not found or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValueError(
            f"{text!r} is not a time: write e.g. Tue 10:00, 14:00, or 2026-12-24 10:00"
        )
    day = _DAYS.index(found[1].lower()) if found[1] else _TUESDAY
    return day * DAY + int(found[2]) * 3600 + int(found[3]) * 60


def is_date(text: str) -> bool:
    """Whether a text begins like a date: 2026-12-24, with or without a time."""
    return re.match(r"\s*\d{4}-", text) is not None


def date_seconds(text: str) -> float:
    """Seconds on the wall clock of "2026-12-24 10:00", 0:00 without a time; raises ValueError."""
    text = text.strip()
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a date: write e.g. 2026-12-24 or 2026-12-24 10:00")
    day, _, clock = text.replace("T", " ").partition(" ")
    try:
        moment = datetime.fromisoformat(f"{day} {clock.zfill(5)}" if clock else day)
    except ValueError:
        raise ValueError(f"{text!r} is a day or a time that there is not") from None
    return (moment - _FIRST).total_seconds()


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name; raises ValueError with one that may be meant."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name, available_timezones(), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        message = f"no time zone is called {name!r}: write e.g. Europe/Berlin{hint}"
        raise ValueError(message) from None


class Clock(NamedTuple):
    """What the wall clock shows t seconds after the start of a deployment.

    The start is `began` on the wall clock (seconds), or in UTC if `utc`. With a `zone`, and dates,
    its changes between winter and summer time are kept.
    """

    began: float
    zone: ZoneInfo | None = None
    utc: bool = False

    def wall(self, t: float) -> float:
        """The wall clock t seconds after the start, seconds."""
        if self.zone is None:
            return self.began + t
        moment = datetime.fromtimestamp(self._start + t, UTC).astimezone(self.zone)
        return (moment.replace(tzinfo=None) - _FIRST).total_seconds()

    def until(self, wall: float, t: float) -> float:
        """Seconds from t after the start until the wall clock shows `wall`, not before t."""
        if self.zone is None:
            return wall - (self.began + t)
        return max(self._utc(wall) - self._start - t, 0.0)

    def shown(self, t: float) -> str:
        """What the wall clock shows t seconds after the start, with its date where it is known."""
        shown = _FIRST + timedelta(seconds=self.wall(t))
        day = _DAYS[shown.weekday()].capitalize()
        return f"{day} {shown:%Y-%m-%d %H:%M}" if self.began >= WEEK else f"{day} {shown:%H:%M}"

    @property
    def skipped(self) -> bool:
        """Whether the clock of the zone never shows the start: it is put forward then."""
        return self.zone is not None and not self.utc and self.wall(0.0) != self.began

    @property
    def _start(self) -> float:
        return self.began - MONDAY if self.utc else self._utc(self.began)

    def _utc(self, wall: float) -> float:
        """Seconds since 1970 (UTC) when the clock of the zone shows this, the first time."""
        shown = (_FIRST + timedelta(seconds=wall)).replace(tzinfo=self.zone)
        return shown.timestamp()
