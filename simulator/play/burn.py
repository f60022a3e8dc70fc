"""Burn-rate alarms: shares of bad requests over long and short windows, each minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.alarm import Periods
from simulator.play.fleet import OLD
from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.cells import Cells, Part
    from simulator.play.noise import Noise
    from simulator.play.plan import Plan
    from simulator.words.detection import BurnRate

Array = NDArray[np.float64]

EVERY: Final = 60.0
_NEGLIGIBLE: Final = 27.64  # minus the logarithm of 1e-12
_EQUAL: Final = 1e-9
_NOTHING: Final = 1e-6
_AHEAD: Final = 1440
Span = tuple[float, float]


class Course:
    """What each minute of a scope came to: counts that were drawn, and what is only expected.

    Both as running sums (2, minutes + 1) of requests that went well and of bad ones; a minute may
    have a part of each. `size` minutes are settled; what stands behind them is a look ahead.
    """

    __slots__ = ("_drawn", "_expected", "size")

    def __init__(self, expected: Array) -> None:
        self.size = 0
        self._drawn = np.zeros((2, 1))
        self._expected = np.zeros((2, 1))
        self.extend(expected, np.zeros_like(expected))

    def extend(self, expected: Array, drawn: Array) -> None:
        """Append minutes, shape (2, n) each."""
        start, end = self.size, self.size + expected.shape[1]
        room = end + 1 - self._drawn.shape[1]
        if room > 0:
            more = np.zeros((2, max(room, self._drawn.shape[1])))
            self._drawn = np.concatenate([self._drawn, more], axis=1)
            self._expected = np.concatenate([self._expected, more], axis=1)
        for sums, new in ((self._expected, expected), (self._drawn, drawn)):
            np.cumsum(new, axis=1, out=sums[:, start + 1 : end + 1])
            sums[:, start + 1 : end + 1] += sums[:, start : start + 1]
        self.size = end

    def draw(self, start: int, generator: np.random.Generator) -> None:
        """Draw everything from minute `start` on that is only expected yet."""
        start, end = max(start, 0), self.size
        waiting = np.diff(self._expected[:, start : end + 1], axis=1)
        if (waiting > _NOTHING).any():
            drawn = np.diff(self._drawn[:, start : end + 1], axis=1)
            drawn += generator.poisson(np.where(waiting > _NOTHING, waiting, 0.0))
            self.size = start
            self.extend(np.zeros_like(waiting), drawn)

    def over(self, start: int, minutes: int) -> tuple[Array, Array]:
        """(Drawn, expected) good and bad requests in the windows of so many minutes that end with
        each minute from `start` on, shape (2, n) each.
        """
        ends = slice(start + 1, self.size + 1)
        if start + 1 >= minutes:
            begins: slice | NDArray[np.intp] = slice(start + 1 - minutes, self.size + 1 - minutes)
        else:
            begins = np.maximum(np.arange(start + 1, self.size + 1) - minutes, 0)
        return (
            self._drawn[:, ends] - self._drawn[:, begins],
            self._expected[:, ends] - self._expected[:, begins],
        )


class BurnWatch(Periods):
    """The burn-rate rows of one scope and metric: which of them fires first, and when.

    A row fires at the first evaluation, once a minute, at which the bad shares of its long and of
    its short window both reach `burn` times the error budget, 1 - availability (the multiwindow,
    multi-burn-rate alerts of The Site Reliability Workbook, chapter 5). Windows reach back into
    normal operation; a row that fires already at the start is ignored until it has cleared. What
    nobody has drawn is drawn only when a row could fire (but for one chance in 1e12).
    """

    words: BurnRate

    def __init__(
        self, rows: Sequence[BurnRate], versions: tuple[int, ...], plan: Plan, luck: Luck
    ) -> None:
        self.words = rows[0]
        self.told = (rows[0].label, rows[0].delay)
        self.versions = versions
        self.period = EVERY
        self.origin = 0.0
        if rows[0].phase == "random":
            self.origin = -luck.uniform(Purpose.PHASE) * EVERY
        self.next, self.done = 1, False
        budget = 1.0 - plan.scenario.slo.availability
        self._limits = [row.burn * budget * (1 - _EQUAL) for row in rows]
        self._windows = [(round(row.long / EVERY), round(row.short / EVERY)) for row in rows]
        self._blocked = [False] * len(rows)
        self._past = max(long for long, _ in self._windows)
        self._plan, self._luck = plan, luck
        self._course: Course | None = None
        self._own = np.empty(0, np.intp)
        self._begun = np.zeros((2, 2))
        self._before, self._settled, self._ahead = 0, False, 0

    def calm(self, noise: Noise, parts: Sequence[Part], share: float, span: Span) -> int:
        """How many minutes that end in span = (a, b] pass without any chance of firing.

        For a harmless stretch from a on: `parts` is what the open minute holds so far, `share`
        the scope's share of the requests. `skip` then takes some of these minutes over.
        """
        a, b = span
        count = self.count_to(b)
        if count <= 0 or self._begun.any() or any(part.incident for part in parts):
            return 0
        course = self._begin(noise)
        self._before = course.size
        if abs(share - 1) < _EQUAL and self._all_along(parts):
            if self._ahead < course.size + count:
                minutes = self._expected(noise, max(count, _AHEAD), 1.0)
                self._ahead = course.size + self._safe(course, minutes)
            return min(self._ahead - course.size, count)
        self._ahead = 0
        opened = self._opened(noise, parts, a)
        if opened is None:
            return 0
        minutes = self._expected(noise, count, share, a)
        minutes[:, 0] += opened
        return self._safe(course, minutes)

    def _expected(self, noise: Noise, count: int, share: float, a: float | None = None) -> Array:
        """Good and bad requests of the next minutes without harm; of the first only from a on."""
        edges = self.end(self.next - 1) + EVERY * np.arange(count + 1, dtype=np.float64)
        if a is not None:
            edges[0] = a
        requests = self._plan.requests(edges)
        bad = np.zeros(count)
        if self.words.metric != "late" and self._plan.noise:
            bad = noise.expected(edges, requests) * share
        return np.stack([requests * share - bad, bad])

    def _safe(self, course: Course, minutes: Array) -> int:
        """How many of the minutes to come pass without any chance of firing."""
        course.extend(minutes, np.zeros_like(minutes))
        could = np.flatnonzero(np.any(self._could(course, self._before), axis=0))
        course.size = self._before
        return int(could[0]) if len(could) else minutes.shape[1]

    def _all_along(self, parts: Sequence[Part]) -> bool:
        """Whether the scope had all the traffic of the open minute so far, and no harm."""
        for part in parts:
            mine = 0.0
            for version in self.versions:
                if version in part.rows:
                    good, failing, late, _ = part.rows[version]
                    if failing or late:
                        return False
                    mine += good
            if abs(mine - part.base) > _EQUAL * part.base:
                return False
        return True

    def skip(self, count: int) -> None:
        """Take the next `count` minutes, which `calm` found to be safe, as closed."""
        self.next += count
        if self._course is not None:
            self._course.size = self._before + count
            if count:
                self._blocked = [False] * len(self._blocked)

    def first_trip(self, cells: Cells, ends: Array, alone: bool, noise: Noise) -> int | None:
        """The index of the first cell at whose end a row fires, or None; see `advance`."""
        self._find_own(ends, alone)
        course = self._begin(noise)
        self._before, self._settled, self._ahead = course.size, False, 0
        count = len(self._own)
        if not count:
            return None
        course.extend(*self._minutes(cells))
        could = self._could(course, self._before)
        if not np.any(could):
            self._blocked = [False] * len(self._blocked)
            return None
        self._settle(cells, course)
        first = self._before + int(np.flatnonzero(np.any(could, axis=0))[0])
        course.draw(first + 1 - self._past, self._luck.counts())
        fires = self._fires(course, self._before)
        for row, firing in enumerate(fires):
            np.logical_and(firing, could[row], out=firing)
            if self._blocked[row]:
                clear = np.flatnonzero(~firing)
                self._blocked[row] = not len(clear)
                firing[: clear[0] if len(clear) else count] = False
        tripped = np.flatnonzero(np.any(fires, axis=0))
        return int(self._own[tripped[0]]) if len(tripped) else None

    def advance(self, cells: Cells, closed: int) -> None:
        """Take over the first `closed` cells: whole minutes, and what the open one holds."""
        taken = int(np.searchsorted(self._own, closed))
        self.next += taken
        assert self._course is not None
        if taken and cells.known(self.versions):
            self._settle(cells, self._course)
        self._course.size = self._before + taken
        rest = int(self._own[taken - 1]) + 1 if taken else 0
        if taken:
            self._begun = np.zeros((2, 2))
        if rest < closed and cells.has(self.versions):
            good, late, bad = cells.split(self.versions, self.words.metric)
            part = slice(rest, closed)
            self._begun += ((good[part].sum(), 0.0), (late[part].sum(), bad[part].sum()))

    def _begin(self, noise: Noise) -> Course:
        """The minutes so far; at first the history, which may be firing already."""
        if self._course is None:
            self._course = Course(self._history(noise))
            last = self._past - 1
            if np.any(self._could(self._course, last)):
                self._course.draw(0, self._luck.counts())
                fires = self._fires(self._course, last)
                self._blocked = [bool(row[0]) for row in fires]
        return self._course

    def _history(self, noise: Noise) -> Array:
        """Expected requests of normal operation before the first evaluation, minute by minute."""
        if OLD not in self.versions:
            return np.zeros((2, self._past))
        edges = self.origin + EVERY * np.arange(-self._past, 1, dtype=np.float64)
        requests = self._plan.requests(edges)
        bad = np.zeros(self._past)
        if self.words.metric != "late" and self._plan.noise:
            bad = noise.expected(edges, requests)
        if self.words.metric != "errors" and self._plan.latency is not None:
            bad = bad + self._plan.latency.usually(edges)
        return np.stack([requests - bad, bad])

    def _opened(self, noise: Noise, parts: Sequence[Part], until: float) -> Array | None:
        """Expected good and bad requests in the open minute; None when harm was drawn in it."""
        total = np.zeros(2)
        for index, part in enumerate(parts):
            end = parts[index + 1].start if index + 1 < len(parts) else until
            own = 0.0
            if self.words.metric != "late" and self._plan.noise:
                own = noise.between(part.start, end, part.base)
            for version in self.versions:
                if version in part.rows:
                    good, failing, late, share = part.rows[version]
                    if failing or late:
                        return None
                    bad = own * share
                    total += (good - bad, bad)
        return total

    def _minutes(
        self, cells: Cells, requests: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array]:
        """(Expected, drawn) good and bad requests of each minute that ends among the cells."""
        count = len(self._own)
        expected, drawn = np.zeros((2, count)), np.zeros((2, count))
        if cells.has(self.versions):
            parts = cells.split(self.versions, self.words.metric)
            starts = np.concatenate([[0], self._own[:-1] + 1])
            stop = self._own[-1] + 1
            good, late, bad = (np.add.reduceat(part[:stop], starts) for part in parts)
            expected[0], drawn[0], drawn[1] = good, late, bad
            if requests is not None:
                expected[0], drawn[0] = 0.0, np.add.reduceat(requests[:stop], starts) - bad
        expected[:, 0] += self._begun[0]
        drawn[:, 0] += self._begun[1]
        return expected, drawn

    def _settle(self, cells: Cells, course: Course) -> None:
        """Use the drawn requests of these cells: everybody sees the same numbers."""
        if self._settled or not cells.has(self.versions):
            return
        expected, drawn = self._minutes(cells, cells.requests(self.versions))
        course.size = self._before
        course.extend(expected, drawn)
        self._settled = True

    def _could(self, course: Course, start: int) -> list[NDArray[np.bool_]]:
        """For each row, at which minutes from `start` on it could fire (Chernoff bounds)."""
        found = []
        for limit, windows in zip(self._limits, self._windows, strict=True):
            could = np.ones(course.size - start, bool)
            for minutes in reversed(windows):
                drawn, expected = course.over(start, minutes)
                mean = np.maximum(expected[1], 0.0)
                above = _NEGLIGIBLE / 3 + np.sqrt((_NEGLIGIBLE / 3) ** 2 + 2 * _NEGLIGIBLE * mean)
                bad = drawn[1] + np.where(mean > _NOTHING, mean + above, 0.0)
                good = np.maximum(expected[0], 0.0)
                least = drawn[0] + np.maximum(good - np.sqrt(2 * _NEGLIGIBLE * good), 0.0)
                could &= (bad > 0) & (bad >= limit * (bad + least))
                if not could.any():
                    break
            found.append(could)
        return found

    def _fires(self, course: Course, start: int) -> list[NDArray[np.bool_]]:
        """For each row, at which minutes from `start` on it fires; all counts must be drawn."""
        found = []
        for limit, windows in zip(self._limits, self._windows, strict=True):
            fires = np.ones(course.size - start, bool)
            for minutes in windows:
                (good, bad), _ = course.over(start, minutes)
                fires &= (bad > 0) & (bad >= limit * (good + bad))
            found.append(fires)
        return found
