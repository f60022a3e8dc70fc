"""Every estimate with its 95 % interval: Monte Carlo error only, over weighted strata.

A sample holds replications of several strata. Each stratum has a probability; inside it all
replications weigh the same. NaN means not applicable, infinity means censored (started, not
ended).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_Z = 1.959963984540054
_LEVEL = 0.95


class Interval(NamedTuple):
    """A value with its lower and upper 95 % bound; None where the data cannot say."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Interval(None, None, None)


class Estimate(NamedTuple):
    """All statistics of one figure under one condition.

    `n` replications; `applicable` and `censored` are shares of them; `restricted` tells that
    censored times were replaced by the limit of the replication in mean and CVaR.
    """

    unit: str
    n: int
    applicable: Interval
    censored: Interval
    mean: Interval
    p50: Interval
    p95: Interval
    p99: Interval
    cvar95: Interval
    restricted: bool

    def of(self, statistic: str) -> Interval:
        """The interval of a statistic by its name."""
        found: Interval = getattr(self, statistic)
        return found


class Design(NamedTuple):
    """Which replication belongs to which stratum: starts of the strata and their probabilities.

    `sizes[k]` replications of stratum k follow each other; probabilities sum to 1.
    """

    sizes: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def weights(self) -> Array:
        """The weight of each replication; they sum to 1."""
        pairs = zip(self.sizes, self.probabilities, strict=True)
        return np.concatenate([np.full(n, p / n) for n, p in pairs])

    def moments(self, values: Array) -> tuple[Array, Array]:
        """Mean and variance (with n - 1) of the values in each stratum."""
        starts = np.concatenate([[0], np.cumsum(self.sizes[:-1], dtype=np.intp)]).astype(np.intp)
        sizes = np.array(self.sizes, dtype=float)
        means: Array = np.add.reduceat(values, starts) / sizes
        centred = values - np.repeat(means, self.sizes)
        squares: Array = np.add.reduceat(centred * centred, starts)
        return means, squares / np.maximum(sizes - 1, 1)


def design(sizes: Sequence[int], probabilities: Sequence[float]) -> Design:
    """A design with the probabilities scaled to sum 1."""
    total = math.fsum(probabilities)
    return Design(tuple(sizes), tuple(p / total for p in probabilities))


def _t(df: float) -> float:
    if df > 1e6:
        return _Z
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + _LEVEL / 2))


def _stratified(values: Array, plan: Design) -> tuple[float, float]:
    """Half width of the t interval of a stratified mean (Satterthwaite), and the mean."""
    means, variances = plan.moments(values)
    p = np.array(plan.probabilities)
    n = np.array(plan.sizes, dtype=float)
    parts = p * p * variances / n
    total = float(np.sum(parts))
    mean = float(np.dot(p, means))
    if total <= 0:
        return 0.0, mean
    df = total**2 / float(np.sum(parts**2 / np.maximum(n - 1, 1)))
    return _t(df) * math.sqrt(total), mean


