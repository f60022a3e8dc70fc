"""The verdict: objectives kept or not, and a recommendation against objectives or money."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.estimates import LEVELS, Estimates
from simulator.findings.means import NOTHING, Interval
from simulator.words.figures import FIGURES
from simulator.words.objectives import Objective

if TYPE_CHECKING:
    from simulator.findings.results import Results


class Threshold(NamedTuple):
    """One objective for one strategy: its value, whether it is kept, whether that is certain;
    `endless`: the value is infinite as far as the replications tell.
    """

    expression: str
    strategy: str
    value: Interval
    passed: bool
    decided: bool
    endless: bool = False


# Times whose end is what a release is for: without one they are not short, but endless.
_ARRIVALS = ("time_to_deploy", "time_to_value", "time_to_finish")


class Recommendation(NamedTuple):
    """The strategy that is recommended, why, the runner-up, and whether fresh luck agrees."""

    strategy: str
    because: str
    runner_up: str | None
    confirmed: bool


def thresholds(results: Results) -> tuple[Threshold, ...]:
    """Every objective for every strategy it concerns; what cannot be carried out keeps none."""
    found = []
    risk = results.risk()
    everyone = [*risk, *results.unplayed]
    for objective in results.scenario.objectives:
        for name in [objective.strategy] if objective.strategy else everyone:
            if name in risk:
                found.append(judge(results, objective, name))
            elif name in everyone:
                found.append(Threshold(objective.text, name, NOTHING, False, True))
    return tuple(found)


def judge(results: Results, objective: Objective, name: str) -> Threshold:
    """Hold one strategy against one objective; `decided` when the interval lies on one side."""
    given = results.risk()[name].under(objective.given)
    value = given.measure(objective.figure, objective.statistic)
    if value.value is None:
        figure = objective.figure
        known = given.estimate(figure) if figure in FIGURES else None
        if known and known.censored.value:
            return _endless(objective, name, value, known)
        endless = figure in _ARRIVALS and objective.given in (None, "good")
        passed = objective.holds(math.inf if endless else -math.inf)
        return Threshold(objective.text, name, value, passed, endless)
    passed = objective.holds(value.value)
    low = -math.inf if value.low is None else value.low
    high = math.inf if value.high is None else value.high
    decided = objective.holds(low) == passed == objective.holds(high)
    return Threshold(objective.text, name, value, passed, decided)


def _endless(objective: Objective, name: str, value: Interval, known: Estimates) -> Threshold:
    """The verdict on a statistic that is infinite as far as the replications tell. A mean surely is
    if any value may be, a quantile if more than the share above it are; else its least decides.
    """
    passed = objective.holds(math.inf)
    above = 1.0 - LEVELS.get(objective.statistic, 1.0)
    share = (known.censored.low or 0.0) / (known.applicable.high or 1.0)
    least = objective.holds(-math.inf if value.low is None else value.low)
    decided = share > above or least == passed
    return Threshold(objective.text, name, value, passed, decided, True)


def has_money(results: Results) -> bool:
    """Whether the scenario prices harm or waiting, so that losses can be compared."""
    costs = results.scenario.costs
    return any((costs.failed_request, costs.corrupt_write, costs.outage, costs.delay))


def ranking(results: Results) -> list[str]:
    """Suitable strategies, the best first: objectives kept, then expected loss or time."""
    risk = results.risk()
    checks = thresholds(results)
    money = has_money(results)

    def key(name: str) -> tuple[int, float, float]:
        failed = sum(1 for c in checks if c.strategy == name and not c.passed)
        loss = risk[name].all.mean("loss") if money else None
        time = risk[name].given_good.mean("time_to_deploy")
        return failed, math.inf if loss is None else loss, math.inf if time is None else time

    return sorted((name for name in risk if risk[name].suitable), key=key)


def recommend(results: Results, fresh: Results | None = None) -> Recommendation | None:
    """The best strategy against the objectives or by money; None without either.

    The winner counts as confirmed when `fresh` replications choose the same (winner's curse).
    """
    money = has_money(results)
    if not results.scenario.objectives and not money:
        return None
    order = ranking(results)
    if not order:
        return None
    best = order[0]
    runner_up = order[1] if len(order) > 1 else None
    return Recommendation(
        best,
        _because(results, best, money),
        runner_up,
        fresh is None or ranking(fresh)[0] == best,
    )


def _because(results: Results, best: str, money: bool) -> str:
    checks = [c for c in thresholds(results) if c.strategy == best]
    kept = sum(c.passed for c in checks)
    parts = []
    if checks:
        missed = [c.expression for c in checks if not c.passed]
        but = f" (not {'; '.join(missed)})" if 0 < len(missed) < 3 else ""
        none = "" if kept else ", but no other misses fewer"
        parts.append(f"it keeps {kept or 'none'} of {len(checks)} objectives{but}{none}")
    rivals = "those that keep as many" if kept or not checks else "those that miss as few"
    if not money:
        return "; ".join([*parts, f"it is the fastest of {rivals}"])
    risk, currency = results.risk(), results.scenario.costs.currency
    losses = {name: risk[name].all.mean("loss") or 0.0 for name in risk if risk[name].suitable}
    among = f" of {rivals}" if min(losses.values()) < losses[best] else ""
    parts.append(
        f"its expected loss is the smallest{among}, {losses[best]:.4g} {currency} a release"
    )
    return "; ".join(parts)
