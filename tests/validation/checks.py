"""How simulated samples are held against an exact answer: always a distance in standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

LEVEL = 0.95
_DUST = 1e-9
_FEWEST_EXPECTED = 5.0


class Finding(NamedTuple):
    """What the samples came to, its 95 % interval, and how far the exact answer is from it.

    `distance` is in standard errors, never negative; of a test with the p value p it is the
    distance at which a normal number has the two-sided p value p. `text` replaces the value in
    print where there is no single one.
    """

    value: float
    low: float
    high: float
    distance: float
    text: str = ""


Check = Callable[[Sequence[float], float], Finding]


def _distance(found: float, exact: float, error: float) -> float:
    """Distance in standard errors; 0 where both agree to nine digits. Where nothing is random
    (an error of rounding only) whatever is off is infinitely far.
    """
    off, dust = abs(found - exact), _DUST * max(abs(exact), 1e-300)
    if off <= dust:
        return 0.0
    return off / error if error > dust else math.inf


def mean(values: Sequence[float], exact: float) -> Finding:
    """The mean against its expectation, with Student's interval."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    found, error = float(array.mean()), float(array.std(ddof=1)) / math.sqrt(n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    return Finding(found, found - half, found + half, _distance(found, exact, error))


def share(values: Sequence[float], exact: float) -> Finding:
    """The share of ones against a probability: Wilson's interval and the score it comes from."""
    hits, n = int(np.sum(values)), len(values)
    interval = stats.binomtest(hits, n).proportion_ci(LEVEL, method="wilson")
    error = math.sqrt(exact * (1 - exact) / n)
    return Finding(hits / n, interval.low, interval.high, _distance(hits / n, exact, error))


def variance(values: Sequence[float], exact: float) -> Finding:
    """The sample variance; its own variance is (m4 - m2^2) / n for large n."""
    centred = np.asarray(values, dtype=float) - np.mean(values)
    n = len(centred)
    found = float((centred**2).sum() / (n - 1))
    error = math.sqrt(float((centred**4).mean() - (centred**2).mean() ** 2) / n)
    half = stats.norm.ppf(0.5 + LEVEL / 2) * error
    return Finding(found, found - half, found + half, _distance(found, exact, error))


def quantile(p: float) -> Check:
    """The p-quantile: how many values lie below the exact one is binomial; order statistics."""

    def check(values: Sequence[float], exact: float) -> Finding:
        ordered = np.sort(np.asarray(values, dtype=float))
        n = len(ordered)
        low, high = (int(k) for k in stats.binom.ppf([0.025, 0.975], n, p))
        below = float(np.mean(ordered < exact))
        distance = _distance(below, p, math.sqrt(p * (1 - p) / n))
        point = ordered[math.ceil(n * p) - 1]
        return Finding(point, ordered[max(low - 1, 0)], ordered[min(high, n - 1)], distance)

    return check


def _as_distance(p_value: float) -> float:
    return float(stats.norm.isf(max(p_value, 1e-300) / 2))


def law(cdf: Callable[[Array], Array]) -> Check:
    """All values against a continuous distribution function: Kolmogorov and Smirnov."""

    def check(values: Sequence[float], exact: float) -> Finding:
        found = stats.kstest(np.asarray(values, dtype=float), cdf)
        p = float(found.pvalue)
        text = f"D = {found.statistic:.4f}, p = {p:.2f}"
        return Finding(math.nan, math.nan, math.nan, _as_distance(p), text)

    return check


def counts(pmf: Callable[[Array], Array]) -> Check:
    """Whole numbers against their probabilities: chi-square, cells of at least 5 expected."""

    def check(values: Sequence[float], exact: float) -> Finding:
        array = np.rint(np.asarray(values, dtype=float)).astype(int)
        numbers = np.arange(int(array.max()) + 1)
        expected = pmf(numbers.astype(float)) * len(array)
        observed = np.bincount(array, minlength=len(numbers)).astype(float)
        cells, wanted, seen = [], 0.0, 0.0
        for mine, theirs in zip(expected.tolist(), observed.tolist(), strict=True):
            wanted, seen = wanted + mine, seen + theirs
            if wanted >= _FEWEST_EXPECTED:
                cells.append((wanted, seen))
                wanted = seen = 0.0
        rest = len(array) - sum(cell[0] for cell in cells)
        cells.append((rest, len(array) - sum(cell[1] for cell in cells)))
        if rest < _FEWEST_EXPECTED:
            last = cells.pop()
            cells[-1] = (cells[-1][0] + last[0], cells[-1][1] + last[1])
        chi = sum((theirs - mine) ** 2 / mine for mine, theirs in cells)
        p = float(stats.chi2.sf(chi, len(cells) - 1))
        text = f"chi² = {chi:.1f} in {len(cells)} cells, p = {p:.2f}"
        return Finding(math.nan, math.nan, math.nan, _as_distance(p), text)

    return check
