"""The same release under several strategies: courses on one time axis, marks, and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.report import wording
from simulator.words.writing import written_out

if TYPE_CHECKING:
    from simulator.play.replay import Replay
    from simulator.words.scenario import Scenario

MARKS = {"detect": "detected", "decide": "decided", "rolled back": "rolled back"}
DEPLOYED = "deployed"
EVENTS = (*MARKS.values(), DEPLOYED)
_ROOM = 1.06
_UNEVEN = 5.0
_FIRST = 60.0
_TURN = 0.6
_MOST_TICKS, _APART = 8, 0.08
_STEPS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400, 172_800, 604_800)
_MOMENTS = (60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800, 1_209_600, 2_592_000)


STATES = ("old, serving", "new, serving", "starting", "leaving")
_TILES = 40


class Piece(NamedTuple):
    """From `start` to `end` seconds: the new version's share of the traffic, the bad share of all
    requests, bad requests a minute expected from it, and instances in each of `STATES`.
    """

    start: float
    end: float
    weight: float
    bad: float
    bad_a_minute: float
    fleet: tuple[float, ...]


class Moment(NamedTuple):
    """One strategy at one moment, as text: traffic on the new version, bad requests a minute and
    so far, instances in each of `STATES`, and what happened last.
    """

    strategy: str
    weight: str
    bad_a_minute: str
    bad: str
    fleet: str
    last: str


MOMENT = (
    *("strategy", "traffic on new", "bad a minute", "bad so far"),
    *("instances", "what happened last"),
)


class Mark(NamedTuple):
    """An event at `time` seconds, its time as text, and whether it stands late on the axis."""

    time: float
    event: str
    text: str
    late: bool


class Axis(NamedTuple):
    """The time axis of all courses: its end in seconds, and whether early moments are stretched."""

    end: float
    stretched: bool

    def place(self, time: float) -> float:
        """Where a moment stands on the axis, 0..1."""
        if self.stretched:
            return math.log1p(time / _FIRST) / math.log1p(self.end / _FIRST)
        return time / self.end

    def at(self, place: float) -> float:
        """The moment (seconds) that stands at a place 0..1."""
        if self.stretched:
            return _FIRST * math.expm1(place * math.log1p(self.end / _FIRST))
        return place * self.end

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round moments (seconds) to write on it, not too close to each other."""
        if not self.stretched:
            step = next((s for s in _STEPS if self.end / s <= _MOST_TICKS), _STEPS[-1])
            return tuple(step * k for k in range(int(self.end / step) + 1))
        found = [0.0]
        for moment in _MOMENTS:
            if moment <= self.end and self.place(moment) - self.place(found[-1]) > _APART:
                found.append(moment)
        return tuple(found)


class Ending(NamedTuple):
    """What a release came to under one strategy, as text."""

    strategy: str
    outcome: str
    detected: str
    by: str
    back: str
    failed: str
    harmed: str


ENDINGS = (
    *("strategy", "outcome", "detected after", "by"),
    *("back after", "failed requests", "users harmed"),
)


def axis(told: Sequence[Replay]) -> Axis:
    """One axis for all: long enough for every journal, stretched when they differ widely."""
    ends = [max((entry.time for entry in one.journal), default=0.0) for one in told]
    longest = max(ends, default=0.0)
    return Axis(longest * _ROOM + 30.0, longest > _UNEVEN * max(min(ends, default=0.0), _FIRST))


def pieces(told: Replay, scenario: Scenario, end: float) -> list[Piece]:
    """The course up to `end` seconds, neighbours that are alike joined."""
    found: list[Piece] = []
    for span in told.course:
        stop = min(span.end, end)
        if stop <= span.start:
            continue
        start = span.start
        fleet = (span.old, span.new, span.starting, span.leaving)
        same = (span.weight, span.harm, fleet)
        if found and (found[-1].weight, found[-1].bad, found[-1].fleet) == same:
            start = found.pop().start
        requests = float(scenario.traffic.integral([start, stop])[0])
        a_minute = 60.0 * span.harm * requests / (stop - start)
        found.append(Piece(start, stop, span.weight, span.harm, a_minute, fleet))
    return found


def moments(told: Sequence[Replay], along: Axis) -> list[int]:
    """The whole seconds at which something stands in a journal, in order."""
    found = {math.ceil(entry.time) for one in told for entry in one.journal}
    return sorted(second for second in found if second <= along.end)


def moment(told: Replay, parts: Sequence[Piece], time: float) -> Moment:
    """A strategy at `time` seconds."""
    now = next((p for p in parts if p.start <= time < p.end), parts[-1] if parts else None)
    bad = sum(p.bad_a_minute * (min(p.end, time) - p.start) / 60 for p in parts if p.start < time)
    past = [sentence for at, sentence in told.story() if at <= time]
    return Moment(
        told.strategy,
        wording.share(now.weight) if now else wording.DASH,
        wording.count(now.bad_a_minute) if now else wording.DASH,
        wording.count(bad),
        _counted(now.fleet) if now else wording.DASH,
        past[-1] if past else "nothing yet",
    )