def mean(values: Array, plan: Design) -> Interval:
    """Mean over the applicable replications: a ratio of stratified means, by linearisation.

    Source: Cochran, Sampling Techniques (1977), sections 5.4 and 6.11.
    """
    applicable = ~np.isnan(values)
    if not applicable.any():
        return NOTHING
    if applicable.all():
        half, centre = _stratified(values, plan)
        return Interval(centre, centre - half, centre + half)
    share = _stratified(applicable.astype(float), plan)[1]
    filled = np.where(applicable, values, 0.0)
    centre = _stratified(filled, plan)[1] / share
    half = _stratified(np.where(applicable, values - centre, 0.0) / share, plan)[0]
    return Interval(centre, centre - half, centre + half)


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion (Wilson 1927)."""
    p = successes / n
    denominator = 1 + _Z**2 / n
    centre = (p + _Z**2 / (2 * n)) / denominator
    half = _Z / denominator * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    low = 0.0 if successes == 0 else max(centre - half, 0.0)
    high = 1.0 if successes == n else min(centre + half, 1.0)
    return low, high


def proportion(hits: NDArray[np.bool_], plan: Design) -> Interval:
    """A share over strata: Wilson intervals combined by MOVER (Zou and Donner 2008)."""
    if not len(hits):
        return NOTHING
    value = low = high = 0.0
    start = 0
    for size, p in zip(plan.sizes, plan.probabilities, strict=True):
        found = int(np.count_nonzero(hits[start : start + size]))
        start += size
        own = found / size
        below, above = wilson(found, size)
        value += p * own
        low += (p * (own - below)) ** 2
        high += (p * (above - own)) ** 2
    return Interval(value, max(value - math.sqrt(low), 0.0), min(value + math.sqrt(high), 1.0))


@cache
def _ranks(n: int, p: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the order statistics that bound the p-quantile of n values."""
    from scipy.special import bdtr

    tail = (1 - _LEVEL) / 2
    spread = int(6 * math.sqrt(n * p * (1 - p))) + 3
    centre = int(n * p)
    low = high = None
    for rank in range(min(centre + 1, n), max(centre - spread, 0), -1):
        if bdtr(rank - 1, n, p) <= tail:
            low = rank
            break
    for rank in range(max(centre, 1), min(centre + spread, n) + 1):
        if bdtr(rank - 1, n, p) >= 1 - tail:
            high = rank
            break
    return low, high


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def quantile(
    ordered: Array, weights: Array, p: float, plan: Design, strata: NDArray[np.int64]
) -> Interval:
    """A quantile of sorted values with its interval.

    In one stratum the bounds are order statistics (exact, binomial ranks); over weighted strata
    Woodruff's (1952): the bounds of the share below, inverted. A bound that the data cannot reach
    is None, as is a value that lies among censored times.
    """
    course = np.cumsum(weights)
    place = min(int(np.searchsorted(course, p * course[-1] - 1e-12)), len(ordered) - 1)
    value = ordered[place]
    if len(plan.sizes) == 1:
        low_rank, high_rank = _ranks(len(ordered), p)
        low = None if low_rank is None else _finite(ordered[low_rank - 1])
        high = None if high_rank is None else _finite(ordered[high_rank - 1])
        return Interval(_finite(value), low, high)
    below = ordered <= value
    variance = 0.0
    for number, (_, share) in enumerate(zip(plan.sizes, plan.probabilities, strict=True)):
        mine = strata == number
        n = int(np.count_nonzero(mine))
        if n < 2:
            continue
        own = float(np.count_nonzero(below & mine)) / n
        variance += share**2 * own * (1 - own) / (n - 1)
    half = _Z * math.sqrt(variance) / course[-1]
    low = high = None
    if p - half > 0:
        place = min(int(np.searchsorted(course, (p - half) * course[-1])), len(ordered) - 1)
        low = _finite(ordered[place])
    if p + half < 1:
        place = int(np.searchsorted(course, (p + half) * course[-1]))
        high = _finite(ordered[place]) if place < len(ordered) else None
    return Interval(_finite(value), low, high)


def cvar(values: Array, plan: Design, at: float, level: float = 0.95) -> Interval:
    """Mean of the worst 5 %: at + E[(X - at)+] / (1 - level), `at` the quantile of that level.

    Right with atoms too. Source: Rockafellar and Uryasev 2000, doi:10.21314/JOR.2000.038; the
    interval is that of the mean of the influence function.
    """
    half, excess = _stratified(np.maximum(values - at, 0.0) / (1 - level), plan)
    return Interval(at + excess, at + excess - half, at + excess + half)


def estimate(values: Array, plan: Design, unit: str, limit: float) -> Estimate:
    """All statistics of a figure; `limit` stands in for censored times in mean and CVaR."""
    n = len(values)
    if not n:
        return Estimate(unit, 0, *(NOTHING,) * 7, restricted=False)
    applicable = ~np.isnan(values)
    censored = np.isinf(values)
    shares = (proportion(applicable, plan), proportion(censored, plan))
    if not applicable.any():
        return Estimate(unit, n, *shares, *(NOTHING,) * 5, restricted=False)
    restricted = bool(censored.any())
    bounded = np.where(censored, limit, values) if restricted else values
    centre = mean(bounded, plan)
    strata = np.repeat(np.arange(len(plan.sizes), dtype=np.int64), plan.sizes)
    kept, weights = values[applicable], plan.weights[applicable]
    order = np.argsort(kept, kind="stable")
    ordered, by, own = kept[order], weights[order], strata[applicable][order]
    p50, p95, p99 = (quantile(ordered, by, p, plan, own) for p in (0.5, 0.95, 0.99))
    at = p95.value if p95.value is not None else limit
    tail = (cvar if applicable.all() else _ratio_cvar)(bounded, plan, at)
    return Estimate(unit, n, *shares, centre, p50, p95, p99, tail, restricted)


