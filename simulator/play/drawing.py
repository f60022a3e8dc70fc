"""Drawing: what the requests of a part of a stretch come to, for everybody who watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.play.cells import Cells, Closed, Part
from simulator.play.fleet import NOBODY
from simulator.play.noise import Noise

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.play.stretch import Stretch

Array = NDArray[np.float64]
# Expected per cell: requests, failing, late, late anyway (None: none); of all requests so many if
# that is the same for every cell.
Row = tuple[Array, Array | None, Array | None, Array | None, float | None]


class Drawing:
    """What is drawn once and seen by every detector.

    `noise` are the baseline errors; `_open` holds the parts of the period that is still open and
    `_seen` the versions that anybody looks at. `_lates` tells that answers are late with nothing
    deployed, and that somebody looks at them.
    """

    __slots__ = ("_lates", "_open", "_rollout", "_seen", "noise")

    _lates: bool

    _open: list[Part]
    _rollout: Rollout
    _seen: tuple[int, ...]
    noise: Noise

    def _draw(self, stretch: Stretch, a: float, ends: Array, excused: bool) -> Cells:
        """Draw the cells up to `ends`; the first one takes over the open period's parts."""
        rollout = self._rollout
        generator = rollout.luck.counts()
        cells = Cells(generator, rollout.router.began)
        edges = np.empty(len(ends) + 1)
        edges[0], edges[1:] = a, ends
        base = rollout.plan.requests(edges)
        before, noise = self._baseline(edges, base)
        rows = self._rows(stretch, edges, base, excused)
        for version in self._seen:
            row = rows.get(version)
            if row is None:
                if not any(version in part.rows for part in self._open):
                    continue
                row = (0.0 * base, None, None, None, 0.0)
            requests, share = row[0], row[4]
            own = None if noise is None else noise * (requests / base if share is None else share)
            self._fill(cells, version, row, own, before)
        self._open.clear()
        return cells

    def _fill(
        self, cells: Cells, version: int, row: Row, own: Array | None, before: Sequence[float]
    ) -> None:
        """Draw the cells of one version, of which `own` baseline errors are expected, if any."""
        requests, failing, late, anyway, _ = row
        if not self._lates:
            anyway = None
        means = [mean for mean in (failing, late, anyway, own) if mean is not None]
        expected = requests.copy()
        for mean in means:
            expected -= mean
        adding = [0, 0]
        for part, old_noise in zip(self._open, before, strict=True):
            if version in part.rows:
                count, part_failing, part_late, share = part.rows[version]
                expected[0] += count - old_noise * share
                if own is not None:
                    own[0] += old_noise * share
                adding = [adding[0] + part_failing, adding[1] + part_late]
        drawn = self._drawn(means)
        failed = slow = none = np.zeros(len(requests), np.int64)
        if failing is not None:
            failed = next(drawn)
        if late is not None:
            slow = next(drawn)
        if failing is not None or late is not None:
            cells.harm[version] = failed + slow
        if anyway is not None:
            slow = slow + next(drawn)
        if own is not None:
            failed = failed + next(drawn)
        if adding[0] or adding[1]:
            failed, slow = failed + none, slow + none
            failed[0] += adding[0]
            slow[0] += adding[1]
        cells.expected[version] = np.maximum(expected, 0.0)
        cells.failed[version] = failed
        cells.late[version] = slow

    def _drawn(self, means: list[Array]) -> Iterator[NDArray[np.int64]]:
        """Poisson counts of these means, one row after the other: one call costs less than one for
        each.
        """
        if not means:
            return iter(())
        poisson = self._rollout.luck.counts().poisson
        if len(means) == 1:
            return iter((poisson(means[0]),))
        return iter(poisson(np.concatenate(means)).reshape(len(means), -1))

    def _rows(self, stretch: Stretch, edges: Array, base: Array, excused: bool) -> dict[int, Row]:
        """What is expected per cell of each version watched that has traffic."""
        if stretch.nobody:
            if excused or NOBODY not in self._seen or not stretch.harm:
                return {}
            return {NOBODY: (base, base * stretch.clear, None, None, 1.0)}
        rows: dict[int, Row] = {}
        if not stretch.varying:
            for version, share, s in stretch.receivers(stretch.seen, self._seen):
                if share > 0:
                    part = base * share
                    failing, late, anyway = (
                        part * x if x else None for x in (s.failing, s.late, s.anyway)
                    )
                    rows[version] = (part, failing, late, anyway, share)
            return rows
        for version, requests, *bad in stretch.cells(edges, self._seen):
            if np.count_nonzero(requests):
                failing, late, anyway = (x if np.count_nonzero(x) else None for x in bad)
                rows[version] = (requests, failing, late, anyway, None)
        return rows

    def _baseline(self, edges: Array, base: Array) -> tuple[list[float], Array | None]:
        """Expected baseline errors of the open parts and of each cell, were there one version; None
        where there are none.
        """
        plan, incident = self._rollout.plan, self._rollout.incident
        if not plan.noise:
            before = [part.incident * part.base for part in self._open]
            return before, incident * base if incident or any(before) else None
        if not self._open:
            noise = self.noise.expected(edges, base)
            return [], noise + incident * base if incident else noise
        starts = [part.start for part in self._open]
        all_base = np.concatenate(([part.base for part in self._open], base))
        noise = self.noise.expected(np.concatenate((starts, edges)), all_base)
        count = len(starts)
        before = [
            float(n) + part.incident * part.base
            for n, part in zip(noise[:count], self._open, strict=True)
        ]
        after = noise[count:]
        return before, after + incident * base if incident else after

    def _draw_one(
        self, stretch: Stretch, a: float, b: float, excused: bool
    ) -> tuple[float, dict[int, tuple[float, int, int, float]], dict[int, int]]:
        """Requests in [a, b]; per version (expected good, failing, late); drawn bad ones."""
        plan, seen = self._rollout.plan, self._seen
        rows: dict[int, tuple[float, int, int, float]] = {}
        found: list[tuple[int, float, float, float, float]] = []
        if stretch.nobody or stretch.varying:
            edges = np.array([a, b])
            base = plan.requests(edges)
            many = float(base[0])
            for version, row in self._rows(stretch, edges, base, excused).items():
                first = [0.0 if mean is None else float(mean[0]) for mean in row[:4]]
                found.append((version, first[0], first[1], first[2], first[3]))
        else:
            many = plan.requests_between(a, b)
            for version, share, s in stretch.receivers(stretch.seen, seen):
                if share > 0:
                    part = many * share
                    found.append((version, part, part * s.failing, part * s.late, part * s.anyway))
        poisson, drawn = self._rollout.luck.counts().poisson, dict[int, int]()
        for version, requests, failing, late, anyway in found:
            bad = int(poisson(failing)) if failing > 0 else 0
            slow = int(poisson(late)) if late > 0 else 0
            drawn[version] = bad + slow
            share = requests / many if many > 0 else 0.0
            good = requests - failing - late
            if self._lates and anyway > 0:
                good, slow = good - anyway, slow + int(poisson(anyway))
            rows[version] = (good, bad, slow, share)
        return many, rows, drawn

    def _settle_open(self, end: float) -> dict[int, Closed]:
        """What each version comes to in the open period, baseline errors drawn as well."""
        rollout, parts = self._rollout, self._open
        noisy = rollout.plan.noise > 0
        counts: dict[int, Closed] = {}
        for index, part in enumerate(parts, 1):
            if not part.rows:
                continue
            own = part.incident * part.base
            if noisy:
                until = parts[index].start if index < len(parts) else end
                own += self.noise.between(part.start, until, part.base)
            for version, (good, failing, late, share) in part.rows.items():
                row = counts.get(version)
                if row is None:
                    row = counts[version] = Closed()
                bad = own * share
                row.baseline += bad
                row.good += good - bad
                row.failed += failing
                row.late += late
        poisson = rollout.luck.counts().poisson
        for row in counts.values():
            if row.baseline > 0:
                row.failed += int(poisson(row.baseline))
        return counts


@cache
def seen_by(scopes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The versions that anybody looks at, in order."""
    return tuple(sorted({version for versions in scopes for version in versions}))
