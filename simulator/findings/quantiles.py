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
    Strata,
    moments,
    ratio,
    restrict,
    shares,
    spread,
)

_DUST = 1e-12
_CUTS = 8


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
    """Values at places (figures, places) of sorted rows, NaN where there is none."""
    inside = np.clip(place, 0, ordered.shape[1] - 1)
    return np.where(exists, np.take_along_axis(ordered, inside, axis=1), np.nan)


def _order_statistics(rows: Floats, levels: Sequence[float]) -> tuple[Band, ...]:
    ordered = np.sort(rows, axis=1)
    counts = np.count_nonzero(~np.isnan(ordered), axis=1).tolist()
    bands = []
    for level in levels:
        found = [ranks(m, level) if m else (0, None, None) for m in counts]
        place = np.array([[rank or 0 for rank in triple] for triple in found], dtype=np.intp)
        bands.append(Band(*_picked(ordered, place - 1, place > 0).T))
    return tuple(bands)


def _inverted(
    counted: NDArray[np.int32], count: Floats, strata: Strata, levels: Sequence[float]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """How many sorted values each bound counts, and which bounds exist, (figures, bounds).

    Lower bounds of all levels come first: the first value where the share at or below it may
    reach the level; then upper bounds: where that share surely exceeds it. `counted` (figures,
    K, n + 1) are the values of each stratum among the first 0, 1, ..., n sorted ones. Both shares
    only grow, so the place is found by cutting the range into `_CUTS` again and again.
    """
    figures, groups, length = counted.shape
    wanted = np.tile(np.asarray(levels, dtype=float), 2)[:, None]
    lower = np.arange(len(wanted))[:, None] < len(levels)
    row = np.arange(figures)[:, None, None]

    def holds(places: NDArray[np.intp]) -> NDArray[np.bool_]:
        hits = counted[row, :, places].reshape(-1, groups).astype(float)
        every = np.repeat(count, places[0].size, axis=0)
        _, low, high = (part.reshape(places.shape) for part in shares(hits, every, strata))
        return np.where(lower, high >= wanted, low > wanted)

    first = np.zeros((figures, len(wanted), 1), dtype=np.intp)
    last = np.full_like(first, length)
    exists = ~holds(first)[:, :, 0]
    while (last - first).max() > 1:
        cuts = first + (last - first) * np.arange(_CUTS + 1) // _CUTS
        found = _CUTS - np.count_nonzero(holds(cuts[:, :, 1:-1]), axis=2, keepdims=True)
        first = np.take_along_axis(cuts, found - 1, axis=2)
        last = np.take_along_axis(cuts, found, axis=2)
    return last[:, :, 0], exists & (last[:, :, 0] < length)


def _weighted(rows: Floats, strata: Strata, levels: Sequence[float]) -> tuple[Band, ...]:
    order = np.argsort(rows, axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    applies = ~np.isnan(ordered)
    group = strata.groups[order]
    course = np.cumsum(np.where(applies, (strata.weights / strata.sizes)[group], 0.0), axis=1)
    course = ratio(course, course[:, -1:])
    counted = np.zeros((len(rows), len(strata.sizes), strata.n + 1), dtype=np.int32)
    for k in range(len(strata.sizes)):
        np.cumsum((group == k) & applies, axis=1, out=counted[:, k, 1:])
    place, exists = _inverted(counted, counted[:, :, -1].astype(float), strata, levels)
    low, high = np.split(_picked(ordered, place - 1, exists).T, 2)
    within = [np.count_nonzero(course < level - _DUST, axis=1) for level in levels]
    value = _picked(ordered, np.stack(within, axis=1), applies[:, :1]).T
    return tuple(Band(*band) for band in zip(value, low, high, strict=True))


def quantiles(rows: Floats, strata: Strata, levels: Sequence[float]) -> tuple[Band, ...]:
    """Quantiles of grouped values, a band for each level (0..1, exclusive); censored is infinite.

    One stratum: exact order statistics (`ranks`). Several: the weighted distribution function
    inverted at p minus and plus half the interval of the share (Woodruff 1952,
    doi:10.1080/01621459.1952.10483443), each half taken at its own bound and by MOVER, so that a
    heavy stratum of which nothing was seen beyond the quantile counts too. A bound that the data
    cannot reach is NaN.
    """
    if not strata.n:
        nothing = np.full(len(rows), np.nan)
        return (Band(nothing, nothing, nothing),) * len(levels)
    if len(strata.sizes) == 1:
        return _order_statistics(rows, levels)
    return _weighted(rows, strata, levels)


def quantile(values: ArrayLike, strata: Strata, p: float) -> Interval:
    """The p-quantile (0 < p < 1) of one figure (n,) over its applicable replications.

    The value is None only if nothing applies or the quantile lies among the censored; a bound
    that the data cannot reach is None.
    """
    return quantiles(strata.rows(values), strata, (p,))[0].intervals()[0]


def cvars(rows: Floats, strata: Strata, at: Band, level: float = 0.95) -> Band:
    """Means of the worst 1 - level of grouped finite values, `at` their quantiles of that level.

    q + E[(X - q)+] / (1 - level), which is right with atoms too (Rockafellar and Uryasev 2000,
    doi:10.21314/JOR.2000.038). Its influence function is that of the mean with q held fixed, so
    the interval is that mean's t interval. Only the k replications beyond q tell its variance:
    with exponential excesses, the limit of peaks over a threshold, as well as k / 3 degrees of
    freedom would (kurtosis 6 n / k). The lower bound is at least the quantile's.
    """
    excess = np.maximum(rows - at.value[:, None], 0.0) / (1 - level)
    centre, half = spread(moments(excess, strata), strata, strata.sums(excess > 0) / 3)
    value = at.value + centre
    return Band(value, np.fmax(value - half, np.minimum(at.low, value)), value + half)


def cvar(
    values: ArrayLike, strata: Strata, level: float = 0.95, limit: float | None = None
) -> Interval:
    """Mean of the worst 1 - level of one figure (n,) over its applicable replications.

    `limit` stands in for censored values, as in the mean.
    """
    rows, _ = restrict(strata.rows(values), limit)
    at = quantiles(rows, strata, (level,))[0]
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
