"""Small batches, stages of tests, coupled services: each answer, and where it flips."""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulator.decide.batches import Batches, batches
from simulator.decide.flip import Search, search, searched_flips
from simulator.findings.comparison import simulate
from simulator.findings.verdict import ranking
from simulator.words.reading import load
from simulator.words.scenario import Scenario

YEAR_HOURS, PER_YEAR = 8760, 250


@cache
def small() -> Batches:
    return batches(load("small-batches"), (1, 4, 20), PER_YEAR, replications=60)


def test_between_two_overheads_four_releases_are_the_cheapest() -> None:
    """Waiting costs delay x year / 2 x s of a year for sizes s, the work overhead x N / s: sizes s
    and t cost the same at delay x year / 2 x s x t / N, 21.9 and 438. The rest (bad releases wait
    for the next attempt, in the larger one all changes) is below 3 %. Fresh luck agrees."""
    found = small()
    delay = found.scenario.costs.delay
    exact = [delay * YEAR_HOURS / 2 * s * t / PER_YEAR for s, t in ((1, 5), (5, 20))]
    assert [flip.flips_at for flip in found.flips] == pytest.approx(exact, rel=0.03)
    assert [flip.to for flip in found.flips] == ["4", "1"]
    assert all(flip.verified for flip in found.flips)
    assert found.best == 4
    assert exact[0] < found.scenario.costs.release < exact[1]


@pytest.mark.parametrize(("overhead", "best"), [(20, 20), (24, 4), (400, 4), (480, 1)])
def test_another_number_of_releases_leads_on_each_side(overhead: float, best: int) -> None:
    """A tenth below and above the arithmetic, with other luck."""
    scenario = load("small-batches").with_("costs.release", overhead)
    found = batches(scenario, (1, 4, 20), PER_YEAR, replications=20, seed=5, searches=())
    assert found.best == best


def test_small_batches_harm_as_much_a_year_and_save_time() -> None:
    """Failed requests a year are N / s x (1 - (1 - q)^s) of a bad release's, up to those that usual
    errors cause; waits are (s - 1) / 2 of the time between two changes; the culprit takes log2 s
    steps of 20 min with one bad release in 1 / p."""
    ways = {way.size: way for way in small().ways}
    q = 0.005 * 0.4
    for size, way in ways.items():
        chance = 1 - (1 - q) ** size
        assert way.chance == pytest.approx(chance)
        assert way.wait == pytest.approx((size - 1) / 2 * 365 * 86_400 / PER_YEAR)
        assert way.overhead.value == pytest.approx(50 * PER_YEAR / size)
        hours = PER_YEAR / size * chance * math.log2(size) / 3
        assert way.culprit.value == pytest.approx(hours, rel=0.05)
        assert way.lead.value is not None
        assert way.lead.value > way.wait
    failed = [ways[size].failed.value or 0.0 for size in (1, 20)]
    assert failed[1] / failed[0] == pytest.approx((1 - (1 - q) ** 20) / (20 * q), rel=0.01)


def _escapes(catches: float) -> float:
    """The chance that a release of five changes is bad when the first stage finds so many."""
    return 1 - (1 - 0.05 * (1 - catches) * 0.8) ** 5


def test_a_canary_is_worth_its_half_hour_until_tests_find_half_of_the_defects() -> None:
    """0.01 (100 x 20 % (600 + 120 + 60) - 100 x 20 % x 10 % x 720) saved when the release is bad,
    five times 5/h for (30 + 1) min always: 9.1 % bad releases, which 53 % of the first stage's
    defects found make. The search names the far end of 5 %, fresh luck agrees."""
    scenario = load("test-stages")
    assert scenario.change.defect_probability == pytest.approx(_escapes(0.2))
    saved = 0.01 * (100 * 0.2 * 780 - 100 * 0.2 * 0.1 * 720)
    chance = 5 * 5 / 3600 * 1860 / saved
    flips_at = 1 - (1 - (1 - chance) ** 0.2) / 0.05 / 0.8
    results = simulate(scenario, 60, seed=1)
    assert ranking(results)[0] == "canary" == scenario.planned
    looked_for = search(scenario, "change.changes.tests[0].catches", "0%", "95%")
    (flip,) = searched_flips(results, "canary", [looked_for])
    assert flip.to == "all at once"
    assert flip.verified
    assert 0.98 * flips_at <= flip.flips_at <= 1.08 * flips_at
    for aside, best in ((0.95, "canary"), (1.05, "all at once")):
        there = scenario.with_("change.changes.tests[0].catches", aside * flips_at)
        assert ranking(simulate(there, 60, seed=2))[0] == best


