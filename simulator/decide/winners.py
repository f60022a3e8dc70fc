"""Which strategy wins where two settings have other values: the map around a recommendation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings import pairs
from simulator.findings.comparison import FEWEST, played
from simulator.findings.executors import Workers
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.results import Results
from simulator.findings.study import Progress, strata
from simulator.findings.verdict import has_money, ranking, thresholds
from simulator.words.changes import number_at, parse_path
from simulator.words.problems import ScenarioError

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

SIZES = (3, 5, 9)
_DECADE = 10.0
_STUDY = 100


class Axis(NamedTuple):
    """A setting and its range, in the setting's unit (seconds, shares, requests/s, money)."""

    path: str
    low: float
    high: float

    @property
    def logarithmic(self) -> bool:
        """Whether the range spans a decade or more."""
        return self.low > 0 and self.high >= _DECADE * self.low

    def values(self, count: int) -> list[float]:
        """So many values from low to high."""
        if self.logarithmic:
            return [float(value) for value in np.geomspace(self.low, self.high, count)]
        return [float(value) for value in np.linspace(self.low, self.high, count)]

    def at(self, share: float) -> float:
        """The value at a share, 0 to 1, of the way from low to high."""
        if self.logarithmic:
            return self.low * math.exp(share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)


class Cell(NamedTuple):
    """Who wins at a pair of values, and whether the runner-up is too close to tell them apart;
    an empty winner: the pair is no valid scenario, no strategy can be carried out there, or there
    is nothing to recommend one by.
    """

    across: float
    down: float
    winner: str
    close: bool


class Winners(NamedTuple):
    """A map of `size` times `size` cells, each with `replications` of good releases a strategy."""

    across: Axis
    down: Axis
    size: int
    cells: tuple[Cell, ...]
    replications: int


def winners(
    results: Results,
    across: Axis,
    down: Axis,
    jobs: Workers = 1,
    progress: Progress | None = None,
    sizes: Sequence[int] = SIZES,
) -> Iterator[Winners]:
    """The map, ever finer; sizes of 2^k + 1 keep what is there. All cells have the same luck.

    Odds, prices and objectives are weighed anew; everything else costs a side study of 100
    replications per stratum group and strategy for each value (or pair of values).
    """
    known: dict[tuple[float, float], Results | None] = {}
    for size in sizes:
        points = [(x, y) for y in down.values(size) for x in across.values(size)]
        _play(results, across, down, points, known, jobs, progress)
        cells = [_cell(results, across, down, point, known) for point in points]
        some = next((side for side in known.values() if side is not None), results)
        yield Winners(across, down, size, tuple(cells), some.replications["good"])


def _played_at(axes: tuple[Axis, Axis], point: tuple[float, float]) -> tuple[float, float]:
    """The point of which replications are needed: weights make no difference to them."""
    first, second = (
        0.0 if only_weighs(parse_path(axis.path)) else value
        for axis, value in zip(axes, point, strict=True)
    )
    return first, second


def _changed(
    scenario: Scenario, axes: tuple[Axis, Axis], point: tuple[float, float], weights: bool
) -> Scenario:
    """The scenario at a point; without `weights` only what needs replications is changed."""
    changes = {}
    for axis, value in zip(axes, point, strict=True):
        if weights or not only_weighs(parse_path(axis.path)):
            whole = isinstance(number_at(scenario, axis.path), int)
            changes[axis.path] = round(value) if whole else value
    return scenario.with_all(changes) if changes else scenario


def _play(
    results: Results,
    across: Axis,
    down: Axis,
    points: Sequence[tuple[float, float]],
    known: dict[tuple[float, float], Results | None],
    jobs: Workers,
    progress: Progress | None,
) -> None:
    """Play what is not known yet, all at once."""
    axes = (across, down)
    if all(only_weighs(parse_path(axis.path)) for axis in axes):
        known[0.0, 0.0] = results
        return
    count = min(max(results.replications["good"], 1), _STUDY)
    groups = strata(results.scenario, count, FEWEST)
    variants, where = [], []
    for point in dict.fromkeys(_played_at(axes, point) for point in points):
        if point in known:
            continue
        known[point] = None
        try:
            scenario = _changed(results.scenario, axes, point, weights=False)
        except ScenarioError:
            continue
        variants.append((scenario, results.names, groups))
        where.append(point)
    known.update(zip(where, played(results, variants, jobs, progress), strict=True))


def _cell(
    results: Results,
    across: Axis,
    down: Axis,
    point: tuple[float, float],
    known: dict[tuple[float, float], Results | None],
) -> Cell:
    axes = (across, down)
    side = known[_played_at(axes, point)]
    if side is None:
        return Cell(*point, "", False)
    try:
        scenario = _changed(results.scenario, axes, point, weights=True)
    except ScenarioError:
        return Cell(*point, "", False)
    found = reconsidered(side, scenario)
    order = ranking(found) if scenario.objectives or has_money(found) else []
    return Cell(*point, order[0] if order else "", _close(found, order))


def _close(results: Results, order: Sequence[str]) -> bool:
    """Whether the best two keep as many objectives, and their losses cannot be told apart."""
    if len(order) < 2 or not has_money(results):
        return False
    checks = thresholds(results)
    failed = [sum(c.strategy == name and not c.passed for c in checks) for name in order[:2]]
    if failed[0] != failed[1]:
        return False
    best, second = (results.risk()[name].all for name in order[:2])
    limit = max(results.limits[name] for name in order[:2])
    gap = pairs.paired(best.values("loss"), second.values("loss"), best.strata, True, limit)
    low, high = gap.mean.low, gap.mean.high
    return low is None or high is None or low <= 0 <= high
