"""Years: what all the releases of a year cost together, frequency times magnitude.

The frequency of loss events is the number of bad releases a year, the magnitude the loss of one of
them (the terms of Open FAIR); both come from the study, nothing is scored. The year's releases are
independent of each other and alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.findings.means import Floats, Interval, Strata, Z
from simulator.findings.quantiles import Exceedance, cvar, exceedance, quantile

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

    from simulator.findings.results import Results

YEARS, MOST = 100_000, 10_000
_DRAWS, _FEWEST = 50_000_000, 10_000
_AT_ONCE = 2_000_000
_RESAMPLES, _LOOKED_AT = 200, 4_000
_POINTS = 120
_SEED = 30_011


class Annual(NamedTuple):
    """What one strategy costs, in the scenario's currency, each with its 95 % interval; `reasons`
    say why it cannot be carried out.

    `good` and `bad` are the mean losses of one release; all others are of a year: `mean`, `sd`
    over the years, `var95` and `var99` (one year of twenty, of a hundred, costs more), `cvar95`
    (the mean of the worst one of twenty) and `curve`, the chance that a year costs more than x.
    """

    strategy: str
    good: Interval
    bad: Interval
    mean: Interval
    sd: Interval
    var95: Interval
    var99: Interval
    cvar95: Interval
    curve: Exceedance
    reasons: tuple[str, ...] = ()


class Years(NamedTuple):
    """The year of every strategy: `releases` in each of `years` simulated ones, each defective
    with probability `chance`, losses drawn from `replications` played ones.
    """

    releases: int
    years: int
    chance: float
    currency: str
    replications: int
    strategies: tuple[Annual, ...]

    @property
    def bad_releases(self) -> Interval:
        """Bad releases a year: their mean, and the ends between which nine years of ten lie."""
        from scipy.stats import binom

        low, high = (binom.ppf(p, self.releases, self.chance) for p in (0.05, 0.95))
        return Interval(self.releases * self.chance, float(low), float(high))

    @property
    def spotless(self) -> float:
        """The chance of a year without a bad release."""
        return (1.0 - self.chance) ** self.releases

    @property
    def frame(self) -> pd.DataFrame:
        """One row per strategy and figure: value, low, high in the scenario's currency."""
        import pandas as pd

        figures = ("good", "bad", "mean", "sd", "var95", "var99", "cvar95")
        rows = [
            (one.strategy, figure, *(math.nan if x is None else x for x in getattr(one, figure)))
            for one in self.strategies
            for figure in figures
        ]
        return pd.DataFrame(rows, columns=["strategy", "figure", "value", "low", "high"])


