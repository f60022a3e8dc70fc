"""One alarm of one replication: its periods, its last datapoints, and when it trips."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.cells import Cells
    from simulator.play.rollout import Rollout
    from simulator.words.detection import Alarm

Array = NDArray[np.float64]

_OK: Final = 0
_BREACH: Final = 1
_NO_DATA: Final = -1


class Rule:
    """What an alarm's words say, read once for many replications: seconds and shares.

    Of the last `n` datapoints `m` are breaches; with fewer than `fewest` requests a period is none.
    `aligned` periods begin with the deployment.
    """

    def __init__(self, words: Alarm) -> None:
        self.watch: str = words.watch
        self.metric: str = words.metric
        self.missing: str = words.missing
        self.above: float = words.above
        self.period: float = words.period
        self.told: tuple[str, float] = (words.label, words.delay)
        self.m: int = words.m
        self.n: int = words.n
        self.fewest: int = max(words.minimum_requests, 1)
        self.aligned: bool = words.phase == "aligned"


class Periods:
    """Periods of equal length that end at origin + k x period; `next` is the next k to close.

    `told` is what the detector is called, and the delay until it can be read (seconds).
    """

    __slots__ = ("_own", "done", "next", "origin", "period", "told")

    origin: float
    period: float
    next: int
    done: bool
    told: tuple[str, float]
    _own: NDArray[np.intp]

    def speak(self, rollout: Rollout, end: float) -> None:
        """It has tripped at the end of a period (seconds): say so as soon as it can be read."""
        self.done = True
        by, delay = self.told
        rollout.trip(by, end + delay)

    def count_to(self, b: float) -> int:
        """How many of its periods end up to and including b."""
        return math.floor((b - self.origin) / self.period + 1e-9) - self.next + 1

    def closing(self, count: int) -> Array:
        """The ends of the next `count` periods, seconds."""
        numbers = np.arange(self.next, self.next + max(count, 0), dtype=np.float64)
        return self.origin + self.period * numbers

    def end(self, number: int) -> float:
        """The end of period `number`, seconds."""
        return self.origin + self.period * number

    def _find_own(self, ends: Array, alone: bool) -> None:
        """Which cells end with one of its periods; with `alone` all of them."""
        if alone:
            self._own = np.arange(len(ends))
        else:
            self._own = np.flatnonzero(np.isin(ends, self.closing(len(ends))))


class AlarmWatch(Periods):
    """The state of an alarm: the next period to close, and the datapoints that still count.

    Periods end at phase + k x period; the phase is one draw per replication, the same share of
    the period for every alarm (0 when aligned). A period is a breach when it has at least
    `minimum_requests` and its bad share is above the threshold; without enough requests it is no
    datapoint, treated as `missing` says: "missing" and "ignore" leave it out, "notBreaching" and
    "breaching" count it as such. The alarm trips at the m-th breach among the last n datapoints.
    """

    __slots__ = (
        "_bad",
        "_m",
        "_n",
        "_recent",
        "_requests",
        "_states",
        "errors",
        "late",
        "rule",
        "versions",
    )

    rule: Rule

    def __init__(self, rule: Rule, versions: tuple[int, ...], luck: Luck) -> None:
        self.rule, self.told = rule, rule.told
        self.versions = versions
        self.period = rule.period
        self._m, self._n = rule.m, rule.n
        self.errors, self.late = rule.metric != "late", rule.metric != "errors"
        self.origin = 0.0
        if not rule.aligned:
            self.origin = -luck.uniform(Purpose.PHASE) * rule.period
        self.next = 1
        self.done = False
        self._recent: list[int] = []
        self._bad = self._requests = 0
        self._own = _NONE
        self._states: NDArray[np.int64] | None = None

    @property
    def calm(self) -> bool:
        """Whether no breach is remembered and no cell of an unfinished longer period is kept."""
        return not self._requests and _BREACH not in self._recent

    def skip(self, count: int) -> None:
        """Take the next `count` periods as closed without a breach."""
        self.next += count
        self._recent.clear()

    def close_one(self, bad: int, requests: int) -> bool:
        """Close its next period with these counts; whether it trips."""
        self.next += 1
        rule = self.rule
        if self._requests:
            bad, requests = bad + self._bad, requests + self._requests
            self._bad = self._requests = 0
        if requests < rule.fewest:
            if rule.missing == "breaching":
                state = _BREACH
            elif rule.missing == "notBreaching":
                state = _OK
            else:
                return False
        else:
            state = _BREACH if bad / requests > rule.above else _OK
        if self.done:
            return False
        if state == _BREACH or self._recent:
            self._recent = [*self._recent, state][-self._n :]
        return state == _BREACH and self._recent.count(_BREACH) >= self._m

    def first_trip(self, cells: Cells, ends: Array, alone: bool) -> int | None:
        """The index of the first cell at whose end the alarm trips, or None; see `advance`.

        With `alone` every cell is one of its own periods.
        """
        self._find_own(ends, alone)
        self._states = None
        if not len(self._own):
            return None
        self._states = self._judge(cells, len(ends))
        if self._states is None:
            return None
        recent, states = list(self._recent), self._states.tolist()
        if _BREACH not in states:
            return None
        for place, state in enumerate(states):
            if state != _NO_DATA:
                recent.append(state)
                if state == _BREACH and sum(recent[-self._n :]) >= self._m:
                    return int(self._own[place])
        return None

    def advance(self, cells: Cells, closed: int) -> None:
        """Take over the first `closed` cells: datapoints, and the unfinished longer period."""
        taken = int(self._own.searchsorted(closed))
        self.next += taken
        if self._states is None:
            if taken:
                self._recent.clear()
        else:
            kept = [state for state in self._states[:taken].tolist() if state != _NO_DATA]
            self._recent = (self._recent + kept)[-self._n :]
        rest = int(self._own[taken - 1]) + 1 if taken else 0
        if taken:
            self._bad = self._requests = 0
        if rest < closed and cells.has(self.versions):
            self._bad += int(cells.bad(self.versions, self.rule.metric)[rest:closed].sum())
            self._requests += int(cells.requests(self.versions)[rest:closed].sum())

    def _judge(self, cells: Cells, length: int) -> NDArray[np.int64] | None:
        """The state of each of its periods that end among the cells; None when all are fine."""
        own, rule = self._own, self.rule
        empty_is = {"breaching": _BREACH, "notBreaching": _OK}.get(rule.missing, _NO_DATA)
        if not cells.has(self.versions):
            if rule.watch == "new" and not cells.began:
                empty_is = _NO_DATA
            return np.full(len(own), empty_is)
        bad = cells.bad(self.versions, rule.metric)
        whole = len(own) == length and not self._requests
        calm = whole and _BREACH not in self._recent and rule.missing != "breaching"
        if calm and bad.max() <= rule.above * cells.least(self.versions):
            return None
        requests = cells.requests(self.versions)
        if not whole:
            starts = np.concatenate([[0], own[:-1] + 1])
            bad = np.add.reduceat(bad[: own[-1] + 1], starts)
            requests = np.add.reduceat(requests[: own[-1] + 1], starts)
            bad[0] += self._bad
            requests[0] += self._requests
        states = (bad / np.maximum(requests, 1) > rule.above).astype(np.int64)
        states[requests < rule.fewest] = empty_is
        return states


_NONE: Final = np.empty(0, np.intp)
