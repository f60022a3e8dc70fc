"""Closed forms: each derived in its docstring, independent of the simulator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats


def atomic_switch(rate: float, share: float, detect: float, decide: float) -> float:
    """Failed requests of a switch: all traffic (rate, 1/s) fails with `share` for D + R seconds."""
    return rate * share * (detect + decide)


def batches(rate: float, share: float, every: float, part: float, seen: float) -> float:
    """Failed requests when a further `part` of the traffic moves each `every` seconds, seen at
    `seen` seconds after the start: sum over completed batches of the time since, times the part.
    """
    total = 0.0
    number = 1
    while number * every < seen:
        total += seen - number * every
        number += 1
    return rate * share * part * total


def steps_like_a_ramp(rate: float, share: float, steps: int, every: float, seen: float) -> float:
    """Failed requests of equal steps at 0, every, 2 every ... until `seen` seconds."""
    return batches(rate, share, every, 1 / steps, seen) + rate * share / steps * seen


def ramp(rate: float, share: float, length: float, seen: float) -> float:
    """Failed requests of a linear ramp over `length` seconds: r p D^2 / (2 T)."""
    return rate * share * seen**2 / (2 * length)


def slowest_exponential(mean: float, count: int) -> float:
    """Expected slowest of n exponential starts: m H_n."""
    return mean * math.fsum(1 / k for k in range(1, count + 1))


def sliding_window(mean: float, count: int, slots: int) -> float:
    """Expected time of n exponential starts through k slots: while more than k are left they end
    at rate k / m, then the last k are a maximum: m (n - k) / k + m H_k.
    """
    return mean * (count - slots) / slots + slowest_exponential(mean, slots)


def in_batches(mean: float, count: int, size: int) -> float:
    """Expected time when each batch of k is waited for: (n / k) m H_k."""
    return count / size * slowest_exponential(mean, size)


def rejected_in_place(load: float, out: float) -> float:
    """Share rejected while a share `out` of the fleet is away: max(0, 1 - (1 - out) / load)."""
    return max(0.0, 1 - (1 - out) / load)


def users_harmed(requests: float, weight: float, share: float, sticky: bool) -> float:
    """Users with at least one failure, each sending Poisson(requests): sticky users are either all
    on new (a share `weight`) or not at all; otherwise every request meets the mix.
    """
    if sticky:
        return weight * (1 - math.exp(-requests * share))
    return 1 - math.exp(-requests * weight * share)


def mixing_of_steps(steps: int, every: float) -> float:
    """Integral of 2 w (1 - w) over equal steps, weight k / n for `every` seconds each."""
    return math.fsum(2 * k / steps * (1 - k / steps) * every for k in range(1, steps))


def second_fleet(instances: int, price: float, overlap: float) -> float:
    """Extra cost of a second fleet: instances x price per hour x overlap (s) / 3600."""
    return instances * price * overlap / 3600


def left_by_kth_failure(k: int, rate: float, lag: float, length: float | None = None) -> float:
    """Failures when the k-th is seen and `lag` seconds later all is back: k + rate x lag for a
    switch (rate: failures/s at full exposure); for a ramp over `length` the k-th falls at
    sqrt(2 length k / rate) and the total is rate t^2 / (2 length) at that time plus the lag.
    """
    if length is None:
        return k + rate * lag
    return rate * (math.sqrt(2 * length * k / rate) + lag) ** 2 / (2 * length)


def staircase_reaches(k: int, rate: float, share: float, steps: int, every: float) -> float:
    """When equal steps at 0, every, 2 every ... have caused k failures: bisection on their sum."""
    low, high = 0.0, steps * every
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        enough = steps_like_a_ramp(rate, share, steps, every, middle) >= k
        low, high = (low, middle) if enough else (middle, high)
    return high


def weighted_steps(
    rate: float, share: float, steps: Sequence[tuple[float, float]], seen: float
) -> float:
    """Failed requests of a staircase: weights w_i for d_i seconds each until `seen` seconds after
    the first one, the last weight for as long as it takes: r p sum of w_i d_i.
    """
    total, left = 0.0, seen
    for weight, length in steps:
        total += weight * min(length, left)
        left -= min(length, left)
    return rate * share * (total + steps[-1][0] * left)


def doubling(rate: float, share: float, first: float, every: float, seen: float) -> float:
    """Failed requests when the weight begins at `first` and doubles each `every` seconds, seen
    after k whole intervals and x seconds, before it reaches 1: the geometric series
    r p first ((2^k - 1) every + 2^k x).
    """
    k, rest = divmod(seen, every)
    return rate * share * first * ((2**k - 1) * every + 2**k * rest)


def down_and_back(rate: float, share: float, outage: float, detect: float, decide: float) -> float:
    """Failed requests of a bad release in place: the outage, the exposure, and the outage again to
    go back: r (2 T + p (D + R)).
    """
    return 2 * rate * outage + atomic_switch(rate, share, detect, decide)


def rejected_when_slow(load: float, factor: float) -> float:
    """Share rejected by a fleet whose requests take `factor` times as long: its capacity is 1 /
    (load factor) of what is offered, so max(0, 1 - 1 / (load factor)).
    """
    return max(0.0, 1 - 1 / (load * factor))


def rejected_when_cold(load: float, warm: float) -> float:
    """Share rejected while every instance serves the part `warm` of its capacity: max(0, 1 - warm
    / load).
    """
    return max(0.0, 1 - warm / load)


def mixed_versions(rate: float, share: float, weight: float, length: float) -> float:
    """Requests that meet the other version's data: r p 2 w (1 - w) T, as two requests drawn at
    random are answered by different versions with probability 2 w (1 - w).
    """
    return rate * share * 2 * weight * (1 - weight) * length


def harmonic(count: int) -> float:
    """1 + 1/2 + ... + 1/n."""
    return math.fsum(1 / k for k in range(1, count + 1))


def failures_by_kth_user(users: int, needed: int, rate: float, lag: float) -> float:
    """Failures when `needed` of U users have met one and `lag` seconds later it ends; `rate` fails
    a second. Users meet their first failure after exponential times of mean U / rate, the k-th of U
    such times has mean (U / rate) (H_U - H_(U-k)) (David and Nagaraja, Order Statistics, 2003,
    section 2.7), and failures arrive at the constant rate: U (H_U - H_(U-k)) + rate lag. For k much
    smaller than U this is k + rate lag.
    """
    return users * (harmonic(users) - harmonic(users - needed)) + rate * lag


def variance_of_slowest(mean: float, count: int) -> float:
    """Variance of the slowest of n exponential starts: the gaps between their ends are independent
    with means m / k, so m^2 (1 + 1/4 + ... + 1/n^2).
    """
    return mean**2 * math.fsum(1 / k**2 for k in range(1, count + 1))


def variance_of_window(mean: float, count: int, slots: int) -> float:
    """Variance of n exponential starts through k slots: n - k gaps of variance (m / k)^2, then the
    slowest of k.
    """
    return (count - slots) * (mean / slots) ** 2 + variance_of_slowest(mean, slots)


def slowest_lognormal(median: float, sigma: float, count: int) -> float:
    """Expected slowest of n log-normal starts: the integral of 1 - F(t)^n over t, by quadrature
    over z = ln(t / median) / sigma; below z = -12 the integrand is 1.
    """

    def above(z: float) -> float:
        time = median * math.exp(sigma * z)
        return float(-math.expm1(count * stats.norm.logcdf(z))) * time * sigma

    whole = integrate.quad(above, -12, 12, epsabs=1e-9, limit=200)[0]
    return float(whole) + median * math.exp(-12 * sigma)


def failed_twice(chance: float, count: int) -> float:
    """Probability that one of n starts fails twice in a row: 1 - (1 - f^2)^n."""
    return float(-math.expm1(count * math.log1p(-(chance**2))))


def at_least_one(chance: float, tries: int) -> float:
    """Probability of at least one success in n independent tries: 1 - (1 - q)^n."""
    return 1 - (1 - chance) ** tries


def escapes(length: float, mean: float) -> float:
    """Probability that an exponential detection (mean m) comes after the `length` seconds during
    which the rollout is watched: exp(-L / m).
    """
    return math.exp(-length / mean)


def breach(requests: float, share: float, above: float, fewest: int = 1) -> float:
    """Probability that a period breaches a threshold on its bad share: N ~ Poisson(requests), at
    least `fewest`, and of these B ~ Binomial(N, share) with B > above N. Summed over N.
    """
    reach = 12 * math.sqrt(requests) + 20
    numbers = np.arange(max(fewest, int(requests - reach), 1), int(requests + reach) + 1)
    most = np.floor(above * numbers + 1e-9)
    terms = stats.poisson.pmf(numbers, requests) * stats.binom.sf(most, numbers, share)
    return math.fsum(terms.tolist())


def looks(chance: float) -> float:
    """Expected number of looks until the first breach, each with probability q: 1 / q."""
    return 1 / chance


def looks_for_two_running(chance: float) -> float:
    """Expected looks until two breaches in a row: (1 + q) / q^2 (Feller, An Introduction to
    Probability Theory, volume 1, section XIII.7, with r = 2).
    """
    return (1 + chance) / chance**2


def looks_for_two_of_three(chance: float) -> float:
    """Expected looks until two breaches among the last three. From nothing remembered E; after a
    breach A = 1 + (1 - q) (1 + (1 - q) E), since either of the next two looks may be the second;
    E = 1 / q + A, hence E = (1 / q + 2 - q) / (q (2 - q)).
    """
    return (1 / chance + 2 - chance) / (chance * (2 - chance))


def detected_at_random_phase(period: float, delay: float, part: float) -> float:
    """Mean time to detect a switch with periods of random phase, all requests failing alike from
    then on: the first period ends V P later, V uniform, and breaches if its failing part V is above
    `part`, else the next one does: P (1/2 + part) + delay.
    """
    return period * (0.5 + part) + delay


def kth_report(users: int, reporting: float, needed: int, hazard: float) -> float:
    """Expected time of the needed-th report after a switch, reported at once. M ~ Binomial(U, r)
    users report, each after an exponential time with this `hazard` (1/s); the k-th of M has mean
    (H_M - H_(M-k)) / hazard, averaged over M, given that M is at least k.
    """
    if reporting >= 1:
        return (harmonic(users) - harmonic(users - needed)) / hazard
    total = weight = 0.0
    numbers = np.arange(needed, users + 1)
    for m, chance in zip(
        numbers.tolist(), stats.binom.pmf(numbers, users, reporting).tolist(), strict=True
    ):
        if chance > 1e-14:
            weight += chance
            total += chance * (harmonic(m) - harmonic(m - needed)) / hazard
    return total / weight


def mean_audit(every: float, coverage: float) -> float:
    """Mean time until an audit finds corrupt data: the first one comes after a uniform part of the
    period, and 1 / c of them are needed: every (1 / c - 1/2).
    """
    return every * (1 / coverage - 0.5)


def smaller_arm(before: float, after: float, ratio: float, alpha: float, power: float) -> int:
    """Users in the smaller of two arms (the larger is `ratio` times as large, and has the rate
    `before`) to tell two proportions apart, two-sided, without continuity correction: Fleiss,
    Levin, Paik, Statistical Methods for Rates and Proportions, 2003, section 4.2.
    """
    pooled = (after + ratio * before) / (1 + ratio)
    spread = math.sqrt((1 + 1 / ratio) * pooled * (1 - pooled))
    apart = math.sqrt(after * (1 - after) + before * (1 - before) / ratio)
    sides = stats.norm.isf(alpha / 2) * spread + stats.norm.isf(1 - power) * apart
    return math.ceil((sides / (after - before)) ** 2)


def users_seen_by(users: int, rate: float, wanted: float) -> float:
    """Seconds until a share `wanted` of U users has come, each a Poisson process of rate / U:
    -(U / rate) ln(1 - wanted).
    """
    return -users / rate * math.log1p(-wanted)


def harmed_by_exponential(hazard: float, mean: float) -> float:
    """Users harmed when the exposure lasts an exponential time: E(1 - exp(-h T)) = h m / (1 + h m)
    by its Laplace transform.
    """
    return hazard * mean / (1 + hazard * mean)


def mixing_of_joins(mean: float, count: int) -> float:
    """Mean integral of 2 w (1 - w) when instances are exchanged one by one, a start lasting m on
    average: the sum of 2 k / n (1 - k / n) m over k = 1 .. n - 1, which is m (n - 1 / n) / 3.
    """
    return mean * (count - 1 / count) / 3


def budget_spent(failed: float, rate: float, window: float, objective: float) -> float:
    """Part of an error budget that failed requests spend: failed / (r W (1 - SLO)) (Google, The
    Site Reliability Workbook, 2018, chapter 5).
    """
    return failed / (rate * window * (1 - objective))


def ramp_of_joins(rate: float, share: float, mean: float, count: int, seen: float) -> float:
    """Failed requests of instances that come one by one, exponential with mean m, seen D after the
    first of n: 1 + (Poisson with rate 1 / m) of them serve, so r p / n (D + D^2 / (2 m)) as long as
    more than that are left.
    """
    return rate * share / count * (seen + seen**2 / (2 * mean))


def geometric_failures(mean: float, number: float) -> float:
    """Probability of `number` failures when they are Poisson and last an exponential time, with
    `mean` of them on average: (1 / (1 + a)) (a / (1 + a))^k, a mixture of Poisson laws over an
    exponential one (Johnson, Kemp, Kotz, Univariate Discrete Distributions, 2005, section 5.3).
    """
    return math.exp(number * math.log(mean / (1 + mean))) / (1 + mean)


def two_waits(first: float, second: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution function of the sum of two exponential waits of different means a and b, by
    convolution: 1 - (a exp(-t / a) - b exp(-t / b)) / (a - b).
    """
    a, b = first, second
    survival: NDArray[np.float64] = (a * np.exp(-time / a) - b * np.exp(-time / b)) / (a - b)
    return 1 - survival


