"""How far every assumption alone moves the headline means of one strategy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.decide.sensitivity import HEADLINES, SCREENED, SCREENED_KIND, concerned
from simulator.findings.comparison import played, side_study
from simulator.findings.executors import Workers
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.results import Results
from simulator.findings.study import Progress, Stratum, strata
from simulator.words.changes import parse_path
from simulator.words.problems import ScenarioError
from simulator.words.profiles import Assumption

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

SHOWN: Mapping[str, str | None] = {**HEADLINES, "loss": None}
MOST = 15
_BOTH = frozenset(("good", "defect"))

Means = Mapping[str, float]


class Swing(NamedTuple):
    """An assumption, and by how much each headline mean of `SHOWN` moves (in its unit) when the
    assumption alone goes to its low and to its high value.
    """

    assumption: Assumption
    at_low: Means
    at_high: Means

    def width(self, figure: str) -> float:
        """How far a figure moves between both ends and where it is now."""
        ends = (self.at_low[figure], self.at_high[figure], 0.0)
        return max(ends) - min(ends)


class Tornado(NamedTuple):
    """The headline means of a strategy now, and every assumption's swing, with as many
    replications of good releases as played for those that matter.
    """

    strategy: str
    now: Means
    swings: tuple[Swing, ...]
    replications: int

    def widest(self, figure: str) -> list[Swing]:
        """The assumptions that move a figure, the one that moves it most first."""
        found = [swing for swing in self.swings if swing.width(figure) > 0]
        return sorted(found, key=lambda swing: -swing.width(figure))


def tornado(
    results: Results,
    name: str,
    jobs: Workers = 1,
    progress: Progress | None = None,
    more: Sequence[Assumption] = (),
) -> Iterator[Tornado]:
    """First with few replications, then again with more for the assumptions that matter.

    The luck is that of the results, so what moves a mean is the assumption and not the draw. `more`
    are assumptions beside the scenario's own.
    """
    rows = [r for r in (*more, *results.scenario.assumed) if None not in (r.low, r.high)]
    count = min(max(results.replications["good"], 1), SCREENED)
    coarse = strata(results.scenario, count, SCREENED_KIND)
    found = _swings(results, name, rows, coarse, jobs, progress)
    yield _whole(results, name, found, count)
    chosen = {s.assumption.path for f in SHOWN for s in _widest(found, f)[:MOST]}
    fine = side_study(results)
    if sum(g.replications for g in fine) <= sum(g.replications for g in coarse):
        return
    again = [row for row in rows if row.path in chosen]
    better = {s.assumption.path: s for s in _swings(results, name, again, fine, jobs, progress)}
    kept = tuple(better.get(swing.assumption.path, swing) for swing in found)
    yield _whole(results, name, kept, fine[0].replications)


def _widest(found: Sequence[Swing], figure: str) -> list[Swing]:
    moved = [swing for swing in found if swing.width(figure) > 0]
    return sorted(moved, key=lambda swing: -swing.width(figure))


def _whole(results: Results, name: str, found: Sequence[Swing], count: int) -> Tornado:
    return Tornado(name, _means(results, name), tuple(found), count)


def _swings(
    results: Results,
    name: str,
    rows: Sequence[Assumption],
    groups: tuple[Stratum, ...],
    jobs: Workers,
    progress: Progress | None,
) -> tuple[Swing, ...]:
    base = results.first({group.number: group.replications for group in groups}, [name])
    now = _means(base, name)
    ends: dict[tuple[str, int], Means] = {}
    variants: list[tuple[Scenario, list[str], tuple[Stratum, ...]]] = []
    where: list[tuple[str, int]] = []
    for row in rows:
        for side, value in enumerate((row.low, row.high)):
            try:
                scenario = results.scenario.with_(row.path, value)
            except ScenarioError:
                continue
            if only_weighs(parse_path(row.path)):
                ends[row.path, side] = _means(reconsidered(base, scenario), name)
            else:
                variants.append((scenario, [name], concerned(row.path, _BOTH, groups)))
                where.append((row.path, side))
    for at, side_results in zip(where, played(results, variants, jobs, progress), strict=True):
        columns = {**base.columns[name], **side_results.columns.get(name, {})}
        ends[at] = _means(base.with_columns({name: columns}), name)
    return tuple(
        Swing(
            row,
            _moved(ends.get((row.path, 0), now), now),
            _moved(ends.get((row.path, 1), now), now),
        )
        for row in rows
    )


def _moved(end: Means, now: Means) -> Means:
    return {figure: end[figure] - now[figure] for figure in SHOWN}


def _means(results: Results, name: str) -> Means:
    risk = results.risk()[name]
    return {figure: risk.under(given).mean(figure) or 0.0 for figure, given in SHOWN.items()}