def _ratio_cvar(values: Array, plan: Design, at: float) -> Interval:
    excess = mean(np.where(np.isnan(values), np.nan, np.maximum(values - at, 0.0) / 0.05), plan)
    if excess.value is None or excess.low is None or excess.high is None:
        return NOTHING
    return Interval(at + excess.value, at + excess.low, at + excess.high)


class Pair(NamedTuple):
    """Two strategies on the same releases: mean difference a - b and P(a better than b).

    `correlation` is what common random numbers achieved (None if one of them is constant).
    """

    figure: str
    a: str
    b: str
    mean: Interval
    a_better: Interval
    correlation: float | None


def paired(figure: str, a: str, b: str, x: Array, y: Array, plan: Design, smaller: bool) -> Pair:
    """Compare two strategies replication by replication; ties count half."""
    both = ~(np.isnan(x) | np.isnan(y)) & ~(np.isinf(x) & np.isinf(y))
    both &= np.isfinite(x) & np.isfinite(y)
    difference = np.where(both, x - y, np.nan)
    left, right = np.nan_to_num(x, posinf=1e300), np.nan_to_num(y, posinf=1e300)
    gap = np.where(np.isnan(x) | np.isnan(y), 0.0, left - right)
    better = (gap < 0) if smaller else (gap > 0)
    score = np.where(gap == 0, 0.5, better.astype(float))
    win = mean(score, plan)
    win = Interval(
        win.value,
        None if win.low is None else max(win.low, 0.0),
        None if win.high is None else min(win.high, 1.0),
    )
    correlation = None
    if both.sum() > 2:
        u, v = x[both], y[both]
        if u.std() > 0 and v.std() > 0:
            correlation = float(np.corrcoef(u, v)[0, 1])
    return Pair(figure, a, b, mean(difference, plan), win, correlation)


def dominates(x: Array, y: Array, plan: Design, resamples: int = 200) -> bool:
    """Whether x is stochastically smaller than y in 95 % of paired, stratified resamples.

    First-order dominance: at every value the share of x at or below it is at least y's, and
    somewhere more. Not applicable counts as 0 (no harm).
    """
    x, y = np.nan_to_num(x, nan=0.0, posinf=1e300), np.nan_to_num(y, nan=0.0, posinf=1e300)
    grid = np.unique(np.quantile(np.concatenate([x, y]), np.linspace(0, 1, 60)))
    weights = plan.weights
    in_x, in_y = x[:, None] <= grid, y[:, None] <= grid
    gap = weights[:, None] * (in_x.astype(float) - in_y.astype(float))
    if np.min(gap.sum(axis=0)) < -1e-12 or np.max(gap.sum(axis=0)) <= 0:
        return False
    generator = np.random.Generator(np.random.Philox(20_240_229))
    held = 0
    ends = np.cumsum(plan.sizes)
    for _ in range(resamples):
        times = np.concatenate([generator.multinomial(n, np.full(n, 1 / n)) for n in plan.sizes])
        total = times @ gap
        held += bool(np.min(total) >= -1e-3 and ends[-1] > 0)
    return held >= 0.95 * resamples


def front(points: Mapping[str, tuple[float, ...]]) -> tuple[str, ...]:
    """Names of the points that no other beats or equals in everything; less is better."""
    kept = []
    for name, point in points.items():
        beaten = any(
            other != point and all(o <= p for o, p in zip(other, point, strict=True))
            for rival, other in points.items()
            if rival != name
        )
        if not beaten:
            kept.append(name)
    return tuple(kept)


def exceedance(values: Array, plan: Design, points: int = 100) -> list[tuple[float, float]]:
    """Points (x, P(X > x)) of the exceedance curve, at most `points` of them."""
    kept = ~np.isnan(values)
    order = np.argsort(values[kept], kind="stable")
    ordered, weights = values[kept][order], plan.weights[kept][order]
    beyond = 1 - np.cumsum(weights) / weights.sum()
    take = np.unique(np.linspace(0, len(ordered) - 1, min(points, len(ordered))).astype(int))
    return [(float(ordered[i]), float(max(beyond[i], 0.0))) for i in take]