def mixed_geometric_tail(means: Sequence[tuple[float, float]], number: float) -> float:
    """P(X > x) of a mixture of geometric laws, (weight, mean) each: sum of w (a / (1 + a))^(x + 1);
    weights that do not sum to 1 leave the rest at 0.
    """
    return math.fsum(w * math.exp((number + 1) * math.log(a / (1 + a))) for w, a in means)


def mixed_geometric_quantile(means: Sequence[tuple[float, float]], p: float) -> int:
    """The smallest x with P(X <= x) >= p of that mixture, by bisection."""
    low, high = -1, 1
    while mixed_geometric_tail(means, high) > 1 - p:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if mixed_geometric_tail(means, middle) > 1 - p else (low, middle)
    return high


def mixed_geometric_worst(means: Sequence[tuple[float, float]], p: float) -> float:
    """Mean of the worst 1 - p of that mixture: q + E(X - q)+ / (1 - p), where the expected excess
    over q is the sum of the tails from q on, w a (a / (1 + a))^q each (Rockafellar and Uryasev
    2000, doi:10.21314/JOR.2000.038).
    """
    q = mixed_geometric_quantile(means, p)
    excess = math.fsum(w * a * math.exp(q * math.log(a / (1 + a))) for w, a in means)
    return q + excess / (1 - p)


