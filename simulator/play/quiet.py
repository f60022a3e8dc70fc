"""How unlikely a breach is: a bound that allows steady stretches to be merged, never a guess."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.play.stretch import Stretch
    from simulator.words.detection import Alarm

_NEGLIGIBLE = math.log(1e-12)
_FEWEST_SIGMAS = 8.3


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


def quiet(plan: Plan, stretch: Stretch, alarm: Alarm, a: float, b: float) -> bool:
    """Whether no whole period of this alarm in [a, b] can breach, but for one chance in 1e12."""
    old, new = stretch.versions
    weights = {
        "new": ((new, new.share + stretch.mirror),),
        "old": ((old, old.share),),
        "service": ((old, old.share), (new, new.share)),
    }[alarm.watch]
    share = sum(w for _, w in weights)
    if share <= 0:
        return alarm.missing != "breaching"
    errors = alarm.metric != "late"
    late = alarm.metric != "errors"
    bad = sum(w * (s.failing * errors + s.late * late) for s, w in weights)
    least, most = plan.load.least(a, b), plan.load.greatest(a, b)
    key = (share, bad, least, most, alarm.above, alarm.period, errors, late)
    known = plan.quiet.get(key)
    if known is None:
        scale = most / max(least, 1e-300)
        known = (
            breach_bound(
                least * share * alarm.period,
                most * bad * alarm.period,
                plan.noise * share * least * alarm.period * scale if errors else 0.0,
                plan.noise_cv,
                alarm.above,
            )
            < _NEGLIGIBLE
        )
        if len(plan.quiet) < 10_000:
            plan.quiet[key] = known
    return known


def quiet_from(plan: Plan, alarm: Alarm) -> float:
    """Requests from which on a period with baseline errors only cannot breach (1e-12).

    The bound falls with the number of requests until the baseline's own spread dominates; the
    smallest number on a fine geometric grid above which every point is quiet is taken.
    """
    if alarm.metric == "late" or plan.noise == 0:
        return 0.0
    least = math.inf
    for step in range(240, -1, -1):
        requests = 10.0 ** (step / 20)
        noise = plan.noise * requests
        if breach_bound(requests, 0.0, noise, plan.noise_cv, alarm.above) >= _NEGLIGIBLE:
            break
        least = requests
    return least
