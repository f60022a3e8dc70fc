"""Means and shares over weighted strata, with 95 % intervals (Monte Carlo error only).

A figure is one number per replication: NaN where it does not apply, +infinity where it is
censored (started, not ended). Replications belong to strata; a stratum has a probability, and
inside it all replications weigh the same. The functions in the plural work on many figures at
once, arrays of shape (figures, replications) in the order of `Strata.rows`, and return a `Band`;
those in the singular take one figure, one value per replication, and return an `Interval`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


class Interval(NamedTuple):
    """A value with its lower and upper 95 % bound, in the unit of the figure.

    None where there is nothing to say: no data, too few for a bound, or a time beyond every
    observed end (a quantile that falls among censored replications keeps its lower bound).
    """

    value: float | None
    low: float | None
    high: float | None

    def within(self, least: float, most: float) -> Interval:
        """The same, knowing that nothing is less or more than this."""
        value, low, high = self
        if low is not None and low < least:
            low = least if value is None else min(least, value)
        if high is not None and high > most:
            high = most if value is None else max(most, value)
        return Interval(value, low, high)


NOTHING = Interval(None, None, None)


class Band(NamedTuple):
    """Values and 95 % bounds of many figures, shape (figures,); NaN where there is nothing."""

    value: Floats
    low: Floats
    high: Floats

    def intervals(self) -> tuple[Interval, ...]:
        """One interval for each figure; what is not finite becomes None."""
        known = np.stack(self)
        rows = known.astype(object)
        rows[~np.isfinite(known)] = None
        return tuple(map(Interval._make, rows.T.tolist()))


@dataclass(frozen=True, eq=False)
class Strata:
    """Which replications are in use, stratum after stratum, and what each stratum weighs.

    `order` (n,) holds the replications' places; `sizes` (K,) how many each stratum has, all at
    least 1; `weights` (K,) the probabilities of the strata, which sum to 1.
    """

    order: NDArray[np.intp]
    sizes: Floats
    weights: Floats

    @classmethod
    def of(cls, stratum: ArrayLike, weight: ArrayLike, within: ArrayLike | None = None) -> Strata:
        """Group replications by `stratum` (n,), numbers into `weight` (K,), the probabilities.

        `within` (n,) of booleans keeps whole strata, as in *given a defect*: probabilities are
        rescaled over the strata that are left. Strata of probability 0 are left out. Raises
        ValueError for a stratum without a probability, or one that is negative or not finite.
        """
        number = np.asarray(stratum, dtype=np.intp)
        probability = np.asarray(weight, dtype=float)
        if not (np.isfinite(probability) & (probability >= 0)).all():
            raise ValueError("probabilities of strata must be finite and not negative")
        if ((number < 0) | (number >= len(probability))).any():
            raise ValueError(f"strata must be numbers from 0 to {len(probability) - 1}")
        used = probability[number] > 0
        if within is not None:
            used &= np.asarray(within, dtype=bool)
        places = np.flatnonzero(used)
        order = places[np.argsort(number[places], kind="stable")]
        found, sizes = np.unique(number[order], return_counts=True)
        weights = probability[found]
        return cls(order, sizes.astype(float), weights / weights.sum())

    @classmethod
    def grouped(cls, sizes: Sequence[int], weight: Sequence[float]) -> Strata:
        """Strata of so many replications each, that come one after the other; see `of`."""
        size, probability = np.asarray(sizes, dtype=np.intp), np.asarray(weight, dtype=float)
        used = (probability > 0) & (size > 0)
        order = np.flatnonzero(np.repeat(used, size))
        weights = probability[used]
        return cls(order, size[used].astype(float), weights / weights.sum())

    @property
    def n(self) -> int:
        """Replications in use."""
        return len(self.order)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The stratum, 0 to K - 1, of each replication in use (n,), in the order of `rows`."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes.astype(np.intp))

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where each stratum starts among the grouped replications (K,)."""
        return np.searchsorted(self.groups, np.arange(len(self.sizes)))

    def rows(self, values: ArrayLike) -> Floats:
        """The replications in use of one figure (n,) or many (figures, n), grouped by stratum."""
        return np.atleast_2d(np.asarray(values, dtype=float))[:, self.order]

    def sums(self, rows: NDArray[Any]) -> Floats:
        """Sums within each stratum, shape (figures, K), of grouped numbers or booleans."""
        if not self.n:
            return np.zeros((len(rows), 0))
        kind = np.intp if rows.dtype == np.bool_ else float
        return np.add.reduceat(rows, self.starts, axis=1, dtype=kind).astype(float)