def _services(touched: int) -> float:
    """Expected loss of a change that touches so many of five services."""
    reach, extra = touched / 5, touched - 1
    errors = 20 * reach * (1000 + 120 + 60 - 30 * extra)
    mixed = 30 * reach * 60 * (touched**2 - 1) / (3 * touched)
    return 50 * touched + 0.1 * 0.05 * (errors + mixed) / 2


def _coupled(coupling: float) -> float:
    """The same over how many are touched: one, and four more by chance."""
    return sum(
        math.comb(4, k) * coupling**k * (1 - coupling) ** (4 - k) * _services(1 + k)
        for k in range(5)
    )


def _flips_at() -> float:
    """Where a switch of everything costs as much: 50 and 5 % of 20 x 1180 requests, half of it."""
    monolith = 50 + 0.1 * 0.05 * 20 * 1180 / 2
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _coupled(middle) < monolith else (low, middle)
    return low


@pytest.fixture(scope="module")
def coupled() -> Scenario:
    return load("coupled-services")


COUPLING = "strategies.services.coupling"


def test_services_lose_to_a_monolith_above_a_coupling(coupled: Scenario) -> None:
    """19 %, within 4 standard errors of 200 draws of how many are touched (sd 0.8 of 62 USD, slope
    250 USD); fresh luck agrees on both sides."""
    results = simulate(coupled, 200, seed=1)
    assert ranking(results)[0] == "services" == coupled.planned
    looked_for: Search = search(coupled, COUPLING, "0%", "100%")
    (flip,) = searched_flips(results, "services", [looked_for])
    assert flip.to == "monolith"
    assert flip.verified
    assert _flips_at() == pytest.approx(0.19, abs=0.01)
    assert flip.flips_at == pytest.approx(_flips_at(), abs=4 * 0.8 * 62 / 250 / math.sqrt(200))


@pytest.mark.parametrize(("coupling", "best"), [(0.12, "services"), (0.26, "monolith")])
def test_another_leads_on_each_side_of_that_coupling(
    coupled: Scenario, coupling: float, best: str
) -> None:
    assert ranking(simulate(coupled.with_(COUPLING, coupling), 200, seed=3))[0] == best


@pytest.mark.parametrize(("coupling", "touched"), [("0%", 1), ("100%", 5)])
def test_independent_services_and_a_lock_step(
    coupled: Scenario, coupling: str, touched: int
) -> None:
    """At 0 % a fifth of the harm and one release; at 100 % five releases, five times the time, and
    more harm than the monolith. Losses as by arithmetic, within 2 %."""
    risk = simulate(coupled.with_(COUPLING, coupling), 60, seed=1).risk()
    services, monolith = risk["services"], risk["monolith"]
    assert services.all.mean("loss") == pytest.approx(_services(touched), rel=0.02)
    assert services.all.mean("releases") == touched
    assert services.given_good.mean("time_to_deploy") == 60 * touched
    assert monolith.given_good.mean("time_to_deploy") == 60
    harm = [one.given_defect.mean("failed_requests") or 0.0 for one in (services, monolith)]
    assert (harm[0] > harm[1]) == (touched == 5)
    if touched == 1:
        assert harm[0] / harm[1] == pytest.approx(1 / 5, rel=0.02)
