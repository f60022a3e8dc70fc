"""Where the textbook's advice flips: found by the search itself, against what arithmetic says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from simulator.decide.flip import search, searched_flips
from simulator.findings.comparison import simulate
from simulator.findings.results import Risk
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
    """The bake of a wave and the start of the next one's instances. Noticed a moment later, 30 %
    of the users meet the defect for the 5 min of the decision, and 1 - e^-3 of them are harmed."""
    return 1800.0 + 60.0


# A rolling update of twenty, one more at a time: 60 s until an instance serves, 30 s until an old
# one leaves. Noticed 240 s after the first harm, decided 120 s later, with four new ones.
_UP = [
    *((30, 1 / 21), (60, 1 / 20), (30, 2 / 21), (60, 2 / 20), (30, 3 / 21), (60, 3 / 20)),
    (90, 4 / 21),
]
_DOWN = [(60, 3 / 20), (30, 3 / 21), (60, 2 / 20), (30, 2 / 21), (60, 1 / 20), (30, 1 / 21)]


def _mixing(weight: float) -> float:
    return 2 * weight * (1 - weight)


def _mixed_versions() -> float:
    """Half of the plain errors' difference against what one incompatibility costs."""
    switch = 100 * 0.02 * (240 + 120 + 60)
    rolling = 100 * 0.02 * sum(time * weight for time, weight in _UP + _DOWN)
    stays = 0.6 * _mixing(4 / 21)
    before = sum(time * _mixing(weight) for time, weight in _UP)
    after = sum(time * (stays + 0.4 * _mixing(weight)) for time, weight in _DOWN)
    return 0.5 * (switch - rolling) / (100 * 0.10 * (before + after + 7200 * stays))


def _sync_error() -> float:
    """Waves cost r p (0.1 x 1860 s + 0.4 x 2340 s) when a release is bad (10 %): it is noticed 1 h
    after the first harm, which keeps the third wave back. Two systems spoil r e in each of two
    days, for a bad release mostly in one, and miss one bad release in a hundred: r p (D + R).
    """
    waves = 0.1 * 50 * 0.05 * (0.1 * 1860 + 0.4 * 2340)
    missed = 0.1 * 0.01 * 50 * 0.05 * 4200
    days = 0.9 * 2 + 0.1 * (0.9 * 1 + 0.1 * 2)
    return (waves - missed) / (50 * 86_400 * days)


def _dns_ttl() -> float:
    """90 % are back after the propagation and 0.9 of the time to live (of those up to 6 min: all
    have moved when it is decided). Redeployed one after the other in 90 s, five are new by then,
    and the fifth is taken out when four are back: 6 min.
    """
    return (360 - 60) / 0.9


def _in_place() -> float:
    """A quarter is out for four times 3 min, for a bad release (5 %) twice: 600 (1 - 0.75/u) of the
    requests are rejected a second. A bad release fails for 3, 3 and 9 min on a third, two thirds
    and all of the traffic, and on its way back as a mirror image: 18 min against 15. A second
    fleet is paid for 63 min, or for 18 when the release is bad.
    """
    fleet = 12 * 0.20 * (0.95 * 63 + 0.05 * 18) / 60
    failing = 0.05 * 600 * 0.01 * (18 - 15) * 60 * 0.001
    rejecting = 600 * (0.95 + 0.05 * 2) * 720 * 0.001
    return 0.75 / (1 - (fleet - failing) / rejecting)


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
        _dns_ttl(),
    ),
    Case("flip-in-place", "service.utilisation", "50%", "95%", "in place", "beside", _in_place()),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_search_finds_the_flip_where_it_should_be(case: Case) -> None:
    """The search stops when 5 % are left, and names the far end: from 2 % below the arithmetic
    (luck) to 8 % above it. Fresh luck agrees on both sides."""
    scenario = load(case.name)
    results = simulate(scenario, 60, seed=1)
    assert ranking(results)[0] == case.now == scenario.planned
    looked_for = search(scenario, case.path, case.low, case.high)
    (flip,) = searched_flips(results, case.now, [looked_for])
    assert flip.to == case.to
    assert flip.verified
    assert flip.now < 0.98 * case.flips_at <= flip.flips_at <= 1.08 * case.flips_at


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("side", ["before", "beyond"])
def test_another_leads_on_each_side_of_the_arithmetic(case: Case, side: str) -> None:
    """5 % below what arithmetic says and 5 % above (the utilisation: 0.5 %)."""
    aside = 0.005 if case.name == "flip-in-place" else 0.05
    value = case.flips_at * (1 - aside if side == "before" else 1 + aside)
    results = simulate(load(case.name).with_(case.path, value), 100, seed=2)
    assert ranking(results)[0] == (case.now if side == "before" else case.to)


def _risks(name: str, path: str, values: Iterable[Any]) -> list[Risk]:
    scenario = load(name)
    return [simulate(scenario.with_(path, value), 50, seed=1).risk() for value in values]


def test_waves_harm_everybody_when_all_of_them_have_begun() -> None:
    """Seen within the first wave 10 % are harmed, within the second 40 %, after the third (62 min)
    as many as by a switch (the last wave harms 1 - e^-3 of its users while somebody decides)."""
    found = _risks("flip-slow-detection", "detection.noticed.after", ["20m", "50m", "65m"])
    waves = [risk["phased"].given_defect.mean("users_harmed") for risk in found]
    switch = [risk["all at once"].given_defect.mean("users_harmed") for risk in found]
    assert waves == pytest.approx([0.1, 0.4, 1.0], rel=0.02)
    assert switch == pytest.approx([1.0, 1.0, 1.0], rel=0.001)


def test_a_time_to_live_delays_and_does_not_harm() -> None:
    """r p (D + R + propagation) = 200 x 0.2 x 420 s failed requests whatever the time to live, up
    to 4 standard errors of 50 Poisson draws. Times to live above the 6 min until the decision: the
    share 360 s / ttl falls to a tenth of that ttl + 420 s - 36 s after the cut-over."""
    exact = 200 * 0.2 * (300 + 60 + 60)
    back = {30: 60 + 0.9 * 30, 300: 60 + 0.9 * 300, 600: 600 + 24, 7200: 7200 + 24}
    found = _risks("flip-dns-ttl", 'strategies["by dns"].cutover.dns.ttl', back)
    for seconds, risk in zip(back.values(), found, strict=True):
        bad = risk["by dns"].given_defect
        assert bad.mean("failed_requests") == pytest.approx(exact, abs=4 * (exact / 50) ** 0.5)
        assert bad.mean("rollback_90") == pytest.approx(seconds, abs=0.01)


def test_a_switch_never_meets_an_incompatibility() -> None:
    """Failed requests of each kind, as the arithmetic of the flip has them, within 2 %."""
    found = simulate(load("flip-mixed-versions"), 100, seed=1).risk()
    failed = {
        name: [risk.under(kind).mean("failed_requests") for kind in ("errors", "mixed_versions")]
        for name, risk in found.items()
    }
    assert failed["all at once"] == pytest.approx([840, 0], rel=0.02)
    assert failed["rolling"] == pytest.approx([140.6, 14_758], rel=0.02)
