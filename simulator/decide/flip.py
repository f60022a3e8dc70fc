"""Flips: where another strategy becomes the best one when a single setting changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.decide import alone
from simulator.findings.comparison import FEWEST, SIDE_STUDY, played, side_study
from simulator.findings.executors import Workers
from simulator.findings.reconsider import CHANCE, EACH, PRICES, reconsidered
from simulator.findings.study import Progress, strata
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
    @cache
    def leader(value: float) -> str:
        """The best strategy at this value."""
        return ranking(reconsidered(results, _with(results.scenario, path, value)))[0]

    return leader


def _with(scenario: Scenario, path: str, value: float) -> Scenario:
    """The scenario with another value, for weighing; a price or a stated chance is a plain number,
    so that the rest of the file need not be read again.
    """
    if path == EACH:
        return scenario.with_(path, value)
    section, key = path.split(".")
    field = "stated" if path == CHANCE else key
    changed = getattr(scenario, section).model_copy(update={field: value})
    return scenario.model_copy(update={section: changed})


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
    changes = [
        (search.path, scenario.with_(search.path, value))
        for search in searches
        for value in (search.low, search.high)
    ]
    side, fresh = _Side(results, jobs), _Side(results.other_luck(), jobs, anew=True)
    at_ends = side.leaders(changes, progress)
    for number, search in enumerate(searches):
        low, high = (number_at(end, search.path) for _, end in changes[2 * number : 2 * number + 2])
        known = {low: at_ends[2 * number], high: at_ends[2 * number + 1]}
        now = min(max(number_at(scenario, search.path), low), high)
        whole = isinstance(low, int) and isinstance(high, int)
        looked_for = Bisection(search.path, now, (low, high), best, ROUGH, whole)
        leader, again = side.leader(search.path, known), fresh.leader(search.path, {})
        found += both_ways(looked_for, leader, again)
    return tuple(sorted(found, key=_distance))


def cost(scenario: Scenario, searches: Sequence[Search], replications: int) -> int:
    """How many replications a search plays for each strategy before it cuts any range."""
    groups = strata(scenario, min(max(replications, 1), SIDE_STUDY), FEWEST)
    return alone.cost(groups, [search.path for search in searches])


class _Side:
    """Side studies with one luck: who leads when a single setting changes.

    What a setting does not touch is taken from the results, or played `anew`.
    """

    def __init__(self, results: Results, jobs: Workers, anew: bool = False) -> None:
        self._results, self._jobs, self._anew = results, jobs, anew

    @cached_property
    def _base(self) -> Results:
        results, groups = self._results, side_study(self._results)
        if self._anew:
            return played(results, [(results.scenario, results.names, groups)], self._jobs)[0]
        return results.first({group.number: group.replications for group in groups})

    def leaders(
        self, changes: Sequence[tuple[str, Scenario]], progress: Progress | None = None
    ) -> list[str]:
        """Who leads after each change of a setting."""
        base = self._base
        groups = base.played(side_study(self._results))
        return [
            ranking(one)[0] for one in alone.altered(base, groups, changes, self._jobs, progress)
        ]

    def leader(self, path: str, known: dict[float, str]) -> At:
        """Who leads at a value of a setting, by a side study unless it is known."""

        def at(value: float) -> str:
            if value not in known:
                changed = self._results.scenario.with_(path, value)
                known[value] = self.leaders([(path, changed)])[0]
            return known[value]

        return at


def search(scenario: Scenario, path: str, low: Any, high: Any) -> Search:
    """A search that the scenario takes; raises ScenarioError, or ValueError when low >= high."""
    ends = [number_at(scenario.with_(path, value), path) for value in (low, high)]
    number_at(scenario, path)
    if not ends[0] < ends[1]:
        raise ValueError(f"{path}: {low} is not below {high}")
    return Search(path, low, high)


def asked(scenario: Scenario, texts: Sequence[str]) -> tuple[Search, ...]:
    """The searches in texts: `all`, or a setting with a range such as `response.watch=5m..1h`.

    Raises ValueError for what is no range, ScenarioError for what the scenario refuses.
    """
    found: list[Search] = []
    for text in texts:
        path, _, span = text.partition("=")
        low, between, high = span.partition("..")
        if text == "all":
            found += assumed(scenario)
            continue
        if not (path and between and low and high):
            raise ValueError(
                f"{text!r} is no range; write PATH=LOW..HIGH, e.g. response.watch=5m..1h, or all"
            )
        try:
            found.append(search(scenario, path, low, high))
        except ScenarioError as error:
            raise ScenarioError([p._replace(file="--flips") for p in error.problems]) from None
        except TypeError as error:
            raise ValueError(str(error)) from None
    return tuple(found)


def assumed(scenario: Scenario) -> tuple[Search, ...]:
    """Every assumption with a plausible range of numbers, as a search."""
    found = []
    for row in scenario.assumed:
        if row.low is None or row.high is None:
            continue
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
