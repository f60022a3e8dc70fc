"""The short form of the validation page: the same rows with fewer replications."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simulator.strategies.blue_green import BlueGreen
from simulator.words.cutover import Method, method
from simulator.words.strategy import Strategy
from tests.answers import oracles
from tests.validation import approximate, checks, coverage, page
from tests.validation.rows import Row, compare

PART = 0.2
FAR = 4.0
ROWS = [row for make in page.TABLES.values() for row in make()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.figure)
def test_every_row_is_near_its_closed_form(row: Row) -> None:
    found = compare(row, PART).finding
    assert found.distance <= FAR, (row.name, found)


def _variant(strategy: Strategy) -> str:
    for setting in ("growth", "mode", "in_place"):
        if hasattr(strategy, setting):
            return f"{strategy.kind}, {setting} {getattr(strategy, setting)}"
    return strategy.kind


def _methods(row: Row) -> list[object]:
    strategy = next(iter(row.scenario.strategies.values()))
    return [method(strategy.cutover)] if isinstance(strategy, BlueGreen) else []


def test_every_strategy_and_detector_has_rows() -> None:
    """At least two each, in sixty rows or more of twelve formulas or more."""
    strategies = Counter(_variant(next(iter(r.scenario.strategies.values()))) for r in ROWS)
    assert set(strategies) == {
        "big_bang, in_place True",
        "big_bang, in_place False",
        "rolling, mode window",
        "rolling, mode batch",
        "phased",
        "parallel_adoption",
        "canary",
        "linear, growth linear",
        "linear, growth exponential",
        "ab_test",
        "blue_green",
        "immutable",
        "shadow",
        "feature_flag",
        "rate_controlled",
        "service_by_service",
        "ecs_rolling",
        "ecs_blue_green",
        "ecs_linear",
        "ecs_canary",
        "kubernetes_rolling",
        "kubernetes_recreate",
        "cloudformation_rolling",
        "beanstalk",
        "codedeploy",
        "maintenance_window",
        "opsworks_deploy",
        "appconfig, growth linear",
        "appconfig, growth exponential",
    }
    methods = Counter(type(how).__name__ for r in ROWS for how in _methods(r))
    assert set(methods) == {"Method", *(kind.__name__ for kind in Method.__subclasses__())}
    assert min(methods.values()) >= 2
    assert min(strategies.values()) >= 2
    detectors = Counter(row.detector for row in ROWS if row.detector)
    for name in (
        *("health", "alarm new", "alarm old", "alarm service", "noticed", "audit", "judge"),
        *("people", "reconciliation", "smoke test", "burn rate", "operator"),
        *("circuit breaker", "missing signals", "minimum healthy hosts"),
    ):
        assert detectors[name] >= 2, name
    assert len(ROWS) >= 60
    assert len({row.formula for row in ROWS}) >= 12
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_a_broken_engine_is_rejected() -> None:
    """Harm that is 15 % too large is far off, and so is a law whose mean is."""
    row = next(row for row in ROWS if row.formula == "r p (D + R)")
    assert compare(replace(row, exact=row.exact / 1.15), PART).finding.distance > FAR
    draws = np.random.default_rng(1).exponential(1.15, 4000)
    law = checks.law(lambda t: 1 - np.exp(-t))
    assert law(list(draws), np.nan).distance > FAR
    numbers = np.random.default_rng(1).poisson(23, 500)
    poisson = checks.counts(lambda k: np.exp(k * np.log(20) - 20 - np.cumsum(np.log(k + (k == 0)))))
    assert poisson(list(numbers), np.nan).distance > FAR


def test_an_exact_answer_is_no_distance_away_and_a_wrong_one_infinitely() -> None:
    assert checks.mean([2.0] * 5, 2.0 + 1e-12).distance == 0
    assert checks.mean([2.0] * 5, 2.1).distance == np.inf


def test_the_oracles_agree_with_published_values() -> None:
    """Sample sizes as in textbooks; the slowest of 100 log-normal starts; powers of counts."""
    sizes = [
        oracles.smaller_arm(0.001, 0.01, 1, 0.05, 0.8),
        oracles.smaller_arm(0.01, 0.02, 1, 0.05, 0.8),
        oracles.smaller_arm(0.001, 0.01, 19, 0.05, 0.8),
        oracles.smaller_arm(0.001, 0.002, 19, 0.05, 0.8),
    ]
    assert sizes == [1059, 2319, 318, 10_655]
    assert oracles.slowest_lognormal(50, 0.5, 100) == pytest.approx(179.473, abs=1e-3)
    assert oracles.lognormal_worst(100, 1, 0.95) == pytest.approx(855.72, abs=0.01)
    assert oracles.breach(60, 0.02, 0.0) == pytest.approx(-np.expm1(-1.2))
    assert oracles.breach(60, 1.0, 0.5, 60) == pytest.approx(stats.poisson.sf(59, 60))
    law = [(1.0, 9.0)]
    tails = [oracles.mixed_geometric_tail(law, k) for k in range(-1, 2000)]
    assert sum(tails[1:]) == pytest.approx(9)
    assert oracles.mixed_geometric_quantile(law, 0.95) == next(
        k for k, tail in enumerate(tails[1:]) if tail <= 0.05
    )


@pytest.mark.parametrize(
    "case",
    approximate.cases(),
    ids=lambda case: f"{case.figure} {case.instances}",
)
def test_mean_courses_are_near(case: approximate.Case) -> None:
    assert not approximate.too_far(case, approximate.simulated(case, 100))


def test_intervals_are_counted() -> None:
    """Ten small studies of each kind: every claim once a study, hardly ever wrong."""
    for study in (coverage.exponential_study, coverage.lognormal_study):
        found = [claim for seed in range(10) for claim in study(seed)]
        claims = Counter(claim for claim, _ in found)
        assert set(claims.values()) == {10}
        inside = [
            (low is None or low <= claim.truth) and (high is None or claim.truth <= high)
            for claim, (_, low, high) in found
        ]
        assert np.mean(inside) > 0.8
    entry = coverage.Coverage(coverage.Claim("a mean", 1.0), 500, 40, 20, 0)
    assert entry.share == pytest.approx(0.88)
    assert entry.interval[1] < page.UNDER


def test_the_page_shows_rows_and_names_what_failed() -> None:
    near, far = ROWS[0], replace(ROWS[1], exact=1.0)
    found = [compare(near, PART), compare(far, PART)]
    text = page.table(found)
    assert text.count("\n") == 3
    assert f"`{near.strategy}`" in text
    (failure,) = page.too_far(found)
    assert failure.startswith(far.name)
    assert page.header(found).startswith("# Validation\n")