def years(results: Results, releases: int, seed: int = 1) -> Years:
    """The losses of years with so many releases (1 to 10 000), for every strategy.

    100 000 years, fewer above 500 releases, are put together from the study's replications: a
    year draws how many of its releases are good and of each kind, and for each a replication. All
    strategies meet the same years. Intervals tell what is not known because replications are
    finite in number (they are resampled within their strata) and because years are; no release
    can cost more than the worst that was played. Raises ValueError for another number of releases.
    """
    if not 1 <= releases <= MOST:
        raise ValueError(f"{releases} releases a year; write 1 to {MOST:,}")
    losses = _Losses(results.common())
    count = max(min(YEARS, _DRAWS // releases), _FEWEST)
    totals, first = _drawn(losses, releases, count, seed)
    found = [
        _annual(losses, column, totals[:, column], first, releases)
        for column in range(len(losses.results.names))
    ]
    scenario = results.scenario
    return Years(
        releases,
        count,
        scenario.change.defect_probability,
        scenario.costs.currency,
        len(losses.table),
        tuple(found),
    )


def drawn(results: Results, releases: int, count: int, seed: int = 1) -> Floats:
    """The losses of `count` years of so many releases, a column for each strategy."""
    return _drawn(_Losses(results.common()), releases, count, seed)[0]


class _Losses:
    """The losses of all replications (rows, stratum after stratum) of all strategies (columns)."""

    def __init__(self, results: Results) -> None:
        self.results = results
        groups = [g for g in results.groups if g.number in next(iter(results.columns.values()))]
        self.table = np.stack(
            [
                np.concatenate([np.asarray(parts[g.number]["loss"], dtype=float) for g in groups])
                for parts in results.columns.values()
            ],
            axis=1,
        )
        parts = next(iter(results.columns.values()))
        self.sizes = [len(parts[g.number]["ended"]) for g in groups]
        chances = np.array([g.probability for g in groups])
        self.chances: Floats = chances / chances.sum()

    @cached_property
    def resampled(self) -> NDArray[np.intp]:
        """Rows of bootstrap samples, each stratum resampled by itself: (replications, samples)."""
        luck = np.random.default_rng(_SEED)
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        return np.concatenate(
            [
                start + luck.integers(0, size, (size, _RESAMPLES))
                for start, size in zip(starts, self.sizes, strict=True)
            ]
        )

    @cached_property
    def weights(self) -> Floats:
        """The probability of each replication among all releases."""
        return np.repeat(self.chances / self.sizes, self.sizes)


def _blocks(losses: _Losses, releases: int, count: int, seed: int) -> Iterator[csr_matrix]:
    """How often each replication (columns) happens in each year (rows), some years at a time."""
    from scipy.sparse import coo_matrix

    luck = np.random.default_rng((_SEED, seed))
    step = max(_AT_ONCE // releases, 1)
    for start in range(0, count, step):
        rows = min(step, count - start)
        kinds = luck.multinomial(releases, losses.chances, rows)
        year, which, first = [], [], 0
        for size, of_kind in zip(losses.sizes, kinds.T, strict=True):
            year.append(np.repeat(np.arange(rows), of_kind))
            which.append(first + luck.integers(0, size, of_kind.sum()))
            first += size
        places = np.concatenate(year), np.concatenate(which)
        once = np.ones(rows * releases)
        yield coo_matrix((once, places), (rows, first)).tocsr()


def _drawn(losses: _Losses, releases: int, count: int, seed: int) -> tuple[Floats, csr_matrix]:
    """The losses of all years (rows) by strategy, and what happened in the first of them."""
    from scipy.sparse import vstack

    totals, first, rows = [], [], 0
    for block in _blocks(losses, releases, count, seed):
        totals.append(block @ losses.table)
        if rows < _LOOKED_AT:
            first.append(block[: _LOOKED_AT - rows])
            rows += first[-1].shape[0]
    return np.concatenate(totals), vstack(first, format="csr")


def _annual(
    losses: _Losses, column: int, totals: Floats, first: csr_matrix, releases: int
) -> Annual:
    """The year of one strategy; `first`: the years that are looked at again for the intervals."""
    name = losses.results.names[column]
    risk = losses.results.risk()[name]
    values = losses.table[:, column]
    samples = values[losses.resampled]
    again = np.sort(first @ samples, axis=0)
    alone = Strata.of(np.zeros(len(totals), dtype=int), [1.0])
    curve = exceedance(totals, alone, _POINTS)
    return Annual(
        name,
        risk.given_good.loss.mean,
        risk.given_defect.loss.mean,
        _times(risk.all.loss.mean, releases),
        _deviation(values, samples, losses.weights, releases),
        _widened(quantile(totals, alone, 0.95), _at(again, 0.95)),
        _widened(quantile(totals, alone, 0.99), _at(again, 0.99)),
        _widened(cvar(totals, alone), _beyond(again, 0.95)),
        _band(curve, again),
        risk.reasons,
    )


def _times(one: Interval, releases: int) -> Interval:
    return Interval(*(None if x is None else releases * x for x in one))


def _deviation(values: Floats, samples: Floats, weights: Floats, releases: int) -> Interval:
    """Standard deviation of a year, sqrt(N Var L), with the bootstrap's interval."""

    def spread(losses: Floats) -> Floats:
        mean = weights @ losses
        centred: Floats = losses - mean
        return np.sqrt(releases * (weights @ centred**2))

    value = float(spread(values))
    return _widened(Interval(value, value, value), spread(samples))


def _at(ordered: Floats, level: float) -> Floats:
    """The quantile of sorted years: the smallest with at least this share at or below it."""
    found: Floats = ordered[max(math.ceil(level * len(ordered) - 1e-9), 1) - 1]
    return found


def _beyond(ordered: Floats, level: float) -> Floats:
    """The mean of the worst years, as `cvars` has it."""
    at = _at(ordered, level)
    excess: Floats = np.maximum(ordered - at, 0.0).mean(axis=0)
    return at + excess / (1 - level)


def _widened(known: Interval, again: Floats) -> Interval:
    """An interval over years widened by what other replications would change.

    `again` is the figure in each bootstrap sample, all of the same years. Both uncertainties are
    independent: distances to the bounds add in squares, the bootstrap's is 1.96 of its standard
    deviations (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).
    """
    value = known.value or 0.0
    wide = Z * float(np.std(again, ddof=1))
    below = math.hypot(value - _or(known.low, value), wide)
    above = math.hypot(_or(known.high, value) - value, wide)
    least = 0.0 if again.min() >= 0 else -math.inf
    return Interval(value, value - below, value + above).within(least, math.inf)


def _or(bound: float | None, value: float) -> float:
    return value if bound is None else bound


def _band(curve: Exceedance, again: Floats) -> Exceedance:
    """The curve with a band for both uncertainties."""
    places = [np.searchsorted(part, curve.x, side="right") for part in again.T]
    others = 1 - np.stack(places, axis=1) / len(again)
    found = [
        _widened(Interval(*row), there)
        for *row, there in zip(curve.share, curve.low, curve.high, others, strict=True)
    ]
    return Exceedance(
        curve.x,
        curve.share,
        tuple(max(_or(one.low, 0.0), 0.0) for one in found),
        tuple(min(_or(one.high, 1.0), 1.0) for one in found),
    )
