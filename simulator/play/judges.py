"""What judges conclude from counts of bad requests: pure statistics, each with its source."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Verdict = Literal["pass", "fail", "none"]
Alternative = Literal["greater", "two-sided"]

_NORMAL = NormalDist()
_FEWEST_EXPECTED = 5.0  # bad or good requests on a side, below it the normal approximation is poor
_NEGLIGIBLE = 1e-17  # relative to the sum so far
_NODES = np.geomspace(0.02, 1000.0, 40)  # of the rate ratio minus one: 32 % apart


def threshold(bad: int, requests: int, above: float, minimum: int = 0) -> Verdict:
    """Fail when the bad share of the requests is above a fixed one.

    `bad` of `requests` are counts; `above` is a share, 0 to 1; with fewer requests than `minimum`
    (or none at all) there is no verdict. A share exactly at `above` passes: the two are compared
    as quotients, so that 29 bad ones of 100 are not above 29 %.
    ValueError if more are bad than there are requests.
    """
    _check_counts(bad, requests)
    if requests < max(minimum, 1):
        return "none"
    return "fail" if bad / requests > above else "pass"


class Compared(NamedTuple):
    """The verdict on two proportions, and the evidence for it.

    `p_value` is one-sided; `effect` is new's bad share minus old's; `low` and `high` bound it
    with confidence 1 - 2 x significance. All are NaN without requests on a side.
    """

    verdict: Verdict
    p_value: float
    effect: float
    low: float
    high: float


def two_proportion(
    bad_new: int,
    requests_new: int,
    bad_old: int,
    requests_old: int,
    significance: float = 0.05,
    minimum: int = 0,
) -> Compared:
    """Fail when new's bad share is significantly above old's.

    Pooled one-sided z test without continuity correction; Fisher's exact test where fewer than
    five bad (or good) requests are expected on a side (Fleiss, Levin, Paik, Statistical Methods
    for Rates and Proportions, 3rd ed. 2003, sections 3.1 and 3.2). The interval is Newcombe's
    hybrid score interval (Statistics in Medicine 17, 1998, method 10). With fewer requests than
    `minimum` (or none) on either side there is no verdict.
    ValueError if more are bad than there are requests, or `significance` is not within (0, 1).
    """
    _check_counts(bad_new, requests_new)
    _check_counts(bad_old, requests_old)
    _check_share("significance", significance)
    if not requests_new or not requests_old:
        return Compared("none", math.nan, math.nan, math.nan, math.nan)
    p_value = two_proportion_p(bad_new, requests_new, bad_old, requests_old)
    new, old = bad_new / requests_new, bad_old / requests_old
    z = _quantile(1 - significance)
    new_low, new_high = _wilson(new, requests_new, z)
    old_low, old_high = _wilson(old, requests_old, z)
    effect = new - old
    low = effect - math.hypot(new - new_low, old_high - old)
    high = effect + math.hypot(new_high - new, old - old_low)
    verdict: Verdict = "fail" if p_value < significance else "pass"
    if min(requests_new, requests_old) < minimum:
        verdict = "none"
    return Compared(verdict, p_value, effect, low, high)


def two_proportion_p(bad_new: int, requests_new: int, bad_old: int, requests_old: int) -> float:
    """One-sided p value against new's bad share not being above old's; source as above."""
    bad, every = bad_new + bad_old, requests_new + requests_old
    pooled = bad / every
    if min(pooled, 1 - pooled) * min(requests_new, requests_old) < _FEWEST_EXPECTED:
        return fisher(bad_new, requests_new, bad_old, requests_old)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / requests_new + 1 / requests_old))
    z = (bad_new / requests_new - bad_old / requests_old) / spread
    return 0.5 * math.erfc(z / math.sqrt(2))


def fisher(bad_new: int, requests_new: int, bad_old: int, requests_old: int) -> float:
    """P(at least `bad_new` of all bad requests are new's) if it were chance: Fisher's exact test.

    Sums the hypergeometric distribution term by term, upwards from `bad_new` where that is the
    tail, else downwards (Fisher 1935). Relative error below 1e-8 up to a million requests.
    """
    bad, every = bad_new + bad_old, requests_new + requests_old
    least, most = max(0, bad - requests_old), min(bad, requests_new)
    upwards = bad_new * every >= bad * requests_new
    at = bad_new if upwards else bad_new - 1
    if at < least:
        return 1.0
    term = math.exp(
        _log_choose(requests_new, at)
        + _log_choose(requests_old, bad - at)
        - _log_choose(every, bad)
    )
    total = term
    while term > _NEGLIGIBLE * total:
        if upwards:
            if at == most:
                break
            term *= (bad - at) * (requests_new - at)
            term /= (at + 1) * (requests_old - bad + at + 1)
            at += 1
        else:
            if at == least:
                break
            term *= at * (requests_old - bad + at)
            term /= (bad - at + 1) * (requests_new - at + 1)
            at -= 1
        total += term
    return min(total, 1.0) if upwards else max(1.0 - total, 0.0)


class Sequential(NamedTuple):
    """What an always-valid test says after each look.

    `log_evidence` is the natural logarithm of the e-value (Bayes factor against equality) after
    each look, `crossed` the index of the first look with log_evidence >= log(1 / significance)
    or None, `p_value` the always-valid one: 1 / the largest e-value so far, at most 1.
    """

    verdict: Verdict
    log_evidence: Array
    crossed: int | None
    p_value: float


def sequential(
    bad_new: ArrayLike,
    bad_old: ArrayLike,
    share: ArrayLike,
    significance: float = 0.05,
    *,
    alternative: Alternative = "greater",
    prior: tuple[float, float] = (1.0, 1.0),
) -> Sequential:
    """Fail as soon as too many of the bad requests are new's, however often one looks.

    `bad_new` and `bad_old` are the bad requests so far at each look (n,). `share` is the part of
    all requests that new gets: a number if it is fixed, or one for each look (n,), of the period
    that ends with it, which must not depend on the bad ones. Under equal bad shares each bad
    request is new's with that probability, whatever the traffic and the bad share do over time.
    A mixture of likelihood ratios over the part of bad ones that are new's, Beta(`prior`) and with
    "greater" cut off below equality ("two-sided" also fails a better release), expects at most 1
    at any stopping time, so that P(it ever reaches 1 / significance) <= significance (Ville 1939).
    Where a period's requests are fixed instead of split by chance, new's bad ones are
    hypergeometric and the test conservative (Hoeffding 1963, theorem 4).

    With a fixed share it is the closed form of Lindon and Malek (Anytime-valid inference for
    multinomial count data, NeurIPS 2022, arXiv 2011.03567); with the share of a known baseline,
    `bad_old` being the good requests, it is the mixture sequential probability ratio test of
    Bernoulli trials (Robbins 1970; Johari, Pekelis, Walsh 2015). With a share for each look the
    same prior is put on a grid of rate ratios, evenly spaced in relative excess (within 1 % of the
    closed form's evidence). Periods in which one side gets everything say nothing. No verdict if
    all are such, or without looks.
    ValueError for counts that fall, shares outside [0, 1], or a significance outside (0, 1).
    """
    _check_share("significance", significance)
    new, old = _cumulative(bad_new), _cumulative(bad_old)
    shares = np.asarray(share, float)
    if len(new) != len(old) or shares.ndim > 1 or (shares.ndim and len(shares) != len(new)):
        raise ValueError("bad_new, bad_old and share must have one entry for each look")
    if not (np.all(shares >= 0) and np.all(shares <= 1)):
        raise ValueError("share must be within [0, 1]")
    if min(prior) <= 0:
        raise ValueError("prior must be positive")
    telling = (shares > 0) & (shares < 1)
    if not len(new) or not telling.any():
        return Sequential("none", np.zeros(len(new)), None, 1.0)
    if not shares.ndim:
        log = _beta_evidence(new, old, float(shares), alternative, prior)
    else:
        log = _grid_evidence(new, old, shares, telling, alternative, prior)
    return _crossed(log, significance)


def sequential_rate(
    bad: ArrayLike,
    expected: ArrayLike,
    significance: float = 0.05,
    *,
    alternative: Alternative = "greater",
    prior: tuple[float, float] = (1.0, 1.0),
) -> Sequential:
    """Fail as soon as there are too many bad requests for a known rate, however often one looks.

    `bad` are the bad requests so far at each look (n,), `expected` how many a known baseline rate
    would have given (n,). The mixture of Poisson likelihood ratios over Gamma(shape, rate) =
    `prior` of the rate ratio, with "greater" cut off below 1 (mSPRT: Robbins 1970; Johari,
    Pekelis, Walsh 2015). Binomial counts keep the level too; counts whose own rate wanders do not.
    ValueError for counts or expectations that fall, or a significance outside (0, 1).
    """
    from scipy.special import gammaincc, gammaln

    _check_share("significance", significance)
    counts, mean = _cumulative(bad), _cumulative(expected)
    if len(counts) != len(mean):
        raise ValueError("bad and expected must have one entry for each look")
    if min(prior) <= 0:
        raise ValueError("prior must be positive")
    if not len(counts) or not mean[-1]:
        return Sequential("none", np.zeros(len(counts)), None, 1.0)
    shape, rate = prior
    log: Array = (
        shape * math.log(rate)
        - gammaln(shape)
        + gammaln(shape + counts)
        - (shape + counts) * np.log(rate + mean)
        + mean
    )
    if alternative == "greater":
        log += _log(gammaincc(shape + counts, rate + mean)) - _log(gammaincc(shape, rate))
    return _crossed(log, significance)


def power_two_proportion(
    bad_new: float, bad_old: float, requests_new: float, requests_old: float, significance: float
) -> float:
    """Chance that the pooled one-sided z test fails a release with bad share `bad_new`.

    Against `bad_old`, by the normal approximation with unequal samples (Fleiss, Levin, Paik 2003,
    section 4.3, without continuity correction); too high where Fisher's test takes over.
    ValueError for shares outside [0, 1], no requests, or a significance outside (0, 1).
    """
    _check_share("significance", significance)
    if not (0 <= bad_new <= 1 and 0 <= bad_old <= 1 and min(requests_new, requests_old) > 0):
        raise ValueError("needs bad shares within [0, 1] and requests on both sides")
    every = requests_new + requests_old
    pooled = (bad_new * requests_new + bad_old * requests_old) / every
    usual = math.sqrt(pooled * (1 - pooled) * (1 / requests_new + 1 / requests_old))
    spread = math.sqrt(
        bad_new * (1 - bad_new) / requests_new + bad_old * (1 - bad_old) / requests_old
    )
    beyond = _quantile(1 - significance) * usual - (bad_new - bad_old)
    if not spread:
        return float(beyond < 0)
    return 0.5 * math.erfc(beyond / spread / math.sqrt(2))


def power_count(threshold_count: int, expected: float, requests: int | None = None) -> float:
    """Chance of at least `threshold_count` bad requests where `expected` are expected.

    Poisson, or binomial among a fixed number of `requests` (by the incomplete gamma and beta
    functions: Abramowitz, Stegun 1964, 26.4.21 and 26.5.24).
    ValueError for a negative expectation, or one above `requests`.
    """
    from scipy.special import betainc, gammainc

    if not 0 <= expected <= (math.inf if requests is None else requests):
        raise ValueError("expected must be within 0 and the number of requests")
    if threshold_count <= 0:
        return 1.0
    if requests is None:
        return float(gammainc(threshold_count, expected))
    if threshold_count > requests:
        return 0.0
    share = expected / requests
    return float(betainc(threshold_count, requests - threshold_count + 1, share))


def _beta_evidence(
    new: Array, old: Array, share: float, alternative: Alternative, prior: tuple[float, float]
) -> Array:
    """The mixture at a fixed share, in closed form."""
    from scipy.special import betainc, betaln

    first, second = prior[0] + new, prior[1] + old
    log: Array = (
        betaln(first, second) - betaln(*prior) - new * math.log(share) - old * math.log1p(-share)
    )
    if alternative == "greater":
        log += _log(betainc(second, first, 1 - share)) - _log(
            betainc(prior[1], prior[0], 1 - share)
        )
    return log


def _grid_evidence(
    new: Array,
    old: Array,
    shares: Array,
    telling: NDArray[np.bool_],
    alternative: Alternative,
    prior: tuple[float, float],
) -> Array:
    """The mixture with a share for each look: over rate ratios, by the prior at the first share."""
    if not telling.all():
        new = np.cumsum(np.where(telling, np.diff(new, prepend=0.0), 0.0))
        old = np.cumsum(np.where(telling, np.diff(old, prepend=0.0), 0.0))
    excess, weights = _grid(float(shares[telling.argmax()]), alternative, *prior)
    every = np.diff(new + old, prepend=0.0)
    steps = np.log1p(np.multiply.outer(shares, excess))
    steps *= every[:, None]
    log = np.multiply.outer(new, np.log1p(excess)) - np.cumsum(steps, axis=0) + weights
    top = log.max(axis=1)
    log -= top[:, None]
    mixed: Array = top + np.log(np.exp(log).sum(axis=1))
    return mixed


@lru_cache(maxsize=256)
def _grid(share: float, alternative: Alternative, a: float, b: float) -> tuple[Array, Array]:
    """Rate ratios minus one, and the logarithms of their weights, which sum up to one."""
    from scipy.special import betainc

    ratios = 1 + _NODES
    if alternative == "two-sided":
        ratios = np.concatenate([1 / ratios[::-1], ratios])
    edges = np.sqrt(ratios[1:] * ratios[:-1])
    upper = np.append(edges, np.inf)
    lower = np.concatenate([[1.0 if alternative == "greater" else 0.0], edges])
    with np.errstate(invalid="ignore"):
        places = [
            np.where(np.isinf(r), 1.0, share * r / (share * r + 1 - share)) for r in (lower, upper)
        ]
    mass: Array = np.diff(np.asarray(betainc(a, b, places), float), axis=0)[0]
    return ratios - 1, _log(mass / mass.sum())


def _crossed(log: Array, significance: float) -> Sequential:
    """The first look at which the evidence suffices."""
    over = log >= -math.log(significance)
    crossed = int(over.argmax()) if over.any() else None
    p_value = math.exp(-max(float(log.max()), 0.0))
    return Sequential("pass" if crossed is None else "fail", log, crossed, p_value)


def _cumulative(counts: ArrayLike) -> Array:
    """As floats, refused if they fall or are not finite."""
    found = np.asarray(counts, float)
    if found.ndim != 1 or (len(found) and not (found[0] >= 0 and np.isfinite(found[-1]))):
        raise ValueError("counts so far must be one row of finite numbers from 0")
    if not np.all(found[1:] >= found[:-1]):
        raise ValueError("counts so far must not fall")
    return found


def _log(values: ArrayLike) -> Array:
    """Natural logarithm with -inf at 0."""
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.asarray(values, float))
    return logs


def _check_counts(bad: int, requests: int) -> None:
    if not 0 <= bad <= requests < math.inf:
        raise ValueError(f"{bad} bad ones of {requests} requests cannot be")


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must be above 0 and below 1, not {value}")


def _log_choose(every: int, some: int) -> float:
    return math.lgamma(every + 1) - math.lgamma(some + 1) - math.lgamma(every - some + 1)


@lru_cache(maxsize=64)
def _quantile(share: float) -> float:
    return _NORMAL.inv_cdf(share)


def _wilson(share: float, requests: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (1927)."""
    square = z * z / requests
    middle = share + square / 2
    half = z * math.sqrt((share * (1 - share) + square / 4) / requests)
    return (middle - half) / (1 + square), (middle + half) / (1 + square)
