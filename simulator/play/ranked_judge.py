"""The canary judge of Spinnaker: metrics compared by ranks, scored, and summed up to a verdict.

Source: spinnaker/spinnaker at f8b98eb, kayenta/kayenta-judge (NetflixACAJudge-v1.0) and
kayenta-mannwhitney, with its documentation "How canary judgment works".
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.judges import Verdict

Array = NDArray[np.float64]
Label = Literal["pass", "high", "low", "nodata", "nodata fail", "error"]
Method = Literal["auto", "exact", "asymptotic", "search"]

_NORMAL = NormalDist()
_EXACT_BELOW = 50  # values a side
_ACCURACY = 1e-4  # of the root search, in units of the metric
_EPSILON = 2.0**-52
_WHOLE = 100.0
_FEW = 50.0  # % of the metrics: so many without data fail the canary
_MOST_SEARCHES = 1000


class Ranks(NamedTuple):
    """Mann-Whitney U of new (pairs in which new is larger, ties half) and its two-sided p value."""

    u: float
    p_value: float


class Shift(NamedTuple):
    """How far new lies above old, in units of the metric: Hodges-Lehmann, with its interval."""

    estimate: float
    low: float
    high: float


def rank_test(new: Array, old: Array, method: Method = "auto") -> Ranks:
    """Two-sided Mann-Whitney U test of samples (n,) and (m,), finite and not empty.

    "exact" by the distribution of U without ties, "asymptotic" (and "search") by the normal
    approximation with ties and continuity corrected, "auto" exact below 50 values a side without
    ties (Mann, Whitney 1947; R's wilcox.test). With all values equal the p value is 1.
    """
    n, m = len(new), len(old)
    u = _pairs_above(new, old)
    if _is_exact(new, old, method):
        shares = _distribution(n, m)
        tail = float(shares[: math.floor(min(u, n * m - u)) + 1].sum())
        return Ranks(u, min(2 * tail, 1.0))
    spread = _spread(n, m, _ties(np.concatenate([new, old])))
    beyond = max(abs(u - n * m / 2) - 0.5, 0.0)
    return Ranks(u, math.erfc(beyond / spread / math.sqrt(2)) if spread else 1.0)


def shift(new: Array, old: Array, confidence: float = 0.98, method: Method = "auto") -> Shift:
    """The median of all differences new - old, and where the rank test turns.

    The interval holds the shifts that the two-sided test at 1 - `confidence` does not reject
    (Hodges, Lehmann 1963; Bauer 1972). Its bounds are differences: by the rank of the exact
    distribution, or of the normal approximation with continuity and the ties within each sample
    corrected, both as R's wilcox.test has them; `method` as in `rank_test`. "search" is what the
    canary judge runs: the approximation, solved by Brent's method to 1e-4 of the metric's unit,
    which shows in metrics as small as that and where most values are equal: bounds that are 0 come
    out a little above or below. With few values no interval reaches the confidence; then it is the
    whole range of the differences. Samples (n,) and (m,) must be finite and not empty.
    """
    n, m = len(new), len(old)
    flat = np.subtract.outer(new, old).ravel()
    flat.sort()
    if flat[0] == flat[-1]:
        return Shift(*[float(flat[0])] * 3)
    if method == "search":
        return _searched(new, old, flat, confidence)
    if _is_exact(new, old, method):
        rank = _exact_rank(n, m, confidence)
    else:
        z = _quantile(0.5 + confidence / 2)
        spread = _spread(n, m, _ties(new) + _ties(old))
        rank = math.ceil(n * m / 2 - 0.5 - z * spread)
    rank = min(max(rank, 1), (n * m + 1) // 2)
    middle = (float(flat[(n * m - 1) // 2]) + float(flat[n * m // 2])) / 2
    return Shift(middle, float(flat[rank - 1]), float(flat[-rank]))


@dataclass(frozen=True, slots=True)
class Rule:
    """How one metric is judged; the defaults are the canary judge's.

    Effect sizes are ratios of the means new / old ("ratio") or shares of pairs in which new is
    larger ("cles"); where none are given they are 1 and 0.5. `outlier_factor` is in interquartile
    ranges and only used if outliers are removed.
    """

    direction: Literal["increase", "decrease", "either"] = "either"
    measure: Literal["ratio", "cles"] = "ratio"
    allowed_increase: float | None = None
    allowed_decrease: float | None = None
    critical_increase: float | None = None
    critical_decrease: float | None = None
    nan: Literal["remove", "replace"] = "remove"
    outliers: Literal["keep", "remove"] = "keep"
    outlier_factor: float = 3.0
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    groups: tuple[str, ...] = ("all",)

    def limit(self, given: float | None) -> float:
        """An effect size, or its default."""
        return (0.5 if self.measure == "cles" else 1.0) if given is None else given


class Classified(NamedTuple):
    """What one metric says, and why.

    `critical` tells that it fails the canary alone; `effect` is the effect size (NaN if it cannot
    be computed: a mean of 0), `shift` is None where no test was made.
    """

    label: Label
    critical: bool = False
    effect: float = 1.0
    shift: Shift | None = None


def classify(
    new: Array,
    old: Array,
    rule: Rule | None = None,
    confidence: float = 0.98,
    tolerance: float = 0.25,
    method: Method = "search",
) -> Classified:
    """One metric's values of the periods, new (n,) against old (m,); NaN is a period without data.

    High if the interval of the shift lies above `tolerance` x |estimate|, and the effect size is
    at least the allowed increase; low likewise below (an effect size that cannot be computed is
    not asked for). Missing data, equal samples and constant ones as the canary judge has them; two
    different constants, to which it adds a little noise, are their difference apart. "error", as
    there, where no interval can be computed: infinite values, or one a side.
    """
    rule = rule or Rule()
    new, old = _cleaned(new, rule), _cleaned(old, rule)
    if not len(new) or not len(old):
        return _missing(rule)
    if not (np.isfinite(new).all() and np.isfinite(old).all()):
        return Classified("error", effect=math.nan)
    new, old = np.sort(new), np.sort(old)
    if np.array_equal(new, old) or (new[0] == new[-1] == old[0] == old[-1]):
        return Classified("pass")
    if len(new) == len(old) == 1:
        return Classified("error", effect=math.nan)
    found = shift(new, old, confidence, method)
    effect = effect_size(new, old, rule.measure)
    margin = tolerance * abs(found.estimate)
    if (
        rule.direction != "decrease"
        and found.low > margin
        and not effect < rule.limit(rule.allowed_increase)
    ):
        critical = rule.critical and not effect < rule.limit(rule.critical_increase)
        return Classified("high", critical, effect, found)
    if (
        rule.direction != "increase"
        and found.high < -margin
        and not effect > rule.limit(rule.allowed_decrease)
    ):
        critical = rule.critical and not effect > rule.limit(rule.critical_decrease)
        return Classified("low", critical, effect, found)
    return Classified("pass", False, effect, found)


def effect_size(new: Array, old: Array, measure: Literal["ratio", "cles"] = "ratio") -> float:
    """Ratio of the means (NaN if one is 0), or the share of pairs in which new is larger.

    Pairs that tie count half (Vargha, Delaney 2000).
    """
    if measure == "cles":
        return _pairs_above(new, old) / (len(new) * len(old))
    above, below = float(new.mean()), float(old.mean())
    return above / below if above and below else math.nan


class Score(NamedTuple):
    """The verdict over all metrics: a marginal canary has none.

    `points` is the summary score, 0 to 100, `groups` each group's, None without data.
    """

    verdict: Verdict
    points: float
    groups: dict[str, float | None]


def score(
    found: Sequence[Classified],
    rules: Sequence[Rule] | None = None,
    weights: Mapping[str, float] | None = None,
    passing: float = 95.0,
    marginal: float = 75.0,
) -> Score:
    """Sum up the metrics by their groups.

    A group's score is the percentage of its metrics that pass, of those that have data or must
    have it; one without any counts as 100. `weights` of groups are percentages; groups that have
    none share what is left to 100 equally. The score is 0 when a critical metric fails, or at
    least half of the metrics have no data. Muted metrics are left out. Pass at `passing` points
    and above, no verdict at `marginal` and above, else fail; no verdict without any metric.
    ValueError if there are not as many rules as metrics.
    """
    rules = [Rule()] * len(found) if rules is None else rules
    heard = [(f, r) for f, r in zip(found, rules, strict=True) if not r.muted]
    if not heard:
        return Score("none", 0.0, {})
    names = sorted({name for _, rule in heard for name in rule.groups})
    groups = {name: _group([f for f, r in heard if name in r.groups]) for name in names}
    missing = sum(metric.label == "nodata" for metric, _ in heard)
    if any(metric.critical for metric, _ in heard) or missing / len(heard) * _WHOLE >= _FEW:
        return Score(_rated(0.0, passing, marginal), 0.0, groups)
    given = weights or {}
    rest = [name for name in names if name not in given]
    equal = (_WHOLE - sum(given.values())) / len(rest) if rest else 0.0
    points = sum(
        (_WHOLE if value is None else value) * given.get(name, equal) / _WHOLE
        for name, value in groups.items()
    )
    points = math.floor(points * 100 + 0.5) / 100
    return Score(_rated(points, passing, marginal), points, groups)


class Ranked(NamedTuple):
    """The verdict on one metric alone, with its test: p value, effect size, shift and interval."""

    verdict: Verdict
    label: Label
    p_value: float
    effect: float
    estimate: float
    low: float
    high: float


def mann_whitney(
    new: Array,
    old: Array,
    confidence: float = 0.98,
    tolerance: float = 0.25,
    rule: Rule | None = None,
    method: Method = "search",
) -> Ranked:
    """The canary judge's decision on the period values of one metric, (n,) against (m,).

    Fails when the metric is high or low (or must have data and has none); no verdict without data
    or where no test can be made. The p value (NaN if there is no test) is evidence only: the
    decision is made by the interval. See `classify`.
    """
    rule = rule or Rule()
    found = classify(new, old, rule, confidence, tolerance, method)
    verdict: Verdict = "fail" if found.label in ("high", "low", "nodata fail") else "none"
    if found.label == "pass":
        verdict = "pass"
    if found.shift is None:
        return Ranked(verdict, found.label, math.nan, found.effect, math.nan, math.nan, math.nan)
    p_value = rank_test(_cleaned(new, rule), _cleaned(old, rule), method).p_value
    return Ranked(verdict, found.label, p_value, found.effect, *found.shift)


def _cleaned(values: Array, rule: Rule) -> Array:
    """Without NaN and, if wanted, outliers beyond both Tukey's fences and 1 % at each end."""
    values = np.asarray(values, float)
    missing = np.isnan(values)
    if missing.any():
        values = np.where(missing, 0.0, values) if rule.nan == "replace" else values[~missing]
    if rule.outliers == "remove" and len(values):
        first, low, high, last = np.quantile(values, [0.01, 0.25, 0.75, 0.99])
        reach = rule.outlier_factor * (high - low)
        values = values[(values >= min(first, low - reach)) & (values <= max(last, high + reach))]
    return values


def _missing(rule: Rule) -> Classified:
    """A metric without data on a side."""
    if rule.nan == "replace":
        return Classified("pass")
    if rule.must_have_data and not rule.critical:
        return Classified("nodata fail")
    return Classified("nodata", rule.critical)


def _group(found: Sequence[Classified]) -> float | None:
    """The percentage that passes of those that count, None if none does."""
    counted = [metric.label for metric in found if metric.label not in ("nodata", "error")]
    return counted.count("pass") / len(counted) * _WHOLE if counted else None


def _rated(points: float, passing: float, marginal: float) -> Verdict:
    if points >= passing:
        return "pass"
    return "none" if points >= marginal else "fail"


def _is_exact(new: Array, old: Array, method: Method) -> bool:
    if method != "auto":
        return method == "exact"
    few = len(new) < _EXACT_BELOW and len(old) < _EXACT_BELOW
    return few and not _ties(np.concatenate([new, old]))


def _pairs_above(new: Array, old: Array) -> float:
    """Pairs in which new is larger, and half of those that tie."""
    ordered = np.sort(old)
    sides = [int(np.searchsorted(ordered, new, side).sum()) for side in ("left", "right")]
    return sum(sides) / 2


def _ties(values: Array) -> float:
    """The sum of t^3 - t over the groups of t equal values."""
    ordered = np.sort(values)
    steps = np.flatnonzero(ordered[1:] != ordered[:-1])
    if len(steps) == len(ordered) - 1:
        return 0.0
    edges = [-1, *steps.tolist(), len(ordered) - 1]
    return float(sum((t := b - a) ** 3 - t for a, b in pairwise(edges)))


def _spread(n: int, m: int, ties: float) -> float:
    """Standard deviation of U under equality."""
    every = n + m
    return math.sqrt(max(n * m / 12 * (every + 1 - ties / (every * (every - 1))), 0.0))


@lru_cache(maxsize=256)
def _distribution(n: int, m: int) -> Array:
    """P(U = u) under equality for u = 0 ... n x m (Mann, Whitney 1947, their recurrence)."""
    ways = [np.zeros(n * m + 1) for _ in range(m + 1)]  # arrangements of i values against j
    for some in ways:
        some[0] = 1.0
    for _ in range(n):
        for j in range(1, m + 1):
            ways[j] = np.concatenate([np.zeros(j), ways[j][:-j]]) + ways[j - 1]
    return ways[m] / math.comb(n + m, n)


@lru_cache(maxsize=1024)
def _exact_rank(n: int, m: int, confidence: float) -> int:
    """The smallest u with P(U <= u) >= (1 - confidence) / 2 under equality."""
    return int(np.searchsorted(np.cumsum(_distribution(n, m)), (1 - confidence) / 2))


@lru_cache(maxsize=64)
def _quantile(share: float) -> float:
    return _NORMAL.inv_cdf(share)


def _searched(new: Array, old: Array, flat: Array, confidence: float) -> Shift:
    """The shifts at which the standardised U is 0 and beyond both quantiles, by root search."""
    n, m = len(new), len(old)
    pairs, half = n * m, n * m / 2
    ordered: list[float] = flat.tolist()
    spread = _spread(n, m, _ties(new) + _ties(old))

    def standardised(by: float, quantile: float = 0.0) -> float:
        """The standardised U with new moved down by this much, above a quantile."""
        below = bisect_right(ordered, by)
        if below and ordered[below - 1] == by:
            moved = new - by
            centred = _pairs_above(moved, old) - half
            width = _spread(n, m, _ties(np.concatenate([moved, old])))
        else:
            centred, width = pairs - below - half, spread
        if centred:
            centred -= 0.5 if centred > 0 else -0.5
        return centred / width - quantile

    ends = ordered[0], ordered[-1]
    first, last = standardised(ends[0]), standardised(ends[1])
    z = _quantile(0.5 + confidence / 2)
    middle, low, high = (
        _root(partial(standardised, quantile=at), *ends, first - at, last - at)
        for at in (0.0, z, -z)
    )
    return Shift(middle, low, high)


def _root(value: Callable[[float], float], a: float, b: float, at_a: float, at_b: float) -> float:
    """Where a falling function is 0: Brent's method, or the end that is nearer.

    Source: Algorithms for Minimization without Derivatives, 1973, section 4.2.
    """
    if at_a <= 0 or at_b >= 0:
        return a if at_a <= 0 else b
    c, at_c = a, at_a
    for _ in range(_MOST_SEARCHES):
        previous = b - a
        if abs(at_c) < abs(at_b):
            a, b, c = b, c, b
            at_a, at_b, at_c = at_b, at_c, at_b
        accuracy = 2 * _EPSILON * abs(b) + _ACCURACY / 2
        step = (c - b) / 2
        if abs(step) <= accuracy or at_b == 0:
            break
        if abs(previous) >= accuracy and abs(at_a) > abs(at_b):
            p, q = _interpolated(a, b, c, at_a, at_b, at_c)
            if p < min(0.75 * (c - b) * q - abs(accuracy * q) / 2, abs(previous * q / 2)):
                step = p / q
        if abs(step) < accuracy:
            step = accuracy if step > 0 else -accuracy
        a, at_a = b, at_b
        b += step
        at_b = value(b)
        if at_b * at_c > 0:
            c, at_c = a, at_a
    return b


def _interpolated(
    a: float, b: float, c: float, at_a: float, at_b: float, at_c: float
) -> tuple[float, float]:
    """Numerator, not negative, and denominator of the step from b: linear or inverse quadratic."""
    ratio = at_b / at_a
    if a == c:
        p, q = (c - b) * ratio, 1 - ratio
    else:
        first, second = at_a / at_c, at_b / at_c
        p = ratio * ((c - b) * first * (first - second) - (b - a) * (second - 1))
        q = (first - 1) * (second - 1) * (ratio - 1)
    return (p, -q) if p > 0 else (-p, q)