def _counted(fleet: Sequence[float]) -> str:
    some = [f"{round(n)} {state}" for n, state in zip(fleet, STATES, strict=True) if round(n)]
    return "; ".join(some) or "none"


def each_tile(parts: Iterable[Sequence[Piece]]) -> int:
    """How many instances one tile stands for, so that no fleet has more than 40 tiles."""
    most = max([sum(piece.fleet) for one in parts for piece in one], default=1.0)
    return max(math.ceil(most / _TILES), 1)


def tiles(name: str, parts: Sequence[Piece], time: float, each: int) -> list[tuple[str, int, str]]:
    """A row for every tile of a fleet at a moment: strategy, place, state."""
    now = next((p for p in parts if p.start <= time < p.end), parts[-1] if parts else None)
    states = [
        state
        for state, count in zip(STATES, now.fleet if now else (), strict=False)
        for _ in range(math.ceil(round(count) / each))
    ]
    return [(name, place, state) for place, state in enumerate(states)]


def marks(told: Replay, along: Axis) -> list[Mark]:
    """When the release was first detected, decided upon, rolled back and deployed."""
    times = {event: first(told, verb) for verb, event in MARKS.items()}
    times[DEPLOYED] = told.outcome.time_to_deploy
    return [
        Mark(time, event, wording.length(time), along.place(time) > _TURN)
        for event, time in times.items()
        if time <= along.end
    ]


def first(told: Replay, verb: str) -> float:
    """The first moment (seconds) at which a verb stands in the journal, NaN without one."""
    return next((entry.time for entry in told.journal if entry.verb == verb), math.nan)


def ending(told: Replay) -> Ending:
    """What the release came to, as one row of text."""
    end, detected = told.outcome, first(told, "detect")
    return Ending(
        told.strategy,
        end.outcome.replace("_", " "),
        wording.figure(detected, "s"),
        wording.DASH if math.isnan(detected) else end.caught_by,
        wording.figure(first(told, "rolled back"), "s"),
        wording.count(end.failed_requests),
        wording.share(end.users_harmed),
    )


def summary(told: Mapping[str, Replay], good: bool) -> str:
    """One sentence: who harms least and most in this release (a good one: who is first)."""
    if len(told) < 2:
        return ""
    if good:
        times = {name: one.outcome.time_to_deploy for name, one in told.items()}
        done = {name: t for name, t in times.items() if t == t and t < math.inf}
        if not done:
            return "No strategy deploys this good release."
        quick, slow = min(done, key=done.__getitem__), max(done, key=done.__getitem__)
        return (
            f"A good release: {quick} deploys it first, after {wording.length(done[quick])}, "
            f"{slow} last, after {wording.length(done[slow])}."
        )
    failed = {name: one.outcome.failed_requests for name, one in told.items()}
    least, most = min(failed.values()), max(failed.values())
    if most == least:
        return f"It costs {wording.count(least)} failed requests under every strategy."
    return (
        f"The same bad release costs {wording.count(least)} failed requests under "
        f"{_those(failed, least)} and {wording.count(most)} under {_those(failed, most)}."
    )


def _those(values: Mapping[str, float], wanted: float) -> str:
    """The names with a value: two by name, more by their number."""
    names = [name for name, value in values.items() if value == wanted]
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} strategies"


def defect(scenario: Scenario, label: str) -> str:
    """A defect as its scenario describes it; empty for a good release."""
    if label not in scenario.change.labels:
        return ""
    words = written_out(scenario.change, "change")["defects"][scenario.change.labels.index(label)]
    shown = {
        key: value
        for key, value in words.items()
        if key != "share" and (key, value) not in _USUAL and value not in ("none", {})
    }
    return ", ".join(f"{key}: {_words(value)}" for key, value in shown.items())


_USUAL = (("users", "100%"), ("starts", "100%"))


def _words(value: Any) -> str:
    """A value as a file would say it in one line, numbers with three digits."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_words(one)}' for key, one in value.items())}}}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


TABLE = ("strategy", "from", "to", "traffic on new", "bad share", "bad a minute")


def table(parts: Mapping[str, Sequence[Piece]]) -> list[tuple[str, ...]]:
    """All courses as rows of text."""
    return [
        (
            name,
            wording.length(piece.start),
            wording.length(piece.end),
            wording.share(piece.weight),
            wording.share(piece.bad),
            wording.count(piece.bad_a_minute),
        )
        for name, pieces_of_one in parts.items()
        for piece in pieces_of_one
    ]


def highest(parts: Iterable[Sequence[Piece]]) -> float:
    """The top of an axis of bad requests a minute that all courses share, at least 1."""
    return max([piece.bad_a_minute for one in parts for piece in one], default=0.0) * 1.05 or 1.0
