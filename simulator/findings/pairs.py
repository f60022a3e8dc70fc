"""Two strategies on the same replications, and which of several no other one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.findings.means import (
    LEVEL,
    Band,
    Floats,
    Interval,
    Strata,
    means,
    moments,
    mover,
    ratio,
    restrict,
    wilson,
)

_SEED = 20_001
_AT_ONCE = 50
_DUST = 1e-12


class Pair(NamedTuple):
    """Strategies A and B on the `n` replications to which the figure applies in both.

    `mean`: the mean of a - b, in the figure's unit; `a_better`: the probability that A does
    better than B, ties counted half; `correlation`: of the two estimated means, what common
    random numbers achieved (the variance of the difference is that of independent runs less
    twice their covariance), None where one of them does not vary.
    """

    n: int
    mean: Interval
    a_better: Interval
    correlation: float | None


def better(a: Floats, b: Floats, strata: Strata) -> Band:
    """Probabilities that a < b plus half that of a tie, of grouped values (figures, n).

    In a stratum 1/2 + (wins - losses) / 2, the difference of two shares of the same sample with
    Wilson bounds (Newcombe 1998, Statistics in Medicine 17: 2635-2650, method 10); over strata
    by MOVER. Left out: NaN in either. Two censored values are a tie.
    """
    count = strata.sums(~(np.isnan(a) | np.isnan(b)))
    wins, losses = strata.sums(a < b), strata.sums(a > b)
    n = np.maximum(count, 1)
    win, lose = wins / n, losses / n
    (win_low, win_high), (lose_low, lose_high) = wilson(wins, count), wilson(losses, count)
    both = ratio(win * lose, (1 - win) * (1 - lose))
    together = -np.where((win == 1) | (lose == 1), 1.0, np.sqrt(np.nan_to_num(both)))

    def distance(one: Floats, other: Floats) -> Floats:
        squared = one**2 - 2 * together * one * other + other**2
        return np.sqrt(np.maximum(squared, 0.0)) / 2

    share = 0.5 + (win - lose) / 2
    low = share - distance(win - win_low, lose_high - lose)
    high = share + distance(win_high - win, lose - lose_low)
    return mover(count, share, np.maximum(low, 0.0), np.minimum(high, 1.0), strata)


def _correlation(a: Floats, b: Floats, strata: Strata) -> float | None:
    """Correlation of the stratified means of one row each (1, n)."""
    centred = []
    for row in (a, b):
        found = moments(row, strata)
        centred.append(np.nan_to_num(row - found.mean[:, strata.groups]))
    x, y = centred
    count = moments(a, strata).n
    scale = (strata.weights / strata.sizes) ** 2 * count / np.maximum(count - 1, 1)
    together, one, other = (float((strata.sums(p) * scale).sum()) for p in (x * y, x * x, y * y))
    if one <= 0 or other <= 0:
        return None
    return float(np.clip(together / np.sqrt(one) / np.sqrt(other), -1, 1))


def paired(
    a: ArrayLike,
    b: ArrayLike,
    strata: Strata,
    smaller_is_better: bool = True,
    limit: float | None = None,
) -> Pair:
    """Compare one figure of two strategies, (n,) each, replication by replication.

    `limit`, in the figure's unit, stands in for censored values in the mean and the correlation,
    which are None without it; who does better needs none. All None if nothing is comparable.
    """
    x, y = strata.rows(a), strata.rows(b)
    apart = np.isnan(x) | np.isnan(y)
    x, y = np.where(apart, np.nan, x), np.where(apart, np.nan, y)
    a_better = better(x, y, strata) if smaller_is_better else better(y, x, strata)
    one, other = restrict(x, limit)[0], restrict(y, limit)[0]
    return Pair(
        int(np.count_nonzero(~apart)),
        means(one - other, strata).intervals()[0],
        a_better.intervals()[0],
        _correlation(one, other, strata),
    )


class _Gap:
    """Weighted difference of two distribution functions, a's less b's, where they can differ."""

    def __init__(self, a: Floats, b: Floats, strata: Strata) -> None:
        self.replications = np.flatnonzero(~(np.isnan(a) | np.isnan(b)) & (a != b))
        x, y = a[self.replications], b[self.replications]
        points = np.concatenate([x, y])
        order = np.argsort(points, kind="stable")
        ordered = points[order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], [True] * bool(len(x))))
        self._source = order % max(len(x), 1)
        step = (strata.weights / strata.sizes)[strata.groups[self.replications]]
        self._steps = np.concatenate([step, -step])[order]

    def positive(self, times: Floats) -> NDArray[np.bool_]:
        """Whether the difference is nowhere negative and somewhere positive, (resamples,).

        `times` (resamples, replications that can differ): how often each was drawn.
        """
        if not len(self.replications):
            return np.zeros(len(times), dtype=np.bool_)
        gap = np.cumsum(times[:, self._source] * self._steps, axis=1)[:, self._ends]
        held: NDArray[np.bool_] = (gap.min(axis=1) >= -_DUST) & (gap.max(axis=1) > _DUST)
        return held


def resampled(sizes: Sequence[int], count: int, generator: np.random.Generator) -> Floats:
    """How often each replication is drawn in `count` resamples, stratum by stratum, (count, n).

    `sizes` (K,) are the replications of each stratum.
    """
    parts = []
    for size in sizes:
        drawn = generator.integers(size, size=(count, size))
        drawn += size * np.arange(count)[:, None]
        parts.append(np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size))
    return np.concatenate(parts, axis=1).astype(float)


def dominates(
    a: ArrayLike,
    b: ArrayLike,
    strata: Strata,
    smaller_is_better: bool = True,
    resamples: int = 400,
) -> bool:
    """Whether a dominates b to the first order, confirmed in 95 % of paired resamples.

    At every value the share of a that is at least as good is no less than b's, and somewhere
    more: in the sample and in 95 % of bootstrap resamples of whole replications within strata
    (generator with a fixed seed). Replications where either is NaN are left out; censored is the
    worst (or, if larger is better, the best). Barrett and Donald 2003,
    doi:10.1111/1468-0262.00390.
    """
    sign = 1.0 if smaller_is_better else -1.0
    gap = _Gap(sign * strata.rows(a)[0], sign * strata.rows(b)[0], strata)
    if not gap.positive(np.ones((1, len(gap.replications))))[0]:
        return False
    generator = np.random.Generator(np.random.Philox(_SEED))
    allowed = resamples - LEVEL * resamples
    refuted = 0
    for start in range(0, resamples, _AT_ONCE):
        drawn = min(_AT_ONCE, resamples - start)
        times = resampled(strata.sizes.astype(np.int64).tolist(), drawn, generator)
        refuted += int(np.count_nonzero(~gap.positive(times[:, gap.replications])))
        if refuted > allowed:
            return False
    return True


def front(points: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Names of the points that no other one beats: the Pareto front, every coordinate minimised.

    A point is beaten by one that is nowhere larger and somewhere smaller; equal points stay
    together. Points with a NaN cannot be compared and are left out. In the order given.
    """
    table = {name: np.asarray(point, dtype=float) for name, point in points.items()}
    whole = {name: point for name, point in table.items() if not np.isnan(point).any()}
    return tuple(
        name
        for name, point in whole.items()
        if not any((p <= point).all() and (p < point).any() for p in whole.values())
    )
