"""Batches: the same changes in few large releases or in many small ones, over a year.

A year has a number of changes, ready at even intervals and alike. Released `size` at a time, a
change waits for its batch, is tested and deployed with it, and shares its fate. What a release
costs and how long it takes is simulated; waiting is arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulator.decide.flip import PRECISE, ROUGH, Bisection, Flip, Search, both_ways
from simulator.findings.comparison import SIDE_STUDY, simulate_each
from simulator.findings.executors import Workers
from simulator.findings.means import Interval
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.results import FRESH, Results
from simulator.findings.study import Progress, strata
from simulator.findings.verdict import has_money
from simulator.words.changes import number_at, parse_path

if TYPE_CHECKING:
    from simulator.words.change import Change
    from simulator.words.scenario import Scenario

COUNT, OVERHEAD = "change.changes.count", "costs.release"
YEAR, _HOUR = 365 * 86_400.0, 3600.0
USUAL = Search(OVERHEAD, 0, 100_000)
_FEWEST = 20


class Batch(NamedTuple):
    """One way to release the work: in `releases` of `size` changes, each defective with `chance`.

    All intervals are 95 %, simulation error only. A year has `failed` requests that would not have
    failed, `culprit` hours of searching for the change that was it, `overhead` and `total` in
    money (None without prices of harm or waiting); `lead` is the mean time from a change being
    ready until a working version with it carries all traffic, of which `wait` for its batch (s).
    """

    releases: int
    size: int
    chance: float
    a_year: float
    failed: Interval
    wait: float
    lead: Interval
    culprit: Interval
    overhead: Interval
    total: Interval | None


class Batches(NamedTuple):
    """All ways to release the work under one strategy; `per_year` changes.

    `best` is the number of releases with the smallest total (None without money); `flips` are the
    values of the searched settings at which another number takes over.
    """

    scenario: Scenario
    strategy: str
    per_year: int
    seed: int
    replications: int
    ways: tuple[Batch, ...]
    best: int | None
    flips: tuple[Flip, ...]
    searched: tuple[str, ...]


class _Way(NamedTuple):
    """A number of releases, and the study of one of them."""

    releases: int
    results: Results


class _Work(NamedTuple):
    """What all ways have in common."""

    scenario: Scenario
    strategy: str
    per_year: int
    workers: Workers
    progress: Progress | None


def divisors(count: int) -> tuple[int, ...]:
    """In how many releases so many changes can be made, all of one size."""
    return tuple(n for n in range(1, count + 1) if count % n == 0)


def usual(count: int) -> tuple[int, ...]:
    """All at once, one by one, and what is nearest to halfway between them."""
    known = divisors(count)
    return tuple(sorted({1, known[len(known) // 2], count}))


def batches(
    scenario: Scenario,
    ways: Sequence[int] = (),
    per_year: int = 250,
    strategy: str = "",
    replications: int = 200,
    seed: int = 1,
    searches: Sequence[Search] = (USUAL,),
    workers: Workers = 1,
    progress: Progress | None = None,
) -> Batches:
    """The changes of a scenario's release in other numbers of releases, each played.

    Without `ways` they are all at once, one by one, and what is nearest to halfway between them.
    Every flip is found by bisection on simulated figures and checked on both sides with fresh luck.
    Raises ValueError for a scenario that does not say what its release carries, and for a number
    of releases that does not divide it.
    """
    _check(scenario.change, ways)
    ways = ways or usual(scenario.change.count)
    if any(search.path == COUNT for search in searches):
        raise ValueError(f"{COUNT} is what differs between the releases; search another setting")
    work = _Work(scenario, strategy or scenario.to_check, per_year, workers, progress)
    studies = _studies(work, ways, replications, seed)
    money = has_money(studies[0].results)
    found = [_batch(way, per_year) for way in studies]
    flips: list[Flip] = []
    if money and len(ways) > 1:
        again = _studies(work, ways, replications, seed + FRESH)
        for search in searches:
            flips += _crossings(work, search, studies, again)
    best = min(found, key=_total).releases if money else None
    searched = tuple(search.path for search in searches) if money else ()
    return Batches(
        *(scenario, work.strategy, per_year, seed, replications),
        *(tuple(found), best, tuple(flips), searched),
    )


def _check(change: Change, ways: Sequence[int]) -> None:
    if change.changes is None:
        raise ValueError("does not say what a release carries; add change.changes to it")
    for releases in ways:
        if releases < 1 or change.count % releases:
            fit = ", ".join(map(str, divisors(change.count)))
            raise ValueError(
                f"{change.count} changes do not fit into {releases} releases of one "
                f"size; write some of {fit}"
            )


def _studies(
    work: _Work, ways: Sequence[int], replications: int, seed: int, path: str = "", value: float = 0
) -> list[_Way]:
    """A study of one release of every way, with one luck; with another value at `path`."""
    count = work.scenario.change.count
    variants = [work.scenario.with_(COUNT, count // releases) for releases in ways]
    if path:
        variants = [variant.with_(path, value) for variant in variants]
    jobs = [(one, [work.strategy], strata(one, replications, _FEWEST)) for one in variants]
    found = simulate_each(jobs, seed, work.workers, work.progress)
    return [_Way(*pair) for pair in zip(ways, found, strict=True)]


def _batch(way: _Way, per_year: int) -> Batch:
    """The year of one way."""
    results = way.results
    scenario = results.scenario
    change = scenario.change
    assert change.changes is not None
    risk = next(iter(results.risk().values()))
    a_year = per_year / change.count
    wait, waiting = _waiting(scenario, per_year)
    noticed = _one_less(risk.given_defect.proportion("caught_by", "nobody"))
    hours = change.changes.steps * change.changes.bisect / _HOUR
    lead = risk.all.time_to_value.mean
    total = _times(risk.all.loss.mean, a_year, waiting) if has_money(results) else None
    return Batch(
        *(way.releases, change.count, change.defect_probability, a_year),
        _times(risk.all.failed_requests.mean, a_year),
        wait,
        _times(lead, 1.0, wait),
        _times(noticed, a_year * change.defect_probability * hours),
        _times(risk.all.loss_release.mean, a_year),
        total,
    )


def _waiting(scenario: Scenario, per_year: int) -> tuple[float, float]:
    """How long a change waits for its batch (s), and what all waiting of a year costs."""
    wait = (scenario.change.count - 1) / 2 * YEAR / per_year
    return wait, per_year * wait / _HOUR * scenario.costs.delay


def _times(one: Interval, factor: float, more: float = 0.0) -> Interval:
    return Interval(*(None if x is None else factor * x + more for x in one))


def _one_less(one: Interval) -> Interval:
    value, low, high = (None if x is None else 1.0 - x for x in one)
    return Interval(value, high, low)


def _total(batch: Batch) -> float:
    """What a year costs, as far as it is known."""
    return (batch.total.value if batch.total else None) or 0.0


def _crossings(
    work: _Work, search: Search, studies: Sequence[_Way], again: Sequence[_Way]
) -> list[Flip]:
    """Every value between the ends of a search at which another way takes over, from the low end
    up.
    """
    path = search.path
    low, high = (
        number_at(work.scenario.with_(path, value), path) for value in (search.low, search.high)
    )
    weighs, whole = only_weighs(parse_path(path)), isinstance(low, int) and isinstance(high, int)
    within = PRECISE if weighs else ROUGH
    leaders: list[Callable[[float], str]] = [
        partial(_weighing if weighs else _playing, work, path, ways) for ways in (studies, again)
    ]
    found: list[Flip] = []
    at, best = low, leaders[0](low)
    while at < high and leaders[0](high) != best:
        looked_for = Bisection(path, at, (at, high), best, within, whole)
        found += both_ways(looked_for, *leaders)
        at, best = found[-1].flips_at, found[-1].to
    return [flip._replace(searched=(low, high)) for flip in found]


def _weighing(work: _Work, path: str, ways: Sequence[_Way], value: float) -> str:
    """The cheapest way at a value that only weighs the replications that are there."""
    changed = [
        _Way(way.releases, reconsidered(way.results, way.results.scenario.with_(path, value)))
        for way in ways
    ]
    return _cheapest(work, changed)


def _playing(work: _Work, path: str, ways: Sequence[_Way], value: float) -> str:
    """The cheapest way at a value that has to be played, by a side study."""
    results = ways[0].results
    count = min(max(results.replications["good"], 1), SIDE_STUDY)
    names = [way.releases for way in ways]
    return _cheapest(work, _studies(work, names, count, results.seed, path, value))


def _cheapest(work: _Work, ways: Sequence[_Way]) -> str:
    def cost(way: _Way) -> float:
        """The total of a year without its interval, which takes most of the time."""
        scenario = way.results.scenario
        loss = next(iter(way.results.risk().values())).all.mean("loss") or 0.0
        waiting = _waiting(scenario, work.per_year)[1]
        return work.per_year / scenario.change.count * loss + waiting

    return str(min(ways, key=cost).releases)
