"""Closed forms of DNS, caches, schemas and everything that goes wrong by itself.

Each is derived in its docstring, independent of the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from scipy import integrate, linalg, optimize, stats


def stale_share(
    since: float, ttl: float, ignore: float, tau: float = math.inf, hold: float = 0.0
) -> float:
    """Share of the requests that still follow the old record `since` seconds after a change.

    Cached answers have even ages between 0 and their time to live, so a share 1 - v of them is
    left with max(0, 1 - x/ttl); the share v = `ignore` that keeps longer leaves at the rate 1/tau,
    e^(-x/tau), or all at once after `hold`: (1 - v) max(0, 1 - x/ttl) + v e^(-x/tau).
    """
    kept = math.exp(-since / tau) if tau < math.inf else float(since < hold)
    return (1 - ignore) * max(0.0, 1 - since / ttl) + ignore * kept


def stale_area(
    ttl: float, ignore: float, tau: float = math.inf, hold: float = 0.0, kept: float = 0.0
) -> float:
    """Integral of the stale share from `kept` seconds after the change on: a triangle,
    (1 - v) (ttl - k)^2 / (2 ttl), and v tau e^(-k/tau), or v (hold - k) for a fixed hold.
    From the change on: (1 - v) ttl/2 + v tau.
    """
    held = tau * math.exp(-kept / tau) if tau < math.inf else max(hold - kept, 0.0)
    return (1 - ignore) * max(ttl - kept, 0.0) ** 2 / (2 * ttl) + ignore * held


def stale_until(left: float, ttl: float, ignore: float, tau: float) -> float:
    """Seconds until the stale share has fallen to `left`: it only falls, so by bisection."""
    far = ttl + tau * 50
    return float(optimize.brentq(lambda x: stale_share(x, ttl, ignore, tau) - left, 0, far))


def area_beyond(
    left: float, length: float, ttl: float, ignore: float, tau: float = math.inf, hold: float = 0.0
) -> float:
    """Integral of w after it has fallen below `left` for good, when the record was changed for
    `length` seconds and then back: x seconds after the way back w = s(x) - s(x + length), the
    difference of two stale shares, so A(k) - A(k + length) with A the stale area from k on.
    """
    if tau == math.inf:
        return 0.0

    def above(x: float) -> float:
        both = (stale_share(at, ttl, ignore, tau) for at in (x, x + length))
        return next(both) - next(both) - left

    if above(0.0) <= 0:
        return length
    k = float(optimize.brentq(above, 0, ttl + 50 * tau))
    return stale_area(ttl, ignore, tau, hold, k) - stale_area(ttl, ignore, tau, hold, k + length)


def mixing_of_dns(ttl: float, ignore: float, tau: float = math.inf) -> float:
    """Integral of 2 s (1 - s) over the stale share s: ttl/3 without clients that ignore the time
    to live (a ramp), by quadrature with them; beyond it s = v e^(-x/tau) gives
    2 v tau e^(-ttl/tau) - v^2 tau e^(-2 ttl/tau).
    """

    def mixed(x: float) -> float:
        share = stale_share(x, ttl, ignore, tau)
        return 2 * share * (1 - share)

    ramp = float(integrate.quad(mixed, 0, ttl, epsabs=1e-9)[0])
    if not ignore:
        return ramp
    end = math.exp(-ttl / tau)
    return ramp + 2 * ignore * tau * end - ignore**2 * tau * end**2


def sticky_users_of_dns(hazard: float, length: float, ttl: float) -> float:
    """Users with a failure when everybody is moved by a record for `length` >= ttl seconds and
    back, each bucket u on new while w > u: from u ttl on until (1 - u) ttl after the way back, for
    L + ttl (1 - 2u) seconds. The mean of 1 - e^(-h (L + ttl (1 - 2u))) over u is
    1 - e^(-hL) sinh(h ttl)/(h ttl).
    """
    return 1 - math.exp(-hazard * length) * math.sinh(hazard * ttl) / (hazard * ttl)


def above_threshold(mean: float, peak: float, limit: float, share: float) -> tuple[float, float]:
    """Seconds a day that r(t) = m + (P - m) cos(2 pi t / day) is above `limit`, and the requests
    that fail with probability `share` meanwhile: the cosine exceeds c = (limit - m) / (P - m) for
    |t| < h = day / (2 pi) arccos c, and the integral of r over it is 2 m h + (P - m) day / pi sin.
    """
    turn = 2 * math.pi / 86_400
    half = math.acos((limit - mean) / (peak - mean)) / turn
    requests = 2 * mean * half + (peak - mean) * 2 / turn * math.sin(turn * half)
    return 2 * half, share * requests


def left_in_the_data(
    rate: float, share: float, weight: float, exposed: float, persists: float, repair: float
) -> float:
    """Failures of versions that do not understand each other at one weight: r p 2w(1 - w) while it
    lasts, and the part that sits in the data for as long as the repair takes:
    r p 2w(1 - w) (T + f repair).
    """
    return rate * share * 2 * weight * (1 - weight) * (exposed + persists * repair)


def mixed_there_and_back(count: int, start: float, persists: float, repair: float) -> float:
    """Integral of the mixed share when n instances are exchanged one by one, `start` seconds each,
    forward and then back: forward the sum of 2k/n(1 - k/n) start = start (n - 1/n)/3; back the
    part 1 - f of the same, and the part f of the highest value since the decision, which stays
    1/2 from the half on (n even) until `repair` after the end.
    """
    shares = [2 * k / count * (1 - k / count) for k in range(count - 1, 0, -1)]
    highest = [max(shares[: k + 1]) for k in range(len(shares))]
    once = start * math.fsum(shares)
    stays = start * math.fsum(highest) + max(shares) * repair
    return once + (1 - persists) * once + persists * stays


def cold_cache(rate: float, hits: float, ttl: float, load: float) -> float:
    """Requests rejected while a cache fills, everything switched at once: x seconds later the part
    1 - h x/ttl of the requests reaches instances that carry (1 - h)/u of all of them, so the
    surplus falls in a straight line from s = 1 - (1 - h)/u to 0 after s ttl/h: r ttl s^2 / (2 h).
    """
    surplus = max(0.0, 1 - (1 - hits) / load)
    return rate * ttl * surplus**2 / (2 * hits)


def sessions_alive(rate: float, mean: float, requests: float) -> float:
    """Sessions at a moment (Little): they begin at rate / requests and last `mean` seconds."""
    return rate / requests * mean


def sessions_lost(alive: float, parts: Sequence[float], drain: float, mean: float) -> float:
    """Sessions lost when instances leave that hold these parts of all: exponential ones are not
    over after the drain with probability e^(-drain/mean).
    """
    return alive * math.fsum(parts) * math.exp(-drain / mean)


def sessions_left_behind(weight: float, since: float, mean: float) -> float:
    """Part of the sessions that began before the new instances took so much of the requests."""
    return 1 - weight * -math.expm1(-since / mean)


def sessions_one_by_one(
    size: int, every: float, drain: float, mean: float, in_place: bool
) -> tuple[float, ...]:
    """Parts of all sessions that are cut off when one old instance after the other leaves, one
    each `every` seconds, `drain` <= every.

    Before the j-th leaves (from 0) a part o of all lies on the n - j old ones. It takes o / (n - j)
    with it, of which e^(-d/m) is cut off. Until the next one leaves sessions begin on the old ones
    with q = (n - 1 - j) / serving, those that were cut off as well:
    o' = (o - o / (n - j)) e^(-T/m) + q (1 - e^(-T/m) + cut e^(-(T - d)/m)).
    In place n - 1 serve meanwhile, with one above the size n.
    """
    cuts, old, ends = list[float](), 1.0, math.exp(-every / mean)
    for left in range(size, 0, -1):
        cut = old / left * math.exp(-drain / mean)
        begins = (left - 1) / (size - in_place)
        again = cut * math.exp(-(every - drain) / mean)
        old = (old - old / left) * ends + begins * (1 - ends + again)
        cuts.append(cut)
    return tuple(cuts)


def broken_mean(size: int, mtbf: float, repair: float, length: float) -> float:
    """Integral over `length` seconds of the mean number of broken instances: failures arrive at
    n/mtbf from 0 on and last a fixed time, so n/mtbf min(t, repair) are down at t.
    """
    ramp = min(length, repair)
    return size / mtbf * (ramp**2 / 2 + repair * (length - ramp))


def over_broken(
    size: int, mtbf: float, repair: float, length: float, value: Callable[[int], float]
) -> float:
    """Mean integral over `length` seconds of a value of the number that is broken: it is Poisson
    with mean n/mtbf min(t, repair) (arrivals of the last repair time), by quadrature until the
    repairs begin and constant afterwards.
    """

    def mean(time: float) -> float:
        down = size / mtbf * min(time, repair)
        return math.fsum(float(stats.poisson.pmf(k, down)) * value(k) for k in range(size + 1))

    ramp = min(length, repair)
    return float(integrate.quad(mean, 0, ramp, epsabs=1e-9)[0]) + mean(repair) * (length - ramp)


def slow_and_less(load: float, factor: float, left: float, late: float) -> float:
    """Bad share of requests that take `factor` times as long while a part `left` of the capacity
    is there: rejected max(0, 1 - left / (load factor)), of the rest a share is late.
    """
    rejected = max(0.0, 1 - left / (load * factor))
    return rejected + (1 - rejected) * late


def excess_of_a_zone(load: float, out: float, zones: int, lost: int) -> float:
    """Share rejected with a part of the fleet away for the deployment and zones lost, beyond what
    the zones alone would reject: both are parts of the capacity, so they multiply.
    """
    lit = max(0.0, 1 - lost / zones)
    return max(0.0, 1 - (1 - out) * lit / load) - max(0.0, 1 - lit / load)


def tries(chance: float) -> float:
    """Mean number of attempts that fail before the first that does not: f / (1 - f), geometric."""
    return chance / (1 - chance)


def stalled_step(due: float, mtbf: float, repair: float) -> float:
    """Mean delay of a step that is due before a stall can be over (due <= repair): the stall begins
    at S, exponential of mean M; if before B, the step waits for S + r - B. The integral of
    (s + r - B) e^(-s/M) / M over [0, B]: (r - B)(1 - e^(-B/M)) + M - (M + B) e^(-B/M).
    """
    late = math.exp(-due / mtbf)
    return (repair - due) * (1 - late) + mtbf - (mtbf + due) * late


def groups_that_double(count: int, most: int) -> list[int]:
    """Sizes of groups 1, 2, 4 ... up to `most`, until all are done."""
    sizes, size = [], 1
    while count > 0:
        sizes.append(min(size, count))
        count -= sizes[-1]
        size = min(2 * size, most)
    return sizes


def too_many_errors(count: int, chance: float, accepted: int) -> float:
    """Probability that more than so many of n fail, each by itself: a binomial tail."""
    return float(stats.binom.sf(accepted, count, chance))


def _failing(
    mask: tuple[bool, ...], away: int, size: int, mtbf: float, repair: float
) -> list[tuple[tuple[tuple[bool, ...], int], float]]:
    """Where those in service (who is broken, by age) and the broken ones away go, at which rate."""
    healthy = [i for i, broken in enumerate(mask) if not broken]
    usual = size - sum(mask) - away
    found = [((mask, away - 1), away / repair)] if away else []
    for i, broken in enumerate(mask):
        rate = 1 / repair if broken else size / mtbf / max(len(healthy), usual)
        if broken or usual:
            found.append((((*mask[:i], not broken, *mask[i + 1 :]), away), rate))
    if usual > len(healthy):
        found.append(((mask, away + 1), size / mtbf * (1 - len(healthy) / usual)))
    return found


def failing_while_one_is_away(
    size: int, load: float, mtbf: float, repair: float, each: float
) -> float:
    """Integral of the share that is rejected because one of n is reinstalled after the other, for
    `each` seconds, the oldest first, while instances fail: a Markov chain of who in service is
    broken and how many would be with nothing deployed but have been replaced or were away. A place
    of the full fleet fails every mtbf/n seconds, and is mended after an exponential time.
    """
    law: dict[tuple[tuple[bool, ...], int], float] = {((False,) * size, 0): 1.0}
    states = [
        (mask, away)
        for mask in product((False, True), repeat=size - 1)
        for away in range(size + 1 - sum(mask))
    ]
    number = {state: i for i, state in enumerate(states)}
    rates = np.zeros((len(states) + 1,) * 2)
    for (mask, away), i in number.items():
        for to, rate in _failing(mask, away, size, mtbf, repair):
            rates[i, number[to]] += rate
            rates[i, i] -= rate
        serve, usual = mask.count(False), size - mask.count(True) - away
        shed = [max(0.0, 1 - count / size / load) for count in (serve, usual)]
        rates[i, -1] = max(shed[0] - shed[1], 0.0)
    course, total = linalg.expm(rates * each), 0.0
    for _ in range(size):
        now = np.zeros(len(states) + 1)
        for (mask, away), part in law.items():
            now[number[mask[1:], away + mask[0]]] += part
        now = now @ course
        total += float(now[-1])
        law = {((*mask, False), away): float(now[i]) for (mask, away), i in number.items()}
    return total