def lognormal_quantile(median: float, sigma: float, p: float) -> float:
    """The p-quantile of a log-normal law: M exp(sigma z)."""
    return float(median * math.exp(sigma * stats.norm.ppf(p)))


def lognormal_worst(median: float, sigma: float, p: float) -> float:
    """Mean of the worst 1 - p of a log-normal law: M exp(sigma^2 / 2) Phi(sigma - z_p) / (1 - p)
    (McNeil, Frey, Embrechts, Quantitative Risk Management, 2015, section 2.3).
    """
    upper = float(stats.norm.cdf(sigma - stats.norm.ppf(p)))
    return median * math.exp(sigma**2 / 2) * upper / (1 - p)


def step_then_all(weight: float, bake: float, mean: float) -> float:
    """Expected exposure time (s) of a step of this weight and then everything, when it ends after
    an exponential time T of mean m: w E min(T, B) + E (T - B)+ = m (w (1 - exp(-B / m)) +
    exp(-B / m)).
    """
    past = math.exp(-bake / mean)
    return mean * (weight * (1 - past) + past)


def power_of_two_proportions(
    new: float, old: float, count_new: float, count_old: float, significance: float
) -> float:
    """Chance that a one-sided pooled z test finds `new` above `old` (shares): the difference is
    normal around d = new - old with s1^2 = new (1 - new) / n + old (1 - old) / m, and must exceed
    z s0, s0 with both shares pooled: Phi((d - z s0) / s1) (Fleiss, Levin, Paik 2003, chapter 4).
    """
    pooled = (new * count_new + old * count_old) / (count_new + count_old)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / count_new + 1 / count_old))
    own = math.sqrt(new * (1 - new) / count_new + old * (1 - old) / count_old)
    normal = NormalDist()
    return normal.cdf((new - old - normal.inv_cdf(1 - significance) * spread) / own)