def ratio(above: Floats, below: Floats) -> Floats:
    """Quotient of two arrays, NaN where the lower one is 0."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    quotient: Floats = np.full(shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def student(df: Floats) -> Floats:
    """The 97.5 % quantile of Student's t for degrees of freedom >= 1; NaN stays NaN.

    Hill 1970, Algorithm 396, doi:10.1145/355598.355600, five digits from 3 degrees on; below 2
    geometric between the exact values of 1 and 2, within 3 %.
    """
    n = np.maximum(df, 2.0)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * np.sqrt(a * math.pi / 2) * n
    tail = (d * (1 - LEVEL)) ** (2 / n)
    far = 1 / (((n + 6) / (n * tail) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)
    far = (far * tail - 1) * (n + 1) / (n + 2) + 1 / tail
    c = np.where(n < 5, c + 0.3 * (n - 4.5) * (0.6 - Z), c)
    c = (((-0.05 * d * Z - 5) * -Z - 7) * -Z - 2) * -Z + b + c
    y = Z * Z
    near = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * Z
    bulk = np.sqrt(n * np.where(tail > 0.05 + a, np.expm1(a * near**2), far))
    first, second = math.tan(LEVEL * math.pi / 2), math.sqrt(2 / (1 - LEVEL**2) - 2)
    return np.where(df < 2, second * (first / second) ** (2 / np.minimum(df, 2) - 1), bulk)


class Moments(NamedTuple):
    """Applicable replications of each stratum, their mean and sum of squares around it.

    Each of shape (figures, K); the mean of a stratum without any is 0.
    """

    n: Floats
    mean: Floats
    squares: Floats


def moments(rows: Floats, strata: Strata) -> Moments:
    """Moments of grouped finite values, NaN where a figure does not apply."""
    applies = ~np.isnan(rows)
    count = strata.sums(applies)
    filled = np.where(applies, rows, 0.0)
    mean = strata.sums(filled) / np.maximum(count, 1)
    centred = np.where(applies, filled - mean[:, strata.groups], 0.0)
    return Moments(count, mean, strata.sums(centred * centred))


def _parts(count: Floats, mean: Floats, strata: Strata) -> tuple[Floats, Floats, Floats]:
    """Centre, each stratum's share in it, and the variance from not knowing those shares."""
    applies = count / strata.sizes
    whole = (strata.weights * applies).sum(axis=1, keepdims=True)
    weight = ratio(strata.weights, whole)
    share = weight * applies
    centre = np.where(whole[:, 0] > 0, (share * mean).sum(axis=1), np.nan)
    off = (mean - centre[:, None]) ** 2
    return centre, share, weight**2 * applies * (1 - applies) * off / strata.sizes


def spread(found: Moments, strata: Strata, free: Floats | None = None) -> tuple[Floats, Floats]:
    """Stratified mean of the applicable values and half the width of its t interval.

    The mean is the ratio of two stratified means, its variance by linearisation, divided into
    what varies within and between strata; with all applicable it is the usual stratified
    variance, in one stratum that of a plain mean. Degrees of freedom by Satterthwaite. A stratum
    with a single applicable value borrows the variance of the others; without any, NaN. `free`
    (figures, K) replaces the strata's degrees of freedom, applicable replications less one.
    Cochran, Sampling Techniques (1977), sections 5.4, 5A.13 and 6.11; Satterthwaite 1946,
    doi:10.2307/3002019.
    """
    count, mean, squares = found
    centre, share, between = _parts(count, mean, strata)
    less = np.maximum(count - 1, 0)
    pooled = ratio(squares.sum(axis=1, keepdims=True), less.sum(axis=1, keepdims=True))
    variance = np.where(count > 1, squares / np.maximum(less, 1), pooled)
    variance = np.where(count > 0, variance, 0.0)
    parts = share**2 * variance / np.maximum(count, 1) + between
    total = parts.sum(axis=1)
    portions = ratio(parts, total[:, None])
    known = np.maximum(less if free is None else free, 1)
    df = ratio(np.ones_like(total), (portions**2 / known).sum(axis=1))
    return centre, np.where(total == 0, 0.0, student(df) * np.sqrt(total))


