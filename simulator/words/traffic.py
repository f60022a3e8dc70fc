"""Traffic: how many requests come when, and from how many users."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from simulator.words.clock import DAY, MONDAY, WEEK, clock_seconds, date_seconds, is_date
from simulator.words.model import Words
from simulator.words.service import Cell
from simulator.words.tenants import Tenants
from simulator.words.traces import Series, read_trace
from simulator.words.units import Count, Duration, Factor, PositiveDuration, Rate, Share

Array = NDArray[np.float64]


class Daily(Words):
    """A daily curve: mean + (peak - mean) cos(2 pi (clock - peak_at) / 24 h)."""

    mean: Rate = Field(description="Mean rate over a day.")
    peak: Rate = Field(description="Highest rate of the day.")
    peak_at: str = Field(description="Time of day of the peak, e.g. 14:00.")

    @model_validator(mode="after")
    def _never_negative(self) -> Daily:
        if not self.mean <= self.peak <= 2 * self.mean:
            raise ValueError(
                f"peak {self.peak:g} rps must lie between the mean and twice the mean "
                f"({self.mean:g} to {2 * self.mean:g} rps): the curve would be negative at night"
            )
        clock_seconds(self.peak_at)
        return self


class Trace(Words):
    """Measured traffic that repeats: a column of numbers of requests per `per`."""

    file: str = Field(description="CSV or JSON file, relative to the scenario.")
    format: Literal["csv", "cloudwatch", "prometheus"] = Field("csv", description="Its format.")
    time: str = Field("timestamp", description="Column of the times (CSV).")
    value: str = Field("value", description="Column of the values (CSV).")
    per: PositiveDuration | None = Field(
        None, description="The values are requests per this time; CSV and CloudWatch need it."
    )
    scale: Factor = Field(1.0, description="Multiplies all values.")


class Spike(Words):
    """More traffic for a while."""

    at: Duration = Field(description="When it begins, after the start of the deployment.")
    lasts: PositiveDuration = Field(description="How long it lasts.")
    factor: Factor = Field(description="Multiplies the rate.")


class LongConnections(Words):
    """Connections that carry many requests: websockets, or gRPC behind a balancer that sees only
    connections. A weight holds for new ones; those that are open stay where they are.
    """

    mean: PositiveDuration = Field(description="Mean length of a connection (exponential).")


class Traffic(Words):
    """Requests per second at every moment; t is seconds after the start of the deployment."""

    rate: Rate | None = Field(None, description="A constant rate.")
    daily: Daily | None = Field(None, description="A daily curve.")
    trace: Trace | None = Field(None, description="Measured traffic.")
    spikes: tuple[Spike, ...] = Field((), description="More traffic for a while.")
    users_: Count | Tenants = Field(
        alias="users",
        description="Users, among whom requests fall evenly at random; or of tenants, {count: "
        "250k, largest: 15%, zipf: 1.1}.",
    )
    sticky: bool = Field(description="Whether a user stays on one version while weights rise.")
    writes: Share = Field(description="Share of requests that write.")
    connections: LongConnections | None = Field(
        None, description="Long connections; none: the balancer sends each request by itself."
    )
    retries: int = Field(
        0, ge=0, le=10, description="How often clients try a failed or rejected request again."
    )
    queue: bool = Field(
        False, description="Requests wait in a queue, and instances pull them, the oldest first."
    )
    deadline: PositiveDuration | None = Field(
        None, description="Age above which a request of a queue is done too late."
    )
    start_at: str | None = Field(
        None,
        description="Weekday and time of the start (Tue 10:00), a date and time (2026-12-23 "
        "10:00), or a moment of the trace.",
    )

    _series: Series | None = PrivateAttr(None)
    _offset: float = PrivateAttr(0.0)
    _began: float = PrivateAttr(0.0)
    # What the daily curve swings by, and when it begins and peaks: each private read is dear.
    _wave: tuple[float, float, float] = PrivateAttr((0.0, 0.0, 0.0))
    _top: float = PrivateAttr(0.0)
    _cuts: Array = PrivateAttr(default_factory=lambda: np.empty(0))

    @model_validator(mode="after")
    def _prepare(self, info: ValidationInfo) -> Traffic:
        given = [key for key in ("rate", "daily", "trace") if getattr(self, key) is not None]
        if len(given) != 1:
            what = "none of them" if not given else " and ".join(given)
            raise ValueError(f"give one of rate, daily, trace; here: {what}")
        self._queues()
        if self.trace is not None:
            self._series = read_trace(self.trace, (info.context or {}).get("folder") or ".")
            moment = self._series.epoch
            if self.start_at is not None:
                stated = self._series.moment(self.start_at)
                if stated is not None:
                    self._series.check(stated, self.start_at)
                moment = stated if stated is not None else self._next(self.start_at, moment)
            self._offset = moment - self._series.epoch
            self._began = moment + MONDAY
        else:
            start = self.start_at or "Tue 10:00"
            self._began = date_seconds(start) if is_date(start) else clock_seconds(start)
            self._offset = self._began % WEEK
        if self.daily is not None:
            swing = self.daily.peak - self.daily.mean
            self._wave = swing, self._offset, clock_seconds(self.daily.peak_at)
            self._top = self.daily.peak
        edges = {s.at for s in self.spikes} | {s.at + s.lasts for s in self.spikes}
        self._cuts = np.array(sorted(edges))
        return self

    def _queues(self) -> None:
        """A queue has a deadline, and no connections; raises ValueError."""
        if self.queue and self.deadline is None:
            raise ValueError("queue needs a deadline: how old work may become, e.g. deadline: 15m")
        if self.deadline is not None and not self.queue:
            raise ValueError("deadline needs queue: true; add it, or remove deadline")
        if self.queue and self.connections is not None:
            raise ValueError("consumers pull from a queue: remove connections, or queue")

    @staticmethod
    def _next(text: str, moment: float) -> float:
        """The first time from `moment` on that the clock shows `text` (seconds since 1970)."""
        seconds = clock_seconds(text)
        cycle = WEEK if text.strip()[0].isalpha() else DAY
        return moment + (seconds - moment - MONDAY) % cycle

    def split(self, cells: Sequence[Cell]) -> None:
        """Let the whole be the sum of these cells, each with the daily curve at its own hour.

        A sum of cosines is a cosine: its swing and hour are those of the mean of the cells' peaks
        as points of a circle, weighted by their shares. Raises ValueError without a daily curve.
        """
        if self.daily is None:
            raise ValueError("cells with peak_at need a daily curve: write traffic: {daily: ...}")
        turns = [2 * math.pi * clock_seconds(c.peak_at or self.daily.peak_at) / DAY for c in cells]
        east = sum(c.share * math.cos(turn) for c, turn in zip(cells, turns, strict=True))
        north = sum(c.share * math.sin(turn) for c, turn in zip(cells, turns, strict=True))
        swing = (self.daily.peak - self.daily.mean) * math.hypot(east, north)
        self._wave = swing, self._offset, math.atan2(north, east) * DAY / (2 * math.pi)
        self._top = self.daily.mean + swing

    def __eq__(self, other: object) -> bool:
        """Same words and, for a trace, same data."""
        if not isinstance(other, Traffic):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self._series == other._series

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    @property
    def users(self) -> int:
        """How many users there are."""
        return self.users_.count if isinstance(self.users_, Tenants) else self.users_

    @property
    def tenants(self) -> Tenants | None:
        """To whom the users belong, if that is told."""
        return self.users_ if isinstance(self.users_, Tenants) else None

    @property
    def constant(self) -> bool:
        """Whether the rate is the same at every moment."""
        return self.rate is not None and not self.spikes

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the data, what was taken of tenants, and what has no effect."""
        told = list(self._series.notes) if self._series is not None else []
        if self.queue and self.sticky:
            told.append(
                "whoever pulls a message does it, whose it is: without effect: traffic.sticky"
            )
        if self.tenants is not None:
            told.append(
                f"{self.tenants.number} tenants, the largest of "
                f"{self.tenants.largest * self.tenants.count:.3g} users; new versions reach users, "
                "not whole tenants"
            )
        return tuple(told)

    @property
    def mean(self) -> float:
        """Long-run mean rate without spikes, requests/s."""
        if self.rate is not None:
            return self.rate
        if self.daily is not None:
            return self.daily.mean
        assert self._series is not None
        return self._series.mean

    @property
    def peak(self) -> float:
        """The largest rate at any time, spikes included, requests/s."""
        base = self.rate or self._top
        if self._series is not None:
            base = self._series.peak
        if not self.spikes:
            return base
        return max(base, self.greatest(float(self._cuts[0]), float(self._cuts[-1])))

    @property
    def busiest_hour(self) -> float:
        """The largest mean rate over an hour without spikes, requests/s; of cells with peaks of
        their own the sum of each one's, for which its part of the fleet is built.
        """
        if self.rate is not None:
            return self.rate
        if self.daily is not None:
            half = math.pi * 3600 / DAY
            return self.daily.mean + (self.daily.peak - self.daily.mean) * math.sin(half) / half
        assert self._series is not None
        return self._series.busiest(3600.0)

    def at(self, t: Any) -> Any:
        """Requests per second at the times t."""
        t = np.asarray(t, dtype=float)
        return self._base(t) * self._spiked(t) if self.spikes else self._base(t)

    def _base(self, t: Array) -> Array:
        if self.rate is not None:
            return np.full(np.shape(t), self.rate)
        if self.daily is not None:
            swing, offset, peak_at = self._wave
            angle = 2 * np.pi * (t + offset - peak_at) / DAY
            curve: Array = self.daily.mean + swing * np.cos(angle)
            return curve
        assert self._series is not None
        return self._series.at(t + self._offset)

    def _spiked(self, t: Array) -> Array:
        factor = np.ones(np.shape(t))
        for spike in self.spikes:
            inside = (t >= spike.at) & (t < spike.at + spike.lasts)
            factor = np.where(inside, factor * spike.factor, factor)
        return factor

    def _plain(self, t: Array) -> Array:
        """Integral of the rate without spikes from 0 to t."""
        if self.rate is not None:
            return self.rate * t
        if self.daily is not None:
            swing, offset, peak_at = self._wave
            swing, shift = swing * DAY / (2 * np.pi), offset - peak_at
            angle = 2 * np.pi * (t + shift) / DAY
            zero = math.sin(2 * math.pi * shift / DAY)
            course: Array = self.daily.mean * t + swing * (np.sin(angle) - zero)
            return course
        assert self._series is not None
        return self._series.cumulative(t + self._offset) - self._series.cumulative(
            np.array(self._offset)
        )

    def cumulative(self, t: Any) -> Array:
        """Expected requests from 0 to t (negative before the start)."""
        t = np.asarray(t, dtype=float)
        course = self._plain(t)
        if len(self._cuts):
            for a, b in zip(self._cuts[:-1], self._cuts[1:], strict=True):
                extra = float(self._spiked(np.array((a + b) / 2))) - 1.0
                if extra:
                    inside = self._plain(np.clip(t, a, b)) - self._plain(np.array(a))
                    course = course + extra * inside
        return course

    def integral(self, edges: Any) -> Array:
        """Expected requests of each cell between neighbouring edges."""
        if self.constant and self.rate is not None:
            flat: Array = self.rate * np.diff(edges)
            return flat
        course: Array = np.diff(self.cumulative(edges))
        return course

    def _extremes(self, a: float, b: float) -> Array:
        """Rates among which are the largest and the smallest on [a, b]."""
        cuts = self._cuts[(self._cuts > a) & (self._cuts < b)]
        rates = [np.atleast_1d(self.at(b))]
        for low, high in pairwise(np.unique([a, *cuts, b])):
            factor = self._spiked((low + high) / 2)
            rates.append(self._base(self._turns(float(low), float(high))) * factor)
        return np.concatenate(rates)

    def _turns(self, low: float, high: float) -> Array:
        """Moments among which the rate without spikes is largest and smallest on [low, high]."""
        inner = np.empty(0)
        if self.daily is not None:
            peak, half = self._wave[2] - self._wave[1], DAY / 2
            inner = peak + half * (math.ceil((low - peak) / half) + np.arange(2.0))
        elif self._series is not None:
            end = min(high, low + self._series.period)  # nothing new comes after a period
            inner = self._series.knots(low + self._offset, end + self._offset) - self._offset
        return np.concatenate([[low, high], inner[(inner > low) & (inner < high)]])

    def greatest(self, a: float, b: float) -> float:
        """The largest rate on [a, b], requests/s: an upper bound that is reached or approached."""
        return float(np.max(self._extremes(a, b)))

    def least(self, a: float, b: float) -> float:
        """The smallest rate on [a, b], requests/s: a lower bound, reached or approached."""
        return float(np.min(self._extremes(a, b)))

    def kinks(self, a: float, b: float) -> Array:
        """The moments in (a, b) at which the rate is not smooth, in order."""
        cuts = self._cuts[(self._cuts > a) & (self._cuts < b)]
        if self._series is None:
            return cuts
        knots = self._series.knots(a + self._offset, b + self._offset) - self._offset
        return np.sort(np.concatenate([cuts, knots]))

    @property
    def began(self) -> float:
        """The start of the deployment in seconds since a Monday 0:00; see `words.clock`."""
        return self._began

    @property
    def dated(self) -> bool:
        """Whether the date of the start is known: stated, or a trace's."""
        return self.trace is not None or (self.start_at is not None and is_date(self.start_at))

    def clock(self, t: float) -> tuple[int, float]:
        """Weekday (Monday is 0) and hour of the day at time t."""
        seconds = (self._began + t) % WEEK
        return int(seconds // DAY) % 7, seconds % DAY / 3600