def daily_failures(
    mean: float, peak: float, peak_at: float, start: float, share: float, length: float
) -> float:
    """Failed requests of a switch under r(t) = mean + (peak - mean) cos(2 pi (t - peak_at) / day)
    from `start` (seconds of the day) for `length` seconds: p times the integral of the rate.
    """
    turn = 2 * math.pi / 86_400
    swing = math.sin(turn * (start + length - peak_at)) - math.sin(turn * (start - peak_at))
    return share * (mean * length + (peak - mean) / turn * swing)


def with_baseline(usual: float, defect: float) -> float:
    """Bad share of a version whose requests fail anyway with probability e and, if they do not, by
    a defect with probability p: e + (1 - e) p.
    """
    return usual + (1 - usual) * defect


def wandering_false_alarm(
    requests: float, usual: float, cv: float, above: float, periods: int
) -> float:
    """Probability that one of some periods breaches when the usual bad share has one gamma
    multiplier G of mean 1 for all of them: 1 - E (1 - q(e G))^K, by quadrature over the quantiles
    of G.
    """
    shape = cv**-2

    def quiet(u: float) -> float:
        share = min(usual * float(stats.gamma.ppf(u, shape)) / shape, 1.0)
        return (1 - breach(requests, share, above)) ** periods

    return 1 - float(integrate.quad(quiet, 0, 1, epsabs=1e-6, limit=100)[0])


def mixing_while_joining(mean: float, count: int) -> float:
    """Mean integral of 2 w (1 - w) while n exponential starts join a pool of n, w = k / (n + k)
    after the k-th: that state lasts m / (n - k) on average.
    """
    states = ((k / (count + k), mean / (count - k)) for k in range(1, count))
    return math.fsum(2 * w * (1 - w) * length for w, length in states)
