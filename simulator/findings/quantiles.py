"""Quantiles, the mean of the worst 5 % and exceedance curves over weighted strata.

Quantiles are those of the inverse distribution function: the smallest observed value with at
least the share p at or below it, so a quantile always is something that happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.findings.means import (
    LEVEL,
    Band,
    Floats,
    Interval,
    Moments,
    Strata,
    means,
    ratio,
    restrict,
    shares,
    spread,
)

_DUST = 1e-12


@lru_cache(maxsize=4096)
def ranks(n: int, p: float) -> tuple[int, int | None, int | None]:
    """Ranks (from 1) of the p-quantile of n values, 0 < p < 1, and of its lower and upper bound.

    The number B of values below the quantile is binomial (n, p); the bounds leave at most 2.5 %
    beyond each end: P(B < low) <= 0.025 and P(B >= high) <= 0.025. Exact for continuous figures,
    never below 95 % with atoms; None where n is too small. David and Nagaraja, Order Statistics
    (2003), section 7.1.
    """
    k = np.arange(n + 1)
    steps = np.log((n - k[:-1]) / k[1:]) + math.log(p / (1 - p))
    log_mass = n * math.log1p(-p) + np.concatenate([[0.0], np.cumsum(steps)])
    below = np.cumsum(np.exp(log_mass))
    tail = (1 - LEVEL) / 2
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail)) + 1
    point = max(math.ceil(n * p - n * _DUST), 1)
    return point, low or None, high if high <= n else None


def _picked(ordered: Floats, place: NDArray[np.intp], exists: NDArray[np.bool_]) -> Floats:
    inside = np.clip(place, 0, ordered.shape[1] - 1)
    taken = np.take_along_axis(ordered, inside[:, None], axis=1)[:, 0]
    return np.where(exists, taken, np.nan)


def _order_statistics(rows: Floats, levels: Sequence[float]) -> tuple[Band, ...]:
    ordered = np.sort(rows, axis=1)
    counts = np.count_nonzero(~np.isnan(ordered), axis=1).tolist()
    bands = []
    for level in levels:
        found = [ranks(m, level) if m else (0, None, None) for m in counts]
        columns = np.array([[rank or 0 for rank in triple] for triple in found], dtype=np.intp)
        bands.append(Band(*(_picked(ordered, column - 1, column > 0) for column in columns.T)))
    return tuple(bands)


def _woodruff(rows: Floats, strata: Strata, levels: Sequence[float]) -> tuple[Band, ...]:
    order = np.argsort(rows, axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    weight = np.where(np.isnan(ordered), 0.0, strata.unit[order])
    course = np.cumsum(weight, axis=1)
    course = ratio(course, course[:, -1:])
    count = strata.sums(~np.isnan(rows))

    def inverse(target: Floats) -> Floats:
        place = np.count_nonzero(course < target[:, None] - _DUST, axis=1)
        return _picked(ordered, place, (target > 0) & (target < 1))

    def half(below: NDArray[np.bool_]) -> Floats:
        hits = strata.sums(below)
        share = hits / np.maximum(count, 1)
        return spread(Moments(count, share, hits * (1 - share)), strata)[1]

    bands = []
    for level in levels:
        value = inverse(np.full(len(rows), level))
        # An atom or a censored mass at the quantile: each bound looks at its own side of it.
        low = inverse(level - half(rows < value[:, None]))
        high = inverse(level + half(rows <= value[:, None]))
        bands.append(Band(value, low, high))
    return tuple(bands)


def quantiles(rows: Floats, strata: Strata, levels: Sequence[float]) -> tuple[Band, ...]:
    """Quantiles of grouped values, a band for each level (0..1, exclusive); censored is infinite.

    One stratum: exact order statistics (`ranks`). Several: Woodruff, the weighted distribution
    function inverted at p minus and plus half the interval of the share below the quantile
    (Woodruff 1952, doi:10.1080/01621459.1952.10483443). A bound beyond the data is NaN.
    """
    if not strata.n:
        nothing = np.full(len(rows), np.nan)
        return (Band(nothing, nothing, nothing),) * len(levels)
    if len(strata.sizes) == 1:
        return _order_statistics(rows, levels)
    return _woodruff(rows, strata, levels)


def quantile(values: ArrayLike, strata: Strata, p: float) -> Interval:
    """The p-quantile (0 < p < 1) of one figure (n,) over its applicable replications.

    The value is None only if nothing applies or the quantile lies among the censored; a bound
    that the data cannot reach is None.
    """
    return quantiles(strata.rows(values), strata, (p,))[0].intervals()[0]


def cvars(rows: Floats, strata: Strata, at: Floats, level: float = 0.95) -> Band:
    """Means of the worst 1 - level of grouped finite values, `at` (figures,) their quantiles.

    q + E[(X - q)+] / (1 - level), which is right with atoms too (Rockafellar and Uryasev 2000,
    doi:10.21314/JOR.2000.038). Its influence function is that of the mean with q held fixed, so
    the t interval is that mean's.
    """
    excess = means(np.maximum(rows - at[:, None], 0.0) / (1 - level), strata)
    return Band(at + excess.value, at + excess.low, at + excess.high)


def cvar(
    values: ArrayLike, strata: Strata, level: float = 0.95, limit: float | None = None
) -> Interval:
    """Mean of the worst 1 - level of one figure (n,) over its applicable replications.

    `limit` stands in for censored values, as in the mean.
    """
    rows, _ = restrict(strata.rows(values), limit)
    at = quantiles(rows, strata, (level,))[0].value
    return cvars(rows, strata, at, level).intervals()[0]


class Exceedance(NamedTuple):
    """Points of an exceedance curve: at `x`, the share P(X > x) and its pointwise 95 % band.

    Between two points the curve is a step, or thinned; x in the figure's unit, ascending.
    """

    x: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def _thinned(share: Floats, points: int) -> NDArray[np.intp]:
    """Places in a falling curve: half evenly in the share, half evenly in its logarithm."""
    if len(share) <= points:
        return np.arange(len(share))
    first, last = share[0], share[share > 0][-1]
    half = points // 2
    targets = np.concatenate(
        [np.linspace(first, 0.0, half), np.geomspace(first, last, points - half)]
    )
    return np.unique(np.clip(np.searchsorted(-share, -targets), 0, len(share) - 1))


def exceedance(values: ArrayLike, strata: Strata, points: int = 200) -> Exceedance:
    """The exceedance curve of one figure (n,) over its applicable replications.

    At most `points` of the observed values, closer together in the tail; censored values exceed
    everything. Each share has the interval of a proportion. Empty without finite values.
    """
    row = strata.rows(values)[0]
    groups = [np.sort(part[~np.isnan(part)]) for part in np.split(row, strata.starts[1:])]
    x = np.unique(row[np.isfinite(row)])
    if not len(x):
        return Exceedance((), (), (), ())
    count = np.array([[float(len(group)) for group in groups]])
    above = count - np.array([np.searchsorted(group, x, side="right") for group in groups]).T
    unit = strata.weights / strata.sizes
    kept = _thinned((above * unit).sum(axis=1), points)
    band = shares(above[kept], np.repeat(count, len(kept), axis=0), strata)
    return Exceedance(
        tuple(x[kept].tolist()),
        tuple(band.value.tolist()),
        tuple(band.low.tolist()),
        tuple(band.high.tolist()),
    )
