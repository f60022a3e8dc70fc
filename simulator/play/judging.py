"""Judging a step: what both versions came to while it was watched, period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.play import verdicts
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


class JudgeWatch(Periods):
    """What a judge has seen of its step: (bad, requests) of new and of old in each period.

    Periods begin with the step. An always-valid judge looks at the end of each of them and may
    fail the step at once; the others decide when the step is over.
    """

    versions = (OLD, NEW, MIRROR)

    def __init__(self, words: Judge, now: float, plan: Plan, luck: Luck, share: float) -> None:
        self.words = words
        self._share = 0.5 if words.against == "baseline" else share
        self.origin, self.period = now, words.period
        self.next, self.done = 1, False
        self._plan, self._luck = plan, luck
        self._rows: list[Counts] = []
        self._begun = np.zeros((2, 2), np.int64)
        self._own = np.empty(0, np.intp)
        self._bad = np.zeros(2, np.int64)
        self._compared = np.empty(0, np.int64)

    def first_trip(self, cells: Cells, ends: Array, alone: bool) -> int | None:
        """The index of the first cell at whose end the judge stops the step, or None."""
        self._find_own(ends, alone)
        if self.words.test != "sequential" or not len(self._own):
            return None
        rows = self._periods(cells)
        self._compared = rows[:, 1, 0]
        if self.words.against == "baseline":
            self._compared = self._thinned(rows)
        new = self._bad[0] + np.cumsum(rows[:, 0, 0])
        old = self._bad[1] + np.cumsum(self._compared)
        crossed = verdicts.crossing(new, old, self._share, self.words.significance)
        return None if crossed is None else int(self._own[crossed])

    def advance(self, cells: Cells, closed: int) -> None:
        """Take over the first `closed` cells."""
        taken = int(np.searchsorted(self._own, closed))
        self.next += taken
        rest = 0
        if taken:
            rows = self._periods(cells)[:taken]
            self._rows.append(rows)
            if self.words.test == "sequential":
                self._bad += (rows[:, 0, 0].sum(), self._compared[:taken].sum())
            self._begun = np.zeros((2, 2), np.int64)
            rest = int(self._own[taken - 1]) + 1
        for row, versions in zip(self._begun, _SCOPES, strict=True):
            if rest < closed and cells.has(versions):
                row[0] += cells.bad(versions, self.words.metric)[rest:closed].sum()
                row[1] += cells.requests(versions)[rest:closed].sum()

    def _periods(self, cells: Cells) -> Counts:
        """(bad, requests) of (new, old) in each period that ends among the cells, (n, 2, 2)."""
        starts = np.concatenate([[0], self._own[:-1] + 1])
        stop = self._own[-1] + 1
        rows = np.zeros((len(self._own), 2, 2), np.int64)
        for number, versions in enumerate(_SCOPES):
            if cells.has(versions):
                bad = cells.bad(versions, self.words.metric)
                requests = cells.requests(versions)
                rows[:, number, 0] = np.add.reduceat(bad[:stop], starts)
                rows[:, number, 1] = np.add.reduceat(requests[:stop], starts)
        rows[0] += self._begun
        return rows

    def _thinned(self, rows: Counts) -> Counts:
        """Bad requests of an equal baseline in each period: a part of old's."""
        requests = np.maximum(rows[:, 1, 1], 1)
        part = np.minimum(rows[:, 0, 1] / requests, 1.0)
        thinned: Counts = self._luck.counts().binomial(rows[:, 1, 0], part)
        return thinned

    def verdict(self, now: float, noise: Noise) -> str:
        """ "pass", "fail", or "none" when there is too little to say."""
        words = self.words
        rows = np.concatenate([*self._rows, np.zeros((0, 2, 2), np.int64)], axis=0)
        new, old = rows[:, 0], rows[:, 1]
        whole_new, whole_old = new.sum(0) + self._begun[0], old.sum(0) + self._begun[1]
        if whole_new[1] < max(words.minimum_requests, 1):
            return "none"
        if words.test == "threshold":
            return verdicts.threshold(int(whole_new[0]), int(whole_new[1]), words.limit)
        if words.test == "sequential":
            return "pass" if 0 < self._share < 1 else "none"
        if not whole_old[1]:
            old = self._before(len(new), now, noise)
            whole_old = old.sum(0)
        elif words.against == "baseline":
            old, whole_old = self._baseline(old, whole_old, whole_new)
        if whole_old[1] < max(words.minimum_requests, 1):
            return "none"
        if words.test == "two_proportion":
            return verdicts.two_proportion(_pair(whole_new), _pair(whole_old), words.significance)
        return verdicts.mann_whitney(
            _shares(new), _shares(old), words.confidence, words.tolerance, words.allowed_increase
        )

    def _baseline(self, old: Counts, whole: Counts, new: Counts) -> tuple[Counts, Counts]:
        """The part of old's requests that as many instances as new has would have got."""
        part = min(new[1] / whole[1], 1.0)
        generator = self._luck.counts()
        thinned = generator.binomial(old, part)
        rest = generator.binomial(whole - old.sum(0), part)
        return thinned, thinned.sum(0) + rest

    def _before(self, periods: int, now: float, noise: Noise) -> Counts:
        """As many periods of normal operation just before the deployment, drawn now."""
        length = max(periods, 1) * self.period if periods else now - self.origin
        edges = -length + (length / max(periods, 1)) * np.arange(max(periods, 1) + 1.0)
        requests = self._plan.requests(edges)
        bad = np.zeros_like(requests)
        if self.words.metric != "late" and self._plan.noise:
            bad = noise.expected(edges, requests)
        generator = self._luck.counts()
        failed = generator.poisson(bad)
        return np.stack([failed, failed + generator.poisson(requests - bad)], axis=1)


def _pair(row: Counts) -> tuple[int, int]:
    return int(row[0]), int(row[1])


def _shares(rows: Counts) -> Array:
    """The bad share of each period that has requests."""
    busy = rows[:, 1] > 0
    shares: Array = rows[busy, 0] / rows[busy, 1]
    return shares
