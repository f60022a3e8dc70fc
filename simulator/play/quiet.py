"""How unlikely a breach is: a bound that allows steady stretches to be merged, never a guess."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulator.play.alarm import Rule
    from simulator.play.plan import Plan
    from simulator.play.stretch import Stretch

_NEGLIGIBLE: Final = math.log(1e-12)
_FEWEST_SIGMAS: Final = 8.3


def breach_bound(requests: float, bad: float, noise: float, cv: float, above: float) -> float:
    """Upper bound of the logarithm of P(bad requests > above x requests) in one period.

    `requests`, `bad` and `noise` are expected numbers in the period: of all requests, of those
    failing for known reasons (Poisson), and of baseline errors (Poisson with a gamma multiplier of
    mean 1 and coefficient of variation `cv`). Chernoff: log P(X >= c) <= min over s > 0 of
    log E exp(s X) - s c, at c = above x (the fewest requests that come, 8.3 standard deviations
    below the mean: one chance in 1e16).
    """
    fewest = requests - _FEWEST_SIGMAS * math.sqrt(requests)
    c = above * fewest
    if c <= bad + noise or c <= 0:
        return 0.0
    if noise <= 0:
        if bad <= 0:
            return -math.inf
        cv = 0.0
    shape = cv**-2 if cv > 0 else math.inf
    high = math.log(c / max(bad + noise, 1e-300)) if cv == 0 else math.log1p(shape / noise)
    best = 0.0
    for part in (0.999999, 0.95, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1):
        s = part * high
        grown = math.expm1(s)
        if cv == 0:
            log_mean = (bad + noise) * grown
        else:
            inside = 1.0 - noise * grown / shape
            if inside <= 0:
                continue
            log_mean = bad * grown - shape * math.log(inside)
        best = min(best, log_mean - s * c)
    return best


def quiet(plan: Plan, stretch: Stretch, alarm: Rule, a: float, b: float) -> float:
    """Up to which multiplier of the baseline errors no whole period of this alarm in [a, b] can
    breach, but for one chance in 1e12; infinite if it cannot at all, 0 if it might anyway.
    """
    old, new = stretch.seen
    weights = [(old, old.share)] if alarm.watch != "new" else []
    if alarm.watch != "old":
        weights.append((new, new.share + stretch.copies if alarm.watch == "new" else new.share))
    share = sum(w for _, w in weights)
    if share <= 0:
        return 0.0 if alarm.missing == "breaching" else math.inf
    fewest = plan.load.least(a, b) * share * alarm.period
    if alarm.missing == "breaching" and (
        fewest - _FEWEST_SIGMAS * math.sqrt(fewest) < alarm.fewest
    ):
        return 0.0
    errors = alarm.metric != "late"
    late = alarm.metric != "errors"
    bad = sum(w * (s.failing * errors + s.late * late) for s, w in weights)
    least, most = plan.load.least(a, b), plan.load.greatest(a, b)
    if bad * most >= alarm.above * least * share:  # it breaches on average
        return 0.0
    key = (share, bad, least, most, alarm.above, alarm.period, errors, late)
    known = plan.quiet.get(key)
    if known is None:
        requests = least * share * alarm.period
        bad *= most * alarm.period
        noise = plan.noise * share * most * alarm.period if errors else 0.0
        known = 0.0
        for most_noise, cv in _rungs(plan.noise, plan.noise_cv, alarm.above):
            mean = noise if math.isinf(most_noise) else noise * most_noise
            if breach_bound(requests, bad, mean, cv, alarm.above) < _NEGLIGIBLE:
                known = most_noise
                break
        if len(plan.quiet) < 10_000:
            plan.quiet[key] = known
    return known


def _rungs(noise: float, cv: float, above: float) -> list[tuple[float, float]]:
    """Multipliers of the baseline to try, the largest first, and the spread that is left."""
    rungs = [(math.inf, cv)]
    if noise > 0 and cv > 0:
        rungs += [(part * above / noise, 0.0) for part in (0.8, 0.65, 0.5, 0.35, 0.2, 0.1)]
    return rungs


def quiet_from(plan: Plan, alarm: Rule) -> tuple[tuple[float, float], ...]:
    """Pairs (multiplier, requests): from so many requests on a period with baseline errors only,
    multiplied at most so much, cannot breach (but for one chance in 1e12).
    """
    if alarm.metric == "late" or plan.noise == 0:
        return ((math.inf, 0.0),)
    return _quiet_from(plan.noise, plan.noise_cv, alarm.above)


@lru_cache(maxsize=256)
def _quiet_from(noise: float, cv: float, above: float) -> tuple[tuple[float, float], ...]:
    """The smallest number on a fine geometric grid above which every point is quiet."""
    found = []
    for multiplier, spread in _rungs(noise, cv, above):
        mean = noise if math.isinf(multiplier) else noise * multiplier
        least = math.inf
        for step in range(240, -1, -1):
            requests = 10.0 ** (step / 20)
            if breach_bound(requests, 0.0, mean * requests, spread, above) >= _NEGLIGIBLE:
                break
            least = requests
        if least < math.inf:
            found.append((multiplier, least))
    return tuple(found)