def restrict(rows: Floats, limit: ArrayLike | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows fit for a mean, and which of them (figures,) are restricted to the limit: one for all,
    or (figures,), NaN or None for none.

    A row with censored values is replaced by min(value, limit), the restricted mean's values
    (Royston and Parmar 2013, doi:10.1186/1471-2288-13-152); without a limit nothing in it is
    left to average and it becomes NaN.
    """
    censored: NDArray[np.bool_] = np.any(rows == np.inf, axis=1)
    if not censored.any():
        return rows, censored
    limits = np.broadcast_to(np.asarray(limit, dtype=float), len(rows))
    bounded = rows.copy()
    bounded[censored] = np.minimum(rows[censored], limits[censored, None])
    return bounded, censored & ~np.isnan(limits)


def centres(rows: Floats, strata: Strata) -> Floats:
    """Means of grouped finite values over the applicable replications alone; see `spread`."""
    applies = ~np.isnan(rows)
    count = strata.sums(applies)
    mean = strata.sums(np.where(applies, rows, 0.0)) / np.maximum(count, 1)
    return _parts(count, mean, strata)[0]


def means(rows: Floats, strata: Strata) -> Band:
    """Means of grouped finite values over the applicable replications, with t intervals."""
    centre, half = spread(moments(rows, strata), strata)
    return Band(centre, centre - half, centre + half)


def mean(values: ArrayLike, strata: Strata, limit: float | None = None) -> Interval:
    """Mean of one figure (n,) over the applicable replications, with its t interval.

    `limit`, in the figure's unit, stands in for censored values (see `restrict`). All None if
    nothing applies; no bounds from a single replication.
    """
    rows, _ = restrict(strata.rows(values), limit)
    return means(rows, strata).intervals()[0]


def wilson(hits: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Bounds of the share hits / count; 0 to 1 where the count is 0.

    Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    n = np.maximum(count, 1)
    share = hits / n
    scale = 1 + Z**2 / n
    centre = (share + Z**2 / (2 * n)) / scale
    half = Z / scale * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    low = np.where(hits == 0, 0.0, centre - half)
    return low, np.where(hits >= count, 1.0, centre + half)


def mover(count: Floats, share: Floats, low: Floats, high: Floats, strata: Strata) -> Band:
    """Shares of strata (figures, K) and their bounds combined into one share with its interval.

    Method of variance estimates recovery (Zou and Donner 2008, doi:10.1002/sim.3095): distances
    to the bounds are added in squares. Where only `count` of a stratum's replications apply, the
    variance of that part is added as in `spread`.
    """
    centre, weight, between = _parts(count, share, strata)
    extra = Z**2 * between.sum(axis=1)
    down = np.sqrt((weight**2 * (share - low) ** 2).sum(axis=1) + extra)
    up = np.sqrt((weight**2 * (high - share) ** 2).sum(axis=1) + extra)
    return Band(centre, np.maximum(centre - down, 0.0), np.minimum(centre + up, 1.0))


def shares(hits: Floats, count: Floats, strata: Strata) -> Band:
    """Shares from hits among `count` replications of each stratum, both (figures, K)."""
    return mover(count, hits / np.maximum(count, 1), *wilson(hits, count), strata)


def proportion(hits: ArrayLike, strata: Strata) -> Interval:
    """Share of replications with a hit: Wilson in one stratum, over strata by MOVER.

    `hits` (n,) of booleans, or of 0 and 1 with NaN for replications outside the base: the share
    *among those it applies to* (caught by an alarm among the caught). All None without any.
    """
    rows = strata.rows(hits)
    count = strata.sums(~np.isnan(rows))
    return shares(strata.sums(rows > 0), count, strata).intervals()[0]
