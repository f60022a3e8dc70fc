"""The exam questions in closed form: deciding values, and where the answer changes."""

from __future__ import annotations

import math
from collections.abc import Callable


def harmed_user_hours(chance: float, share: float, users: int, hours: float) -> float:
    """Expected harm of a release: chance x share of the users on it x users x time unnoticed."""
    return chance * share * users * hours


def price_of_waiting(saved: float, hours: float) -> float:
    """From this cost of an hour on, waiting so long costs more than it saves."""
    return saved / hours


def still_on_the_record(seconds: float, ttl: float, ignore: float) -> float:
    """Share still on the bad version some time after a record was changed back, long after it was
    set: answers are of even age, and those who ignore the time to live hold them (longer).
    """
    return (1 - ignore) * max(0.0, 1 - seconds / ttl) + ignore


def nine_of_ten_back(ttl: float, ignore: float) -> float:
    """When 10 % are left: (1 - v)(1 - x/ttl) + v = 0.1."""
    return ttl * (1 - (0.1 - ignore) / (1 - ignore))


def outlives(drain: float, mean: float) -> float:
    """Share of the sessions (exponential) under way that are not over after the drain."""
    return math.exp(-drain / mean)


def left_on_old(step: float, every: float, mean: float) -> float:
    """Share of the visits that began on the old version, at the step to 100 %: of those under way
    e^(-x/mean) began more than x seconds ago, and the step k steps ago moved `step` of the traffic.
    """
    steps = round(1 / step)
    return sum(step * math.exp(-k * every / mean) for k in range(steps))


def mean_session_that_passes(rate: float, requests: float, drain: float, most: float) -> float:
    """The mean at which rate x mean / requests x e^(-drain/mean) lost sessions are `most`."""
    return root(lambda m: rate * m / requests * outlives(drain, m) - most, 60.0, 7200.0)


def at_least(k: int, mean: float) -> float:
    """P(a Poisson count is k or more)."""
    return 1 - sum(math.exp(-mean) * mean**j / math.factorial(j) for j in range(k))


def rate_seen(k: int, requests: float, usual: float, power: float) -> float:
    """Rate of a defect at which k errors among so many requests are seen with this power."""
    mean = root(lambda m: at_least(k, m) - power, 0.01, 100.0)
    return mean / requests - usual


def lost_at_a_swap(rate: float, ttl: float) -> float:
    """Clients come over evenly within the time to live; the old environment is gone at once."""
    return rate * ttl / 2


def within(minutes: float, mean: float) -> float:
    """P(an exponential time is at most so long)."""
    return 1 - math.exp(-minutes / mean)


def worst_broken(concurrency: int, errors: int) -> int:
    """Errors up to the accepted number stop nothing; one more does, when all under way break."""
    broken = 0
    while broken <= errors:
        broken += concurrency
    return broken


def patch_time(nodes: int, concurrency: int, run_time: float) -> float:
    """A good patch, everywhere: nodes / concurrency runs one after the other."""
    return math.ceil(nodes / concurrency) * run_time


def old_answers(seconds: float, hits: float, ttl: float) -> float:
    """Share of the answers that are from before a change: hits x (1 - t/ttl) for even ages."""
    return hits * max(0.0, 1 - seconds / ttl)


def user_minutes(users: int, share: float, minutes: float) -> float:
    """Time of users on a bad version."""
    return users * share * minutes


def covered_enough(behind: float, beside: float, asked: float) -> float:
    """Covered share c at which c x behind + (1 - c) x beside is just what is asked."""
    return (beside - asked) / (beside - behind)


def startable(desired: int, minimum: float, maximum: float) -> tuple[int, int]:
    """Tasks that may start, and that may stop, at the beginning of a deployment."""
    return math.floor(desired * maximum) - desired, desired - math.ceil(desired * minimum)


def who_meets_it(requests: float, share: float, sticky: bool) -> float:
    """Share of the users (Poisson requests) who meet a canary that fails everything."""
    if sticky:
        return share * -math.expm1(-requests)
    return -math.expm1(-requests * share)


def requests_at_par(small: float, sticky: float) -> float:
    """Requests a user at which a small share drawn anew meets as many as a fixed larger one."""
    return root(lambda m: who_meets_it(m, small, False) - who_meets_it(m, sticky, True), 0.1, 100.0)


def rejected(rate: float, out: float, load: float, seconds: float) -> float:
    """Requests above what is left when the share `out` is away for so long."""
    return rate * seconds * max(0.0, 1 - (1 - out) / load)


def load_at_par(out: float, rolling: float, stopped: float) -> float:
    """Load at which a share away for `rolling` seconds loses what a stop of `stopped` does."""
    return (1 - out) / (1 - stopped / rolling)


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where f changes its sign, by bisection."""
    falls = f(low) > 0
    for _ in range(80):
        middle = (low + high) / 2
        if (f(middle) > 0) == falls:
            low = middle
        else:
            high = middle
    return (low + high) / 2
