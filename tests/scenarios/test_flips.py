"""Where the textbook's advice flips: found by the search itself, against what arithmetic says."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest

from simulator.decide.flip import search, searched_flips
from simulator.findings.comparison import simulate
from simulator.findings.verdict import ranking
from simulator.words.reading import load


class Case(NamedTuple):
    """A scenario, the setting to search, who leads now and beyond the flip, and where it is."""

    name: str
    path: str
    low: Any
    high: Any
    now: str
    to: str
    flips_at: float


def _slow_detection() -> float:
    """The bake of a wave and the start of the next one's instances, until 5 % of the users in the
    second wave (30 %) have met a failure: 0.01 a second each."""
    return 1800 + 60 - 100 * math.log(1 - 0.05 / 0.3)


def _mixed_versions() -> float:
    """Per defective release the switch costs r p (D + R) and the rolling update its part of it; the
    other way round an incompatibility costs r q s 2w(1-w) for the two hours of the repair, w = 4/21
    when it is undone (three of twenty, one more on its way), and what it does until then."""
    switch, rolling = 100 * 0.02 * 420, 113.0
    weight = 4 / 21
    mixed = 100 * 0.10 * (0.6 * 2 * weight * (1 - weight) * 7200 + 2 * 0.1 * 0.9 * 660)
    return 0.5 * (switch - rolling) / mixed


def _sync_error() -> float:
    """Waves cost r p (0.1 x 1860 s + 0.4 x 2340 s) when a release is bad (10 %): it is noticed 1 h
    after the first harm, which keeps the third wave back. Two systems spoil r e in each of two
    days, for a bad release mostly in one, and miss one bad release in a hundred: r p (D + R).
    """
    waves = 0.1 * 50 * 0.05 * (0.1 * 1860 + 0.4 * 2340)
    missed = 0.1 * 0.01 * 50 * 0.05 * 4200
    days = 0.9 * 2 + 0.1 * (0.9 * 1 + 0.1 * 2)
    return (waves - missed) / (50 * 86_400 * days)


CASES = (
    Case(
        "flip-slow-detection",
        "detection.noticed.after",
        "5m",
        "4h",
        "phased",
        "all at once",
        _slow_detection(),
    ),
    Case(
        "flip-mixed-versions",
        "change.defects[1].share",
        "1%",
        "100%",
        "rolling",
        "all at once",
        _mixed_versions(),
    ),
    Case(
        "flip-sync-error",
        "strategies.parallel_adoption.sync_error",
        "0.00001%",
        "1%",
        "parallel_adoption",
        "phased",
        _sync_error(),
    ),
    Case(
        "flip-dns-ttl",
        'strategies["by dns"].cutover.dns.ttl',
        "30s",
        "2h",
        "by dns",
        "redeploy",
        (390 - 60) / 0.9,
    ),
    Case("flip-in-place", "service.utilisation", "50%", "95%", "in place", "beside", 0.75),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_search_finds_the_flip_where_it_should_be(case: Case) -> None:
    """Within 10 % of the arithmetic (the search stops at 5 %); fresh luck agrees on both sides."""
    scenario = load(case.name)
    results = simulate(scenario, 60, seed=1)
    assert ranking(results)[0] == case.now == scenario.planned
    looked_for = search(scenario, case.path, case.low, case.high)
    (flip,) = searched_flips(results, case.now, [looked_for])
    assert flip.to == case.to
    assert flip.verified
    assert flip.flips_at > flip.now
    assert flip.flips_at == pytest.approx(case.flips_at, rel=0.1)
