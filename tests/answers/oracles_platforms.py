"""Closed forms of cut-overs and of the controllers of platforms, all of whose times are constant.

Each is derived in its docstring, independent of the simulator. S is a start, d a drain, D the time
to detect, R the time to decide, n the number of instances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def while_registering(check: float, seconds: float) -> float:
    """Exposure in the first `seconds` of a registration: u = t/T of the targets take part and get
    u / (1 + u), T (x - ln(1 + x)) with x = seconds / T <= 1.
    """
    x = seconds / check
    return check * (x - math.log1p(x))


def slow_start_there_and_back(
    check: float, slow: float, beside: float, detect: float, decide: float
) -> float:
    """Exposure of green that registers over T = check + slow start, stays beside blue for a while,
    then takes everything; blue comes back over T as well, and takes over after one passed check:
    T ln(1 + check/T) is the integral of 1 / (1 + u).
    """
    ramp, both = check + slow, check + beside
    forth = while_registering(ramp, both) + detect + decide - both
    return forth + ramp * math.log1p(check / ramp)


def favoured(failing: float, takes: float) -> float:
    """Traffic of a second group with as many requests under way at each target: those that fail
    take a part of the time, a request 1 - p (1 - takes) of it, f is the inverse: f / (1 + f).
    """
    f = 1 / (1 - failing * (1 - takes))
    return f / (1 + f)


def second_group(size: int, times: Sequence[float]) -> float:
    """Instance-seconds of a second group: all of it from its start until blue has drained."""
    return size * sum(times)


def left_behind(rate: float, ttl: float, keep: float) -> float:
    """Requests of clients that still have the old address when it goes: r (L - k)^2 / (2 L)."""
    return rate * max(ttl - keep, 0.0) ** 2 / (2 * ttl)


def task_bounds(desired: int, minimum: float, maximum: float) -> tuple[int, int]:
    """Tasks that have to run, rounded up, and that may run, rounded down."""
    return math.ceil(round(desired * minimum, 9)), math.floor(round(desired * maximum, 9))


def rounds(count: int, each: int) -> int:
    """Starts one after the other when so many are under way at once and take equally long."""
    return math.ceil(count / each)


def two_rounds_there_and_back(start: float, detect: float, decide: float) -> float:
    """Exposure with half of the pods in a round: w is new after the first one, the rest after the
    second; back 1 - w is left after the first: w S + (D + R - S) + S + (1 - w) S = D + R + S.
    """
    return detect + decide + start


def circuit_broken(tasks: int, threshold: int, chance: float, reset: bool) -> float:
    """P(the breaker stops a good deployment) of tasks that start one after the other, each try
    failing with a chance q. With resets one task fails k times in a row: 1 - (1 - q^k)^n; without,
    k failures come before the n-th success: 1 - sum over j < k of C(n - 1 + j, j) q^j (1 - q)^n.
    """
    if reset:
        return 1 - (1 - chance**threshold) ** tasks
    return 1 - sum(
        math.comb(tasks - 1 + j, j) * chance**j * (1 - chance) ** tasks for j in range(threshold)
    )


def unwaited_batches(
    size: int, batch: int, pause: float, start: float, rate: float, capacity: float
) -> tuple[float, float, float]:
    """(outage, rejected, seconds) of batches that leave every `pause` and are back a start later:
    the sum of what is above the capacity in service between two turns.
    """
    sizes = [min(batch, size - done) for done in range(0, size, batch)]
    turns = [(k * pause, -count) for k, count in enumerate(sizes)]
    turns += [(k * pause + start, count) for k, count in enumerate(sizes)]
    up, outage, rejected = size, 0.0, 0.0
    for (now, change), (then, _) in pairwise(sorted(turns)):
        up += change
        outage += (then - now) * (up == 0)
        rejected += (then - now) * max(rate - capacity * up, 0)
    return outage, rejected, (len(sizes) - 1) * pause + start


def binomial_at_least(count: int, chance: float, least: int) -> float:
    """P(Bin(n, q) >= k)."""
    return sum(
        math.comb(count, j) * chance**j * (1 - chance) ** (count - j)
        for j in range(least, count + 1)
    )


def too_few_healthy(size: int, least: int, chance: float) -> float:
    """P(a deployment stops for want of healthy hosts). A host is taken only while one may fail: it
    stops when k = n - least have failed and one is left, P(Bin(n - 1, q) >= k); with least = 0 when
    all have failed, q^n.
    """
    if not least:
        return chance**size
    return binomial_at_least(size - 1, chance, size - least)


def beanstalk_capacity(policy: str, size: int, batch: int) -> tuple[int, int]:
    """(least, most) in service: 0/n, (n - b)/n, n/(n + b), n/2n and n/2n."""
    return {
        "all_at_once": (0, size),
        "rolling": (size - batch, size),
        "rolling_with_additional_batch": (size, size + batch),
        "immutable": (size, 2 * size),
        "traffic_splitting": (size, 2 * size),
    }[policy]


def beanstalk_seconds(
    policy: str, count: int, times: tuple[float, float, float], wait: float, split: float
) -> float:
    """Until all is over, `times` (S, d, install): K batches of drain, installation and wait; an
    additional batch a start, a wait and the last drain more; a second group starts twice.
    """
    start, drain, install = times
    step = drain + install + wait
    return {
        "all_at_once": install + wait,
        "rolling": count * step,
        "rolling_with_additional_batch": start + wait + count * step + drain,
        "immutable": 2 * (start + wait) + drain,
        "traffic_splitting": start + split + drain,
    }[policy]


def beanstalk_held(
    policy: str,
    shape: tuple[int, int],
    times: tuple[float, float, float],
    wait: float,
    split: float,
) -> float:
    """Instance-seconds above n, `shape` (n, batch): an additional batch lives through K batches
    and K + 1 waits; a second group from its start until blue has drained, its first instance a
    start and a wait longer.
    """
    (size, batch), (start, drain, install) = shape, times
    count = math.ceil(size / batch)
    more = start + count * (drain + install) + (count + 1) * wait + drain
    return {
        "all_at_once": 0.0,
        "rolling": 0.0,
        "rolling_with_additional_batch": batch * more,
        "immutable": (start + wait) + size * (start + wait + drain),
        "traffic_splitting": size * (start + split + drain),
    }[policy]


def in_windows(count: int, each: int, every: float, concurrency: int, run: float) -> float:
    """Until the last of the targets is done: `each` of them in a window, one window `every` so many
    seconds, and in the last one the rounds that are left.
    """
    needed = math.ceil(count / each)
    rest = math.ceil((count - (needed - 1) * each) / concurrency)
    return (needed - 1) * every + rest * run
