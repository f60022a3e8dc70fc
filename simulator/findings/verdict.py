"""The verdict: objectives kept or not, and a recommendation that says what would flip it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.means import Interval
from simulator.words.objectives import Objective

if TYPE_CHECKING:
    from simulator.findings.results import Results

_FRESH = 7_919
_SIDE_STUDY = 200
_SEARCHED = (0.001, 0.5)


class Threshold(NamedTuple):
    """One objective for one strategy: its value, whether it is kept, whether that is certain."""

    expression: str
    strategy: str
    value: Interval
    passed: bool
    decided: bool


class Flip(NamedTuple):
    """Where the recommendation changes: the path, its value now and there, and to what."""

    path: str
    now: float
    flips_at: float
    to: str
    searched: tuple[float, float]


class Recommendation(NamedTuple):
    """The strategy that is recommended, why, the runner-up, and what would flip it."""

    strategy: str
    because: str
    runner_up: str | None
    flips_when: Flip | None
    confirmed: bool


def thresholds(results: Results) -> tuple[Threshold, ...]:
    """Every objective for every strategy it concerns."""
    found = []
    risk = results.risk()
    for objective in results.scenario.objectives:
        for name in [objective.strategy] if objective.strategy else list(risk):
            if name in risk:
                found.append(judge(results, objective, name))
    return tuple(found)


def judge(results: Results, objective: Objective, name: str) -> Threshold:
    """Hold one strategy against one objective; `decided` when the interval lies on one side."""
    given = results.risk()[name].under(objective.given)
    value: Interval = getattr(given.estimate(objective.figure), objective.statistic)
    if value.value is None:
        censored = given.estimate(objective.figure).censored.value or 0.0
        never = censored == 0
        passed = objective.relation in ("<", "<=") if never else objective.relation in (">", ">=")
        return Threshold(objective.text, name, value, passed, False)
    passed = objective.holds(value.value)
    low = -math.inf if value.low is None else value.low
    high = math.inf if value.high is None else value.high
    decided = objective.holds(low) == passed == objective.holds(high)
    return Threshold(objective.text, name, value, passed, decided)


def has_money(results: Results) -> bool:
    """Whether the scenario prices harm or waiting, so that losses can be compared."""
    costs = results.scenario.costs
    return any((costs.failed_request, costs.corrupt_write, costs.outage, costs.delay))


def _ranking(results: Results) -> list[str]:
    """Suitable strategies, the best first: objectives kept, then expected loss or time."""
    risk = results.risk()
    checks = thresholds(results)
    money = has_money(results)

    def key(name: str) -> tuple[int, float, float]:
        failed = sum(1 for c in checks if c.strategy == name and not c.passed)
        loss = risk[name].all.loss.mean.value if money else None
        time = risk[name].given_good.time_to_deploy.mean.value
        return failed, math.inf if loss is None else loss, math.inf if time is None else time

    return sorted((name for name in risk if risk[name].suitable), key=key)


def recommend(results: Results, jobs: int = 1, confirm: bool = True) -> Recommendation | None:
    """The best strategy against the objectives or by money; None without either.

    The winner is confirmed with a fresh seed. The flip point is searched in the probability of a
    defect, by bisection on the same replications (they need no new simulation).
    """
    money = has_money(results)
    if not results.scenario.objectives and not money:
        return None
    ranking = _ranking(results)
    if not ranking:
        return None
    best = ranking[0]
    runner_up = ranking[1] if len(ranking) > 1 else None
    return Recommendation(
        best,
        _because(results, best, money),
        runner_up,
        flip(results, best),
        not confirm or _again(results, best, jobs),
    )


def _because(results: Results, best: str, money: bool) -> str:
    checks = [c for c in thresholds(results) if c.strategy == best]
    kept = sum(c.passed for c in checks)
    parts = []
    if checks:
        parts.append(f"it keeps {kept} of {len(checks)} objectives")
    if money:
        loss = results.risk()[best].all.loss.mean.value
        currency = results.scenario.costs.currency
        parts.append(f"its expected loss is the smallest, {loss:.4g} {currency} a release")
    else:
        parts.append("it is the fastest of those that keep as many")
    if not results.scenario.costs.delay:
        parts.append("this ignores the value of being early")
    return "; ".join(parts)


def _again(results: Results, best: str, jobs: int) -> bool:
    """Whether fresh replications choose the same strategy (the winner's curse)."""
    from simulator.findings.comparison import simulate

    count = min(max(results.replications["good"], 1), _SIDE_STUDY)
    fresh = simulate(results.scenario, count, results.seed + _FRESH, results.names, jobs)
    return _ranking(fresh)[0] == best


def flip(results: Results, best: str) -> Flip | None:
    """Where in the probability of a defect another strategy becomes the best one."""
    now = results.scenario.change.defect_probability
    candidates = []
    for end in _SEARCHED:
        if _ranking(results.reweighted(end))[0] != best:
            low, high = now, end
            for _ in range(40):
                middle = math.sqrt(max(low, 1e-9) * max(high, 1e-9))
                if _ranking(results.reweighted(middle))[0] == best:
                    low = middle
                else:
                    high = middle
                if abs(math.log(max(high, 1e-9) / max(low, 1e-9))) < 1e-3:
                    break
            to = _ranking(results.reweighted(high))[0]
            candidates.append(
                Flip("change.defect_probability", now, high, to, (_SEARCHED[0], _SEARCHED[1]))
            )
    if not candidates:
        return None
    return min(candidates, key=lambda f: abs(math.log(f.flips_at / max(now, 1e-9))))
