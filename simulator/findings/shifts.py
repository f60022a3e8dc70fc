"""What a change of one setting does to a statistic, and how much of that may be luck."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings.estimates import LEVELS
from simulator.findings.means import LEVEL, NOTHING, Floats, Interval, means, restrict
from simulator.findings.pairs import resampled
from simulator.words.figures import FIGURES, OUTCOMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.findings.results import Given
    from simulator.words.objectives import Measure

_RESAMPLES, _SEED = 400, 20_003
_DUST = 1e-12
_LEVELS = {**LEVELS, "cvar95": LEVELS["p95"]}


class Shift(NamedTuple):
    """A statistic after a change: `value` with its own 95 % interval, the same as a `number`, by
    how much it `moved` and the 95 % interval of that (Monte Carlo error only), in the unit of the
    figure.

    `number` is infinite for a quantile among the censored, and so is `moved` where it went there or
    came from there; both are NaN where the figure applies to nothing.
    """

    value: Interval
    number: float
    moved: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the change is more than luck."""
        return self.low > 0 or self.high < 0


def value(given: Given, one: Measure) -> Interval:
    """A statistic under its condition; of a mean nothing else is worked out."""
    if one.statistic != "mean" or one.figure not in FIGURES:
        return given.measure(one.figure, one.statistic)
    if not given.n:
        return NOTHING
    found = means(given.bounded(one.figure), given.strata).intervals()[0]
    return found.within(*given.extent(one.figure))


def number(given: Given, one: Measure, found: Interval | None = None) -> float:
    """A statistic as a number: infinite for a quantile among the censored, NaN for nothing; of its
    `value` where that is there already.
    """
    known = (found or value(given, one)).value
    if known is not None:
        return known
    return math.inf if (_column(given, one.figure) == np.inf).any() else math.nan


def shift(before: Given, after: Given, one: Measure) -> Shift:
    """What changed between two studies of the same replications with the same luck.

    A mean has the t interval of its paired difference; where weights changed or a figure applies
    to other replications, and for other statistics, it is that of 400 paired resamples within
    strata (percentiles; Efron and Tibshirani 1993, chapters 13 and 16).
    """
    found = value(after, one)
    there = number(after, one, found)
    moved = _less(there, number(before, one))
    x, y = _column(after, one.figure), _column(before, one.figure)
    limits = [given.limit(one.figure) for given in (after, before)]
    same = limits[0] == limits[1] and np.array_equal(x, y, equal_nan=True)
    if math.isnan(moved) or (same and after.parts == before.parts):
        return Shift(found, there, moved, moved, moved)
    paired = after.parts == before.parts and np.array_equal(np.isnan(x), np.isnan(y))
    if one.statistic == "mean" and paired:
        rows = [
            restrict(given.strata.rows(column), limit)[0]
            for given, column, limit in zip((after, before), (x, y), limits, strict=True)
        ]
        _, low, high = means(rows[0] - rows[1], after.strata).intervals()[0]
        wide = math.inf
        return Shift(
            found, there, moved, -wide if low is None else low, wide if high is None else high
        )
    times = _times(tuple(size for size, _ in before.parts))
    ends = [_resampled(c, g, one, times) for g, c in ((after, x), (before, y))]
    apart = np.array([_less(a, b) for a, b in zip(*(end.tolist() for end in ends), strict=True)])
    known = np.sort(apart[~np.isnan(apart)])
    if not len(known):
        return Shift(found, there, moved, -math.inf, math.inf)
    cut = int((1 - LEVEL) / 2 * len(known))
    return Shift(found, there, moved, float(known[cut]), float(known[-1 - cut]))


def _less(a: float, b: float) -> float:
    """a - b, where nothing lies between two infinite ones."""
    return 0.0 if a == b else a - b


def _column(given: Given, figure: str) -> Floats:
    """What a statistic is taken of, in the order of `parts`; of an outcome 1 and 0."""
    if figure in OUTCOMES:
        return np.asarray(given.texts("outcome") == figure, dtype=float)
    return np.asarray(given.values(figure), dtype=float)


@lru_cache(maxsize=4)
def _times(sizes: tuple[int, ...]) -> Floats:
    """How often each replication is drawn in each resample, stratum by stratum."""
    generator = np.random.Generator(np.random.Philox(_SEED))
    return resampled(sizes, _RESAMPLES, generator)


def _resampled(column: Floats, given: Given, one: Measure, times: Floats) -> Floats:
    """A statistic in every resample (resamples,), NaN where the figure applies to nothing."""
    unit = np.concatenate([np.full(size, weight / size) for size, weight in given.parts])
    statistic = one.statistic
    applies: NDArray[np.bool_] = ~np.isnan(column)
    weights = times * unit
    if statistic == "applicable":
        return _over((weights * applies).sum(axis=1), weights.sum(axis=1))
    column, weights = column[applies], weights[:, applies]
    if statistic in LEVELS:
        return _quantile(column, weights, _LEVELS[statistic])
    bounded = restrict(column[None, :], given.limit(one.figure))[0][0]
    if statistic == "mean":
        return _over((weights * bounded).sum(axis=1), weights.sum(axis=1))
    at = _quantile(bounded, weights, _LEVELS[statistic])
    beyond = np.maximum(bounded - at[:, None], 0.0) / (1 - _LEVELS[statistic])
    return at + _over((weights * beyond).sum(axis=1), weights.sum(axis=1))


def _over(above: Floats, below: Floats) -> Floats:
    found: Floats = np.full(len(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _quantile(column: Floats, weights: Floats, level: float) -> Floats:
    """The smallest value with at least this share at or below it, in every resample."""
    order = np.argsort(column, kind="stable")
    course = np.cumsum(weights[:, order], axis=1)
    if not len(column):
        return np.full(len(weights), np.nan)
    whole = course[:, -1:]
    place = np.count_nonzero(course < (level - _DUST) * whole, axis=1)
    found = column[order][np.minimum(place, len(column) - 1)]
    return np.where(whole[:, 0] > 0, found, np.nan)
