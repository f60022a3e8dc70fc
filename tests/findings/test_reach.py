"""Power along length, weight and traffic, against the arithmetic of counts."""

from __future__ import annotations

import math

import pytest
from scipy.stats import poisson

from simulator.findings.means import Interval
from simulator.findings.reach import ALONG, LENGTH, TRAFFIC, WEIGHT, Curve, Point, reach
from simulator.findings.trial import ALL
from simulator.words.reading import load
from tests.play.playing import bare

COUNT = 250
BAKE = 5.0


def agrees(found: Interval, exact: float) -> bool:
    error = math.sqrt(max(exact * (1 - exact), 1e-4) / COUNT)
    return found.value is not None and abs(found.value - exact) <= 4 * error


@pytest.fixture(scope="module")
def curves() -> dict[str, Curve]:
    """A step of 10 % of 2 rps for 5 minutes, judged against 2.5 %: two errors of 60 requests."""
    found = reach(load("quiet-api"), "10 %, 5 min", 0, seed=5, replications=COUNT)
    return {curve.along: curve for curve in found if curve.detector == "judge"}


def test_every_value_has_the_power_of_its_requests(curves: dict[str, Curve]) -> None:
    """A judge that stops above 2.5 % of m errors in n requests (2 % fail): P(m > 0.025 n), with
    n and m Poisson of the requests at that length, weight or traffic."""
    assert set(curves) == set(ALONG)
    for curve in curves.values():
        assert len(curve.points) > 5
        for point in curve.points:
            exact = stopped(point.requests)
            assert agrees(point.power["errors"], exact), (curve.along, point.at, exact)


def stopped(requests: float) -> float:
    """P(bad / (bad + good) > 2.5 %), bad ~ Poisson(2 % of requests), good ~ Poisson(98 %)."""
    bad, good = 0.02 * requests, 0.98 * requests
    most = int(bad + 12 * math.sqrt(bad) + 12)
    return math.fsum(
        float(poisson.pmf(m, bad)) * float(poisson.cdf(math.ceil(m / 0.025 - m) - 1, good))
        for m in range(1, most)
    )


def test_values_that_mean_the_same_see_the_same_requests(curves: dict[str, Curve]) -> None:
    """Twice as long, twice the weight and twice the traffic are twice the requests."""

    def seen(along: str, at: float) -> Point:
        return min(curves[along].points, key=lambda point: abs(point.at - at))

    assert curves[LENGTH].now == BAKE * 60
    assert curves[WEIGHT].now == pytest.approx(0.1)
    now = seen(LENGTH, BAKE * 60).requests
    assert now == pytest.approx(seen(WEIGHT, 0.1).requests) == seen(TRAFFIC, 1).requests
    assert seen(WEIGHT, 1).requests == pytest.approx(10 * now)
    assert seen(TRAFFIC, 10).requests == pytest.approx(10 * now)


def test_a_longer_look_never_sees_less() -> None:
    """Without a judge one play is read off at every length."""
    scenario = bare(
        rate="rate: 5 rps",
        defect="{kind: errors, rate: 10%}",
        detection="alarms: [{above: 20%, phase: aligned}]",
        strategy="canary: {steps: [{weight: 10%, bake: 20m}]}",
    )
    (curve,) = (c for c in reach(scenario, "canary", 0) if c.along == LENGTH and c.detector == ALL)
    powers = [point.power[ALL].value or 0.0 for point in curve.points]
    assert powers == sorted(powers)
    assert powers[0] < 0.2
    assert powers[-1] == 1
    enough = curve.enough()
    assert enough is not None
    assert [p >= 0.9 for p in powers] == [point.at >= enough for point in curve.points]
    assert 20 * 60 in [point.at for point in curve.points]


def test_what_has_no_weight_to_set_is_not_varied_in_it() -> None:
    found = reach(load("textbook"), "parallel_adoption", 0, replications=20, fewest=5)
    assert {curve.along for curve in found} == {LENGTH, TRAFFIC}
