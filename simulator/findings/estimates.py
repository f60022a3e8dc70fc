"""Everything that is estimated of a figure under one condition, many figures at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.findings.means import Band, Floats, Interval, Strata, means, restrict, shares
from simulator.findings.quantiles import cvars, quantiles

LEVELS = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_BLOCK = 1 << 17


class Estimates(NamedTuple):
    """What `n` replications tell of one figure, each with its 95 % interval (Monte Carlo only).

    `applicable` and `censored` are shares of all replications; the others are over those the
    figure applies to, in its unit. In quantiles censored values are infinite: a value of None
    with a lower bound means *at least that*. `restricted`: in the mean and in `cvar95`, the mean
    of the worst 5 %, the horizon stands in for censored values.
    """

    n: int
    applicable: Interval
    censored: Interval
    mean: Interval
    p50: Interval
    p95: Interval
    p99: Interval
    cvar95: Interval
    restricted: bool

    def within(self, least: float, most: float) -> Estimates:
        """The same, knowing that no replication has less or more: bounds of means neither."""
        return self._replace(
            mean=self.mean.within(least, most), cvar95=self.cvar95.within(least, most)
        )


def estimates(
    values: ArrayLike, strata: Strata, limit: ArrayLike | None = None
) -> tuple[Estimates, ...]:
    """Estimates of many figures, shape (figures, replications), under the condition of `strata`.

    NaN: not applicable; +infinity: censored; `limit`, in the figures' unit (one, or one each), is
    the horizon that stands in for censored values in mean and `cvar95` (without it these are None).
    """
    table = np.atleast_2d(np.asarray(values, dtype=float))
    limits = np.broadcast_to(np.asarray(limit, dtype=float), len(table))
    step = max(_BLOCK // max(strata.n, 1), 1)
    found: list[Estimates] = []
    for start in range(0, len(table), step):
        found += _block(table[start : start + step], strata, limits[start : start + step])
    return tuple(found)


def _block(values: ArrayLike, strata: Strata, limits: Floats) -> list[Estimates]:
    rows = strata.rows(values)
    bounded, restricted = restrict(rows, limits)
    sizes = np.broadcast_to(strata.sizes, (len(rows), len(strata.sizes)))
    courses = dict(zip(LEVELS, quantiles(rows, strata, tuple(LEVELS.values())), strict=True))
    horizon = np.where(restricted, limits, np.inf)
    at = Band(*(np.minimum(part, horizon) for part in courses["p95"]))
    bands = (
        shares(strata.sums(~np.isnan(rows)), sizes, strata),
        shares(strata.sums(np.isposinf(rows)), sizes, strata),
        means(bounded, strata),
        *courses.values(),
        cvars(bounded, strata, at),
    )
    columns = zip(*(band.intervals() for band in bands), restricted.tolist(), strict=True)
    return [Estimates(strata.n, *column) for column in columns]


def estimate(values: ArrayLike, strata: Strata, limit: float | None = None) -> Estimates:
    """Estimates of one figure, one value per replication (n,); see `estimates`."""
    return estimates(values, strata, limit)[0]
