"""Flips: where another strategy becomes the best one when a single setting changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.decide.sensitivity import varied
from simulator.findings.comparison import played, side_study
from simulator.findings.executors import Workers
from simulator.findings.reconsider import CHANCE, EACH, PRICES, reconsidered
from simulator.findings.study import Progress
from simulator.findings.verdict import has_money, ranking
from simulator.words.changes import number_at
from simulator.words.problems import ScenarioError

if TYPE_CHECKING:
    from simulator.findings.results import Results
    from simulator.words.scenario import Scenario

DELAY = "costs.delay"
_CHANCES = (0.001, 0.5)
_DELAYS = (0.01, 1e6)
_APART = 100.0
PRECISE, ROUGH = 0.01, 0.05
_ASIDE = 1.25


class Flip(NamedTuple):
    """Where the recommendation changes: the path, its value now and there, and to what.

    Values are seconds, shares, requests/s, counts or money; `searched` is the range that was
    looked at; `verified` says that replications with fresh luck agree on both sides.
    """

    path: str
    now: float
    flips_at: float
    to: str
    searched: tuple[float, float]
    verified: bool


class Search(NamedTuple):
    """A setting to look for a flip in: its path and the range, as texts of a scenario file."""

    path: str
    low: Any
    high: Any


At = Callable[[float], str]


class Bisection(NamedTuple):
    """A flip to look for: where, from which value, between which ends, who leads there, how
    precisely (`within`, relative), and whether the setting takes `whole` numbers only.
    """

    path: str
    now: float
    ends: tuple[float, float]
    best: str
    within: float
    whole: bool = False


def flips(results: Results, best: str) -> tuple[Flip, ...]:
    """Flips in the probability of a defect and in prices, unchecked: they need no new replications.

    The nearest comes first.
    """
    costs = results.scenario.costs
    change = results.scenario.change
    if change.changes is None:
        searched = {CHANCE: (change.defect_probability, *_CHANCES)}
    else:
        searched = {EACH: (change.changes.each, *_CHANCES)}
    if has_money(results):
        for path in PRICES:
            now = getattr(costs, path.split(".")[1])
            if now > 0:
                searched[path] = (now, now / _APART, now * _APART)
            elif path == DELAY:
                searched[path] = (now, *_DELAYS)
    found = []
    for path, (now, low, high) in searched.items():
        looked_for = Bisection(path, now, (low, high), best, PRECISE)
        found += both_ways(looked_for, _weighing(results, path), None)
    return tuple(sorted(found, key=_distance))


def checked(found: Sequence[Flip], best: str, fresh: Results) -> tuple[Flip, ...]:
    """The same flips, verified where `fresh` replications agree on both sides."""
    return tuple(
        flip._replace(verified=_agrees(_weighing(fresh, flip.path), flip, best)) for flip in found
    )


def _weighing(results: Results, path: str) -> At:
    def leader(value: float) -> str:
        """The best strategy at this value."""
        return ranking(reconsidered(results, results.scenario.with_(path, value)))[0]

    return leader


def nearest(found: Sequence[Flip]) -> Flip | None:
    """The flip with the smallest relative change of its setting."""
    return next((flip for flip in found if flip.now > 0), None)


def searched_flips(
    results: Results,
    best: str,
    searches: Sequence[Search],
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> tuple[Flip, ...]:
    """Flips in any settings, by bisection on side studies (at most 200 replications a group).

    Raises ScenarioError for a path or a value that the scenario does not take.
    """
    scenario, found = results.scenario, []
    ends = [
        scenario.with_(search.path, value)
        for search in searches
        for value in (search.low, search.high)
    ]
    at_ends = _leaders(results, ends, jobs, progress)
    for number, search in enumerate(searches):
        low, high = (number_at(end, search.path) for end in ends[2 * number : 2 * number + 2])
        known = {low: at_ends[2 * number], high: at_ends[2 * number + 1]}
        now = min(max(number_at(scenario, search.path), low), high)
        whole = isinstance(low, int) and isinstance(high, int)
        looked_for = Bisection(search.path, now, (low, high), best, ROUGH, whole)
        leader = _playing(results, search.path, jobs, known)
        again = _playing(results.other_luck(), search.path, jobs, {})
        found += both_ways(looked_for, leader, again)
    return tuple(sorted(found, key=_distance))


def _playing(results: Results, path: str, jobs: Workers, known: dict[float, str]) -> At:
    """Who leads at a value, by a side study unless it is known."""

    def leader(value: float) -> str:
        if value not in known:
            known[value] = _leaders(results, [results.scenario.with_(path, value)], jobs, None)[0]
        return known[value]

    return leader


def _leaders(
    results: Results, variants: Sequence[Scenario], jobs: Workers, progress: Progress | None
) -> list[str]:
    groups = side_study(results)
    work = [(variant, results.names, groups) for variant in variants]
    return [ranking(side)[0] for side in played(results, work, jobs, progress)]


def search(scenario: Scenario, path: str, low: Any, high: Any) -> Search:
    """A search that the scenario takes; raises ScenarioError, or ValueError when low >= high."""
    ends = [number_at(scenario.with_(path, value), path) for value in (low, high)]
    number_at(scenario, path)
    if not ends[0] < ends[1]:
        raise ValueError(f"{path}: {low} is not below {high}")
    return Search(path, low, high)


def assumed(scenario: Scenario) -> tuple[Search, ...]:
    """Every assumption with a plausible range, as a search."""
    found = []
    for row in varied(scenario):
        try:
            found.append(search(scenario, row.path, row.low, row.high))
        except (ScenarioError, TypeError, ValueError):
            continue
    return tuple(found)


def both_ways(search: Bisection, leader: At, again: At | None) -> list[Flip]:
    """Bisect from the present value towards each end at which another strategy leads.

    Where a setting takes whole numbers only, the nearest one stands for a value between them.
    """
    path, now, ends, best, within, whole = search
    if whole:
        leader, again = _rounding(leader), _rounding(again) if again else None
    found = []
    for end in ends:
        if end == now or leader(end) == best:
            continue
        near, far = now, end
        if near <= 0:
            near = ends[0] if ends[0] > 0 else end * 1e-6
            far = end if leader(near) == best else near
        while abs(far - near) > within * abs(far):
            middle = math.sqrt(near * far)
            if middle in (near, far):
                break
            near, far = (middle, far) if leader(middle) == best else (near, middle)
        flip = Flip(path, now, far, leader(far), ends, True)
        found.append(flip._replace(verified=again is None or _agrees(again, flip, best)))
    return found


def _rounding(leader: At) -> At:
    return lambda value: leader(round(value))


def _agrees(leader: At, flip: Flip, best: str) -> bool:
    """Whether the same strategies lead a quarter further out and further in."""
    outward = flip.flips_at >= flip.now
    low, high = flip.searched
    aside = _ASIDE if outward else 1 / _ASIDE
    beyond = min(max(flip.flips_at * aside, low), high)
    before = max(flip.flips_at / aside, flip.now) if outward else flip.flips_at / aside
    before = before if outward else min(before, flip.now)
    return leader(beyond) != best and leader(before) == best


def _distance(flip: Flip) -> float:
    if flip.now <= 0 or flip.flips_at <= 0:
        return math.inf
    return abs(math.log(flip.flips_at / flip.now))
