"""What judges say of counts: pure statistics, each with its source."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Verdict = Literal["pass", "fail", "none"]

_FEWEST_EXPECTED = 5.0
_EXACT_BELOW = 50


def threshold(bad: int, requests: int, above: float) -> Verdict:
    """Fail when the bad share of the requests is above a fixed one; none without requests."""
    if requests <= 0:
        return "none"
    return "fail" if bad > above * requests else "pass"


def two_proportion_p(new: tuple[int, int], old: tuple[int, int]) -> float:
    """One-sided p value that new's bad share is not above old's, each (bad, requests).

    Pooled z test; Fisher's exact test when fewer than five bad ones are expected on a side
    (Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 2003, chapter 3).
    """
    (bad, requests), (bad_old, requests_old) = new, old
    whole, every = bad + bad_old, requests + requests_old
    pooled = whole / every
    if min(pooled, 1 - pooled) * min(requests, requests_old) < _FEWEST_EXPECTED:
        from scipy.stats import hypergeom

        return float(hypergeom.sf(bad - 1, every, whole, requests))
    spread = math.sqrt(pooled * (1 - pooled) * (1 / requests + 1 / requests_old))
    z = (bad / requests - bad_old / requests_old) / spread
    return 0.5 * math.erfc(z / math.sqrt(2))


def two_proportion(new: tuple[int, int], old: tuple[int, int], significance: float) -> Verdict:
    """Fail when new's bad share is significantly above old's; none without requests."""
    if new[1] <= 0 or old[1] <= 0:
        return "none"
    return "fail" if two_proportion_p(new, old) < significance else "pass"


class Shift(NamedTuple):
    """How far new lies above old: the Hodges-Lehmann estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


def shift(new: Array, old: Array, confidence: float) -> Shift:
    """The shift between two samples (n,), (m,), by the Mann-Whitney U test.

    The median of all differences, and the differences of the ranks at which the test's p value is
    the significance: exact below 50 values a side without ties, else by the normal approximation
    with ties corrected (Hodges, Lehmann 1963; Bauer 1972; R's wilcox.test).
    """
    differences = np.sort(np.subtract.outer(new, old), axis=None)
    n, m = len(new), len(old)
    tied = len(np.unique(np.concatenate([new, old]))) < n + m
    if not tied and max(n, m) < _EXACT_BELOW:
        rank = _lower_rank(n, m, 1 - confidence)
    else:
        _, counts = np.unique(np.concatenate([new, old]), return_counts=True)
        every = n + m
        ties = float((counts.astype(float) ** 3 - counts).sum()) / (every * (every - 1))
        spread = math.sqrt(n * m / 12 * (every + 1 - ties))
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        rank = max(round(n * m / 2 - z * spread), 0)
    rank = min(max(rank, 1), (n * m + 1) // 2)
    return Shift(
        float(np.median(differences)), float(differences[rank - 1]), float(differences[-rank])
    )


@lru_cache(maxsize=256)
def _lower_rank(n: int, m: int, significance: float) -> int:
    """The smallest u with P(U <= u) >= significance / 2 under equality, at least 1."""
    ways = np.zeros(n * m + 1)  # the Gaussian binomial coefficient (n + m over n), term by term
    ways[0] = 1.0
    for i in range(1, n + 1):
        for start in range(n * m, i + m - 1, -1):
            ways[start] -= ways[start - i - m]
        for start in range(i, n * m + 1):
            ways[start] += ways[start - i]
    share = np.cumsum(ways) / ways.sum()
    return max(int(np.searchsorted(share, significance / 2)), 1)


def evidence(new: Counts, old: Counts, share: float) -> Array:
    """Logarithm of the Bayes factor against equal bad shares after each look (n,).

    `new` and `old` are bad counts so far (n,), `share` the part of the requests that new gets.
    Under equality the bad ones are new's with that probability; against a uniform prior the
    factor is a martingale, so that 1 / its maximum is a p value at whatever look one stops
    (Lindon, Malek 2022, Anytime-valid inference for multinomial count data, arXiv 2011.03567).
    """
    from scipy.special import gammaln

    every = new + old
    log: Array = (
        gammaln(2.0)
        - gammaln(2.0 + every)
        + gammaln(1.0 + new)
        + gammaln(1.0 + old)
        - new * math.log(share)
        - old * math.log1p(-share)
    )
    return log


def crossing(new: Counts, old: Counts, share: float, significance: float) -> int | None:
    """The first look at which new is worse at this significance, whenever one looks; or None."""
    if not 0 < share < 1:
        return None
    worse = new > share * (new + old)
    found = np.flatnonzero((evidence(new, old, share) >= -math.log(significance)) & worse)
    return int(found[0]) if len(found) else None
