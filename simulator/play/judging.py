"""Judging a step: what both versions came to while it was watched, period by period."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play import judges, ranked_judge
from simulator.play.alarm import Periods
from simulator.play.fleet import MIRROR, NEW, OLD

if TYPE_CHECKING:
    from simulator.play.cells import Cells
    from simulator.play.luck import Luck
    from simulator.play.noise import Noise
    from simulator.play.plan import Plan
    from simulator.words.detection import Judge

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_SCOPES = ((NEW, MIRROR), (OLD,))
_COLUMNS: Final = {"errors": (1, 0, 0), "late": (0, 1, 0), "bad": (1, 1, 0)}


class JudgeWatch(Periods):
    """What a judge has seen of its step: in each period, of new and of old, (failed, late, all).

    Periods begin with the step. An always-valid judge looks at the end of each of them and may
    fail the step at once; the others decide when the step is over. `share` is the part of the
    requests that new gets. One may go on with what an earlier run of it saw, which ended at `until`
    (seconds), as far as its lookback reaches.
    """

    versions: ClassVar[tuple[int, ...]] = (OLD, NEW, MIRROR)
    words: Judge

    def __init__(self, words: Judge, now: float, plan: Plan, luck: Luck, share: float) -> None:
        self.words, self.told = words, (words.label, 0.0)
        self.origin, self.period = now, words.period
        self.next, self.done = 1, False
        self._share = 0.5 if words.against == "baseline" else share
        self._plan, self._luck = plan, luck
        self._rows: list[Counts] = []
        self._begun = np.zeros((2, 3), np.int64)
        self._own = np.empty(0, np.intp)
        self._bad = np.zeros(2, np.int64)
        self._looked = np.empty((0, 2), np.int64)
        self.until, self._back = math.nan, math.inf
        self._thin = np.zeros((0, 3), np.int64)

    def go_on(self, words: Judge, back: float) -> None:
        """Look at what comes too, and at no more than the last `back` seconds of it all."""
        self.words, self._back = words, back

    def first_trip(self, cells: Cells, ends: Array, alone: bool) -> int | None:
        """The index of the first cell at whose end the judge stops the step, or None."""
        self._find_own(ends, alone)
        if self.words.test != "sequential" or not len(self._own):
            return None
        rows = self._periods(cells)
        if self.words.against == "baseline":
            rows[:, 1] = self._thinned(rows[:, 0], rows[:, 1])
        self._looked = self._bad_of(rows)
        new, old = (self._bad + np.cumsum(self._looked, axis=0)).T
        crossed = judges.sequential(new, old, self._share, self.words.significance).crossed
        return None if crossed is None else int(self._own[crossed])

    def advance(self, cells: Cells, closed: int) -> None:
        """Take over the first `closed` cells."""
        taken = int(np.searchsorted(self._own, closed))
        self.next += taken
        rest = 0
        if taken:
            self._rows.append(self._periods(cells)[:taken])
            self._bad += self._looked[:taken].sum(0)
            self._begun = np.zeros((2, 3), np.int64)
            rest = int(self._own[taken - 1]) + 1
        for number, versions in enumerate(_SCOPES):
            if rest < closed and cells.has(versions):
                self._begun[number] += _table(cells, versions)[rest:closed].sum(0)

    def _periods(self, cells: Cells) -> Counts:
        """(failed, late, all) of (new, old) in each period that ends among the cells, (n, 2, 3)."""
        starts = np.concatenate([[0], self._own[:-1] + 1])
        stop = self._own[-1] + 1
        rows = np.zeros((len(self._own), 2, 3), np.int64)
        for number, versions in enumerate(_SCOPES):
            if cells.has(versions):
                table = _table(cells, versions)
                rows[:, number] = np.add.reduceat(table[:stop], starts, axis=0)
        rows[0] += self._begun
        return rows

    def _bad_of(self, rows: Counts, metric: str = "") -> Counts:
        """Bad requests by a metric, the judge's own if none is named."""
        bad: Counts = rows @ np.array(_COLUMNS[metric or self.words.metric])
        return bad

    def _thinned(self, new: Counts, old: Counts) -> Counts:
        """The part of old's requests that as many instances as new has would have got, (n, 3)."""
        part = np.minimum(new[:, 2:] / np.maximum(old[:, 2:], 1), 1.0)
        outcomes = np.column_stack([old[:, :2], old[:, 2] - old[:, :2].sum(1)])
        thinned = self._luck.counts().binomial(outcomes, part)
        return np.column_stack([thinned[:, :2], thinned.sum(1)])

    def _too_old(self, periods: int) -> int:
        """How many of the first of so many periods lie before what is looked at."""
        return 0 if math.isinf(self._back) else max(periods - int(self._back / self.period), 0)

    def _thinned_once(self, every: Counts) -> Counts:
        """The equal part of old's requests in each period; what is over is not drawn again."""
        known = len(self._thin)
        whole = np.concatenate([self._thin, self._thinned(every[known:, 0], every[known:, 1])])
        self._thin = whole[:-1]
        return whole

    def measured(self) -> tuple[int, int, int]:
        """What came of the new version in the whole window: (failed, late, all) requests."""
        failed, late, every = sum((row[:, 0].sum(0) for row in self._rows), self._begun[0]).tolist()
        return failed, late, every

    def verdict(self, now: float, noise: Noise) -> str:
        """ "pass", "fail", or "none" when there is too little to say."""
        words = self.words
        every = np.concatenate([*self._rows, self._begun[None]], axis=0)
        whole = every
        every = every[self._too_old(len(every) - 1) :]
        rows = every[:-1]
        if every[:, 0, 2].sum() < max(words.minimum_requests, 1):
            return "none"
        if words.test == "sequential":
            return "pass" if 0 < self._share < 1 else "none"
        new = every[:, 0].sum(0)
        if words.test == "threshold":
            return judges.threshold(int(self._bad_of(new)), int(new[2]), words.limit)
        old = every[:, 1]
        if not old[:, 2].any():
            old = self._before(len(rows), now, noise)
        elif words.against == "baseline":
            old = self._thinned_once(whole)[-len(every) :]
        if old[:, 2].sum() < max(words.minimum_requests, 1):
            return "none"
        if words.test == "two_proportion":
            pair = (*self._pair(new), *self._pair(old.sum(0)))
            return judges.two_proportion(*pair, words.significance).verdict
        return self._ranked(rows[:, 0], old[: max(len(rows), 1)])

    def _pair(self, row: Counts) -> tuple[int, int]:
        return int(self._bad_of(row)), int(row[2])

    def _ranked(self, new: Counts, old: Counts) -> str:
        """The canary judge on the bad shares of whole periods, for each of its metrics."""
        words = self.words
        rules = [
            ranked_judge.Rule(
                direction="increase",
                allowed_increase=metric.allowed_increase,
                critical_increase=metric.critical_increase,
                critical=metric.critical,
                must_have_data=metric.must_have_data,
                groups=(str(number),),
            )
            for number, metric in enumerate(words.rules)
        ]
        found = [
            ranked_judge.classify(
                self._shares(new, metric.metric),
                self._shares(old, metric.metric),
                rule,
                words.confidence,
                words.tolerance,
            )
            for metric, rule in zip(words.rules, rules, strict=True)
        ]
        if all(metric.label == "nodata" for metric in found):
            return "none"
        whole = sum(metric.weight for metric in words.rules)
        weights = {str(n): 100 * metric.weight / whole for n, metric in enumerate(words.rules)}
        passing, marginal = 100 * words.passing, 100 * words.marginal
        return ranked_judge.score(found, rules, weights, passing, marginal).verdict

    def _shares(self, rows: Counts, metric: str) -> Array:
        """The bad share of each period that has requests, per cent."""
        busy = rows[rows[:, 2] > 0]
        shares: Array = 100 * self._bad_of(busy, metric) / busy[:, 2]
        return shares

    def _before(self, periods: int, now: float, noise: Noise) -> Counts:
        """As many periods of normal operation just before the deployment, drawn now."""
        count = max(periods, 1)
        length = periods * self.period if periods else now - self.origin
        edges = -length + (length / count) * np.arange(count + 1.0)
        requests = self._plan.requests(edges)
        failed = np.zeros_like(requests)
        if self._plan.noise:
            failed = noise.expected(edges, requests)
        generator = self._luck.counts()
        bad = generator.poisson(failed)
        late = np.zeros_like(bad)
        if self._plan.latency is not None:
            anyway = self._plan.latency.usually(edges)
            late, requests = generator.poisson(anyway), requests - anyway
        every = bad + late + generator.poisson(requests - failed)
        return np.column_stack([bad, late, every])


def _table(cells: Cells, versions: tuple[int, ...]) -> Counts:
    """(failed, late, all) of each cell over the versions, shape (n, 3)."""
    return np.column_stack(
        [cells.bad(versions, "errors"), cells.bad(versions, "late"), cells.requests(versions)]
    )
