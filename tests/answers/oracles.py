"""Closed forms: each derived in its docstring, independent of the simulator."""

from __future__ import annotations

import math


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
