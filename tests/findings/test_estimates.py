"""Estimates against closed forms, hand calculations and their own promise of 95 % coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, ndtri, stdtrit

from simulator.findings.estimates import estimate, estimates
from simulator.findings.means import (
    NOTHING,
    Band,
    Interval,
    Strata,
    centres,
    mean,
    means,
    proportion,
    shares,
    student,
    wilson,
)
from simulator.findings.pairs import better, dominates, front, paired
from simulator.findings.quantiles import cvar, cvars, exceedance, quantile, quantiles, ranks

NAN, INF = math.nan, math.inf
MACRO = 1500
FOUR_ERRORS = 4 * math.sqrt(0.95 * 0.05 / MACRO)  # 0.0225
STATISTICS = ("applicable", "censored", "mean", "p50", "p95", "p99", "cvar95")


def single(n: int) -> Strata:
    return Strata.of(np.zeros(n, dtype=int), [1.0])


def blocks(sizes: list[int], weights: list[float]) -> Strata:
    return Strata.of(np.repeat(np.arange(len(sizes)), sizes), weights)


# -- coverage ------------------------------------------------------------------------------------


class Mixture:
    """In each stratum 0 with probability `atom`, else exponential: skewed, with an atom."""

    def __init__(self, weights, atoms, scales, sizes):
        self.weights, self.atoms, self.scales, self.sizes = weights, atoms, scales, sizes
        self.strata = blocks(sizes, weights)

    def draw(self, seed):
        rng = np.random.default_rng(seed)
        parts = [
            np.where(rng.random((MACRO, n)) < a, 0.0, rng.exponential(m, (MACRO, n)))
            for a, m, n in zip(self.atoms, self.scales, self.sizes, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def beyond(self, x):
        rows = zip(self.weights, self.atoms, self.scales, strict=True)
        return sum(w * (1 - a) * math.exp(-x / m) for w, a, m in rows)

    @property
    def mean(self):
        rows = zip(self.weights, self.atoms, self.scales, strict=True)
        return sum(w * (1 - a) * m for w, a, m in rows)

    def quantile(self, p):
        low, high = 0.0, 1000.0
        if self.beyond(0.0) <= 1 - p:
            return 0.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self.beyond(middle) > 1 - p else (low, middle)
        return high

    def cvar(self, p):
        q = self.quantile(p)
        rows = zip(self.weights, self.atoms, self.scales, strict=True)
        return q + sum(w * (1 - a) * m * math.exp(-q / m) for w, a, m in rows) / (1 - p)


ONE = Mixture([1.0], [0.3], [1.0], [400])
THREE = Mixture([0.6, 0.3, 0.1], [0.3, 0.4, 0.2], [1.0, 2.0, 4.0], [130, 130, 140])
LAWS = pytest.mark.parametrize("law", [ONE, THREE], ids=["one stratum", "three strata"])


def covered(band: Band, true: float) -> float:
    low = np.where(np.isnan(band.low), -INF, band.low)
    high = np.where(np.isnan(band.high), INF, band.high)
    return float(np.mean((low <= true) & (true <= high)))


@LAWS
def test_intervals_cover_the_truth_as_often_as_they_say(law):
    """95 % within four standard errors of 1500 macro-replications, for every statistic.

    The CVaR of 400 values rests on some 20 of them; it keeps 95 % only because its degrees of
    freedom count the tail (with those of the whole sample it covers 91 %).
    """
    rows = law.draw(seed=5)
    p50, p95 = quantiles(rows, law.strata, (0.50, 0.95))
    sizes = np.tile(law.strata.sizes, (MACRO, 1))
    found = {
        "mean": covered(means(rows, law.strata), law.mean),
        "share": covered(shares(law.strata.sums(rows > 2), sizes, law.strata), law.beyond(2)),
        "p50": covered(p50, law.quantile(0.50)),
        "p95": covered(p95, law.quantile(0.95)),
        "cvar95": covered(cvars(rows, law.strata, p95), law.cvar(0.95)),
    }
    assert found == {name: pytest.approx(0.95, abs=FOUR_ERRORS) for name in found}


def test_the_worst_of_a_small_stratum_is_not_understated():
    """50 replications hold two or three of the worst 5 %: the CVaR must still cover.

    At least 95 % less four standard errors; degrees of freedom of the whole sample gave 70 %.
    """
    law = Mixture([1.0], [0.3], [1.0], [50])
    rows = law.draw(seed=6)
    (p95,) = quantiles(rows, law.strata, (0.95,))
    assert covered(cvars(rows, law.strata, p95), law.cvar(0.95)) >= 0.95 - FOUR_ERRORS


def test_a_heavy_stratum_silent_beyond_the_quantile_still_counts():
    """p99 where the stratum that weighs 95 % shows about one value beyond it.

    At least 95 % less four standard errors; Woodruff with the variance at the quantile: 43 %.
    """
    law = Mixture([0.95, 0.04, 0.01], [0.6, 0.4, 0.2], [1.0, 2.0, 8.0], [130, 130, 140])
    (p99,) = quantiles(law.draw(seed=7), law.strata, (0.99,))
    assert covered(p99, law.quantile(0.99)) >= 0.95 - FOUR_ERRORS


def test_coverage_where_a_figure_does_not_always_apply():
    """Applicable in 80 %, 50 % and 30 % of three strata: ratio estimators, four standard errors.

    The truth is that of the mixture with the strata's weights times these shares.
    """
    applies = [0.8, 0.5, 0.3]
    rows = THREE.draw(seed=8)
    rng = np.random.default_rng(9)
    keep = rng.random(rows.shape) < np.repeat(applies, THREE.sizes)
    rows = np.where(keep, rows, NAN)
    weights = np.array(THREE.weights) * applies
    law = Mixture(list(weights / weights.sum()), THREE.atoms, THREE.scales, THREE.sizes)
    strata = THREE.strata
    (p95,) = quantiles(rows, strata, (0.95,))
    hits = shares(strata.sums(rows > 2), strata.sums(keep), strata)
    found = {
        "mean": covered(means(rows, strata), law.mean),
        "share": covered(hits, law.beyond(2)),
        "p95": covered(p95, law.quantile(0.95)),
        "cvar95": covered(cvars(rows, strata, p95), law.cvar(0.95)),
    }
    assert found == {name: pytest.approx(0.95, abs=FOUR_ERRORS) for name in found}


@pytest.mark.parametrize("strata", [single(300), blocks([100, 100, 100], [0.6, 0.3, 0.1])])
def test_who_does_better_is_covered_with_ties(strata):
    """Wins 50 %, losses 30 %, ties 20 %: 0.6, within four standard errors."""
    u = np.random.default_rng(10).random((MACRO, 300))
    gap = np.where(u < 0.5, -1.0, np.where(u < 0.8, 1.0, 0.0))
    band = better(gap, np.zeros_like(gap), strata)
    assert covered(band, 0.6) == pytest.approx(0.95, abs=FOUR_ERRORS)


# -- means ---------------------------------------------------------------------------------------


def test_student_agrees_with_the_exact_quantile():
    df = np.concatenate([np.arange(3.0, 30.0, 0.5), np.geomspace(30, 1e7, 30)])
    assert student(df) == pytest.approx(stdtrit(df, 0.975), rel=1e-5)
    assert student(np.array([1.0])) == pytest.approx([12.7062], rel=1e-5)
    assert student(np.array([2.0])) == pytest.approx([4.30265], rel=5e-4)
    between = np.linspace(1, 2, 30)
    assert student(between) == pytest.approx(stdtrit(between, 0.975), rel=0.03)


def test_the_mean_of_one_stratum_is_the_textbook_t_interval():
    """1, 2, 3, 4: mean 2.5, s^2 5/3, t(3) 3.18245."""
    half = 3.18245 * math.sqrt(5 / 3 / 4)
    expected = (2.5, 2.5 - half, 2.5 + half)
    assert mean([1, 2, 3, 4], single(4)) == pytest.approx(expected, rel=1e-5)


def test_strata_are_weighted_and_degrees_of_freedom_are_satterthwaites():
    """Variance of the mean 0.81 x 1/3 + 0.01 x 10/5 = 0.29; df 0.29^2 / (0.27^2/2 + 0.02^2/4)."""
    values = [1.0, 2.0, 3.0, 0.0, 4.0, 8.0, 6.0, 2.0]
    df = 0.29**2 / (0.27**2 / 2 + 0.02**2 / 4)
    half = stdtrit(df, 0.975) * math.sqrt(0.29)
    centre = 0.9 * 2 + 0.1 * 4
    found = mean(values, blocks([3, 5], [0.9, 0.1]))
    assert found == pytest.approx((centre, centre - half, centre + half), rel=1e-3)


def test_replications_may_be_interleaved_and_strata_left_out():
    values = np.array([10.0, 1, 7, 20, 3, 9])
    stratum = np.array([1, 0, 2, 1, 0, 2])
    whole = Strata.of(stratum, [0.5, 0.2, 0.3], within=stratum < 2)
    assert whole.n == 4
    assert whole.weights == pytest.approx([0.5 / 0.7, 0.2 / 0.7])
    assert mean(values, whole).value == pytest.approx((0.5 * 2 + 0.2 * 15) / 0.7)
    assert Strata.of(stratum, [0.5, 0.5, 0.0]).n == 4


@pytest.mark.parametrize(("stratum", "weight"), [([0], [-1.0]), ([0], [NAN]), ([1], [1.0])])
def test_impossible_strata_are_refused(stratum, weight):
    with pytest.raises(ValueError, match="strata"):
        Strata.of(stratum, weight)


def test_in_one_stratum_the_applicable_values_are_a_plain_sample():
    assert mean([1, NAN, 2, 3, NAN, 4], single(6)) == pytest.approx(mean([1, 2, 3, 4], single(4)))


def test_the_mean_of_what_applies_is_a_ratio_over_strata():
    """0.9 x 1/2 and 0.1 x 2/2 apply: (0.45 x 4 + 0.1 x 3) / 0.55."""
    found = mean([4.0, NAN, 2.0, 4.0], blocks([2, 2], [0.9, 0.1]))
    assert found.value == pytest.approx((0.45 * 4 + 0.1 * 3) / 0.55)
    assert found.low is not None
    assert found.low < found.value


def test_censored_values_are_replaced_by_the_limit_and_marked():
    values = [10.0, 20.0, INF, INF]
    found = estimate(values, single(4), limit=100.0)
    assert found.mean.value == pytest.approx((10 + 20 + 200) / 4)
    assert found.cvar95.value == pytest.approx(100)
    assert found.restricted
    assert found.censored.value == 0.5
    without = estimate(values, single(4))
    assert (without.mean, without.cvar95, without.restricted) == (NOTHING, NOTHING, False)
    assert not estimate([1.0, 2.0], single(2), limit=100.0).restricted


# -- proportions ---------------------------------------------------------------------------------


def test_wilson_of_three_in_a_thousand():
    found = proportion(np.arange(1000) < 3, single(1000))
    assert found.value == 0.003
    assert (found.low, found.high) == pytest.approx((0.00102, 0.00878), abs=5e-6)


def test_shares_of_none_and_all_touch_the_ends():
    assert proportion(np.zeros(50), single(50)).low == 0.0
    assert proportion(np.ones(50), single(50)).high == 1.0


def test_mover_adds_weighted_distances_in_squares():
    """0 of 200 (weight 0.95) and 30 of 100 (0.05): Wilson 0..0.018846 and 0.21895..0.39586."""
    hits = np.concatenate([np.zeros(200), np.arange(100) < 30])
    low, high = wilson(np.array([0.0, 30.0]), np.array([200.0, 100.0]))
    assert low == pytest.approx([0, 0.218949], abs=1e-6)
    assert high == pytest.approx([0.018846, 0.395849], abs=1e-6)
    down = 0.05 * (0.3 - 0.218949)
    up = math.hypot(0.95 * 0.018846, 0.05 * (0.395849 - 0.3))
    found = proportion(hits, blocks([200, 100], [0.95, 0.05]))
    assert found == pytest.approx((0.015, 0.015 - down, 0.015 + up), abs=1e-6)


def test_a_share_of_the_conditioned_leaves_the_others_out():
    """Caught by an alarm among the caught: 2 of 3, as if the two uncaught were not there."""
    found = proportion([1, 1, 0, NAN, NAN], single(5))
    assert found == pytest.approx(proportion([1, 1, 0], single(3)))
    both = proportion([1, 1, 0, NAN, 1, NAN], blocks([4, 2], [0.8, 0.2]))
    assert both.value == pytest.approx((0.8 * 0.75 * 2 / 3 + 0.2 * 0.5) / (0.8 * 0.75 + 0.2 * 0.5))


# -- quantiles -----------------------------------------------------------------------------------


def test_ranks_of_p95_in_a_thousand():
    """936 to 963 of 1000 lie below the 95th percentile, so it is between ranks 936 and 964."""
    assert ranks(1000, 0.95) == (950, 936, 964)
    assert ranks(10_000, 0.5)[0] == 5000


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_ranks_leave_at_most_one_fortieth_on_each_side(n, p):
    point, low, high = ranks(n, p)
    assert 1 <= point <= n
    assert bdtr(0, n, p) > 0.025 if low is None else bdtr(low - 1, n, p) <= 0.025
    if low is not None and low < n:
        assert bdtr(low, n, p) > 0.025
    if high is None:
        assert bdtr(n - 1, n, p) < 0.975
    else:
        assert bdtr(high - 1, n, p) >= 0.975 > (bdtr(high - 2, n, p) if high > 1 else 0)


def test_a_bound_the_data_cannot_reach_is_none():
    """0.95^71 = 2.6 %: 71 values may all lie below p95; 72 are enough for its upper bound."""
    assert quantile(np.arange(71.0), single(71), 0.95).high is None
    assert quantile(np.arange(72.0), single(72), 0.95).high == 71
    assert quantile([5.0], single(1), 0.5) == Interval(5, None, None)
    assert quantile([5.0, 6.0], blocks([1, 1], [0.5, 0.5]), 0.5) == Interval(5, None, None)


def test_a_quantile_is_the_smallest_value_with_the_share_below_it():
    values, strata = [1.0, 2.0, 3.0, 4.0], blocks([2, 2], [0.6, 0.4])
    assert [quantile(values, strata, p).value for p in (0.3, 0.31, 0.6, 0.8, 0.81)] == [
        1,
        2,
        2,
        3,
        4,
    ]


def test_equal_strata_give_nearly_the_exact_order_statistics():
    """Four equal strata of one law are one sample: bounds within two ranks of the exact ones."""
    order = np.random.default_rng(3).permutation(1000).astype(float)
    exact = quantile(order, single(1000), 0.95)
    found = quantile(order, blocks([250] * 4, [0.25] * 4), 0.95)
    assert found.value == exact.value == 949
    assert found == pytest.approx(exact, abs=3)


def test_harmless_good_releases_leave_the_quantile_at_zero():
    """95 % always 0, the rest always harmed: p95 is 0, and the data cannot exclude more."""
    values = np.concatenate([np.zeros(400), np.arange(1.0, 401.0)])
    strata = blocks([400, 400], [0.95, 0.05])
    found = quantile(values, strata, 0.95)
    assert (found.value, found.low) == (0, 0)
    p97 = quantile(values, strata, 0.975)
    assert p97.low is not None
    assert p97.low < p97.value == 200 < p97.high


def test_each_bound_looks_at_its_own_side_of_an_atom():
    """An atom of 6 % at the top: p95 is the atom, though it may as well lie below."""
    values = np.concatenate([np.linspace(0, 0.5, 188), np.ones(12)])
    for strata in (single(200), Strata.of(np.arange(200) % 2, [0.5, 0.5])):
        found = quantile(values, strata, 0.95)
        assert (found.value, found.high) == (1, 1)
        assert found.low is not None
        assert 0.4 < found.low <= 0.5


@pytest.mark.parametrize("strata", [single(200), Strata.of(np.arange(200) % 2, [0.5, 0.5])])
def test_a_quantile_among_the_censored_keeps_its_lower_bound(strata):
    values = np.concatenate([np.arange(188.0), np.full(12, INF)])
    found = estimate(values, strata, limit=1000.0)
    assert found.p50 == pytest.approx((99, 85, 114), abs=2)
    assert (found.p95.value, found.p95.high) == (None, None)
    assert found.p95.low is not None
    assert 175 < found.p95.low < 188
    assert found.p99 == NOTHING


# -- CVaR ----------------------------------------------------------------------------------------

GRID = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize(
    ("values", "var", "expected"),
    [
        (-100 * np.log1p(-GRID), 299.57, 399.57),
        (100 * np.exp(ndtri(GRID)), 518.03, 855.72),
        (ndtri(GRID), 1.6449, 2.0627),
    ],
    ids=["exponential, mean 100", "log-normal, median 100, sigma 1", "standard normal"],
)
def test_cvar_of_known_laws(values, var, expected):
    """An even grid of 200 000 stands for the law: within 0.1 %."""
    strata = single(len(values))
    assert quantile(values, strata, 0.95).value == pytest.approx(var, rel=1e-3)
    assert cvar(values, strata).value == pytest.approx(expected, rel=1e-3)


def test_cvar_by_hand_and_with_an_atom():
    """0 .. 99: the five worst have mean 97. 97 zeros and three hundreds: 300 / 5, not 100."""
    assert cvar(np.arange(100.0), single(100)).value == pytest.approx(97)
    values = np.concatenate([np.zeros(97), np.full(3, 100.0)])
    assert cvar(values, single(100)).value == pytest.approx(60)
    assert cvar(np.zeros(100), single(100)) == Interval(0, 0, 0)


def test_cvar_over_strata_weighs_the_tail():
    """Weight 0.96 always 0; weight 0.04 always 50: 50 x 0.04 / 0.05."""
    values = np.concatenate([np.zeros(60), np.full(60, 50.0)])
    assert cvar(values, blocks([60, 60], [0.96, 0.04])).value == pytest.approx(40)


def test_cvar_is_never_below_its_quantile():
    values = np.concatenate([np.arange(50.0), [1000.0]])
    found = estimate(values, single(51))
    assert found.cvar95.low >= found.p95.low


# -- everything at once --------------------------------------------------------------------------


def table(n: int) -> np.ndarray:
    rng = np.random.default_rng(11)
    rows = np.where(rng.random((6, n)) < 0.3, 0.0, rng.lognormal(size=(6, n)))
    rows[1:4][rng.random((3, n)) < 0.3] = NAN
    rows[3:5][rng.random((2, n)) < 0.1] = INF
    rows[5] = NAN
    return rows


STRATA = pytest.mark.parametrize(
    "strata", [single(240), Strata.of(np.arange(240) % 3, [0.9, 0.08, 0.02])]
)


def flat(found) -> list[float]:
    numbers = [number for name in STATISTICS for number in getattr(found, name)]
    return [NAN if number is None else number for number in numbers]


@STRATA
def test_many_figures_at_once_are_the_same_as_one_by_one(strata):
    rows = table(240)
    together = estimates(rows, strata, limit=50.0)
    assert together == tuple(estimate(row, strata, limit=50.0) for row in rows)
    for row, found in zip(rows, together, strict=True):
        assert found.n == 240
        assert found.mean == mean(row, strata, limit=50.0)
        assert found.p95 == quantile(row, strata, 0.95)
        assert found.cvar95 == cvar(row, strata, limit=50.0)
        assert found.restricted == bool(np.isinf(row).any())


@STRATA
@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_units_and_the_order_of_replications_do_not_matter(strata, scale, seed):
    rows = table(240)[:5]
    base = estimates(rows, strata, limit=50.0)
    scaled = estimates(rows * scale, strata, limit=50.0 * scale)
    place = np.random.default_rng(seed).permutation(240)
    back = np.empty(240, dtype=int)
    back[strata.order] = strata.groups
    mixed = estimates(rows[:, place], Strata.of(back[place], strata.weights), limit=50.0)
    for one, other, third in zip(base, scaled, mixed, strict=True):
        assert flat(third) == pytest.approx(flat(one), rel=1e-9, nan_ok=True)
        expected = np.array(flat(one))
        expected[6:] *= scale
        assert flat(other) == pytest.approx(expected, rel=1e-9, nan_ok=True)


@STRATA
def test_every_interval_holds_its_value(strata):
    for found in estimates(table(240), strata, limit=50.0):
        for name in STATISTICS:
            value, low, high = getattr(found, name)
            if value is not None:
                assert low is None or low <= value + 1e-12
                assert high is None or value <= high + 1e-12


def test_no_replications_give_nothing():
    empty = Strata.of([], [1.0])
    none_left = Strata.of([0, 0, 1], [1.0, 0.0], within=[False, False, True])
    for strata, values in ((empty, []), (none_left, [1.0, 2.0, 3.0])):
        found = estimate(values, strata, limit=1.0)
        assert found.n == 0
        assert {getattr(found, name) for name in STATISTICS} == {NOTHING}
        assert proportion(values, strata) == NOTHING
        assert paired(values, values, strata).a_better == NOTHING
        assert not dominates(values, values, strata)
        assert exceedance(values, strata).x == ()


@STRATA
def test_a_figure_that_never_applies_gives_nothing_but_its_shares(strata):
    found = estimate(np.full(240, NAN), strata)
    assert found.applicable.value == found.censored.value == 0
    assert {getattr(found, name) for name in STATISTICS[2:]} == {NOTHING}
    assert exceedance(np.full(240, NAN), strata).x == ()


def test_one_replication_has_a_value_and_no_bounds():
    found = estimate([7.0], single(1))
    assert found.mean == found.p50 == found.p95 == found.cvar95 == Interval(7, None, None)
    assert found.p99.low == 7  # one value lies above p99 in 1 % of cases only
    assert found.applicable.value == 1


def test_a_stratum_with_one_value_borrows_the_others_variance():
    """Variance 4 in the first stratum, so 0.81 x 4 / 3 + 0.01 x 4 / 1."""
    found = mean([0.0, 2.0, 4.0, 5.0], blocks([3, 1], [0.9, 0.1]))
    error = math.sqrt(0.81 * 4 / 3 + 0.01 * 4)
    assert found.value == pytest.approx(0.9 * 2 + 0.1 * 5)
    assert 3.5 * error < found.high - found.value < 4.4 * error


# -- pairs ---------------------------------------------------------------------------------------


def test_a_pair_by_hand():
    """Differences -1, -1, 0, 2: mean 0, s^2 2; two wins and a tie of four: 5 / 8."""
    found = paired([1, 2, 3, 6, NAN, 1], [2, 3, 3, 4, 1, NAN], single(6))
    half = 3.18245 * math.sqrt(2 / 4)
    assert found.n == 4
    assert found.mean == pytest.approx((0, -half, half), abs=1e-4)
    assert found.a_better.value == pytest.approx(5 / 8)
    assert found.correlation == pytest.approx(np.corrcoef([1, 2, 3, 6], [2, 3, 3, 4])[0, 1])
    turned = paired([1, 2, 3, 6], [2, 3, 3, 4], single(4), smaller_is_better=False)
    assert turned.a_better.value == pytest.approx(3 / 8)


def test_without_ties_who_does_better_is_a_wilson_interval():
    a = np.where(np.arange(200) < 150, 0.0, 2.0)
    found = paired(a, np.ones(200), single(200)).a_better
    assert found == pytest.approx(proportion(a < 1, single(200)), abs=1e-12)


def test_common_random_numbers_narrow_the_difference():
    """b = a + small noise: the interval of the difference is that of the noise."""
    rng = np.random.default_rng(12)
    strata = Strata.of(np.arange(2000) % 4, [0.7, 0.1, 0.1, 0.1])
    a = rng.exponential(10, 2000)
    b = a + rng.normal(1, 1, 2000)
    found = paired(a, b, strata)
    assert found.correlation > 0.98
    assert found.mean.low < -1 < found.mean.high
    assert found.mean.high - found.mean.low < 0.2 * (mean(a, strata).high - mean(a, strata).low)
    assert found.a_better.value == pytest.approx(0.841, abs=0.06)  # 4 errors of n 857


def test_correlation_is_within_strata():
    """Strata far apart do not make independent figures look paired: within 4 / sqrt(2000)."""
    rng = np.random.default_rng(13)
    stratum = np.arange(2000) % 2
    a, b = rng.normal(size=2000) + 100 * stratum, rng.normal(size=2000) + 100 * stratum
    assert paired(a, b, Strata.of(stratum, [0.5, 0.5])).correlation == pytest.approx(0, abs=0.09)
    assert paired(a, np.ones(2000), Strata.of(stratum, [0.5, 0.5])).correlation is None


def test_a_pair_with_censored_times():
    a, b = [1.0, INF, INF, 4.0], [2.0, 5.0, INF, INF]
    found = paired(a, b, single(4))
    assert found.a_better.value == pytest.approx(2.5 / 4)
    assert (found.mean, found.correlation) == (NOTHING, None)
    assert paired(a, b, single(4), limit=9.0).mean.value == pytest.approx((-1 + 4 + 0 - 5) / 4)


STRATIFIED = Strata.of(np.arange(600) % 3, [0.5, 0.3, 0.2])


def test_dominance_needs_every_level_and_confirmation():
    rng = np.random.default_rng(14)
    b = rng.exponential(1, 600)
    assert dominates(0.8 * b, b, STRATIFIED)
    assert not dominates(b, 0.8 * b, STRATIFIED)
    assert dominates(b, 0.8 * b, STRATIFIED, smaller_is_better=False)
    assert not dominates(b, b, STRATIFIED)
    spread = 1 + 2 * (b - 1)
    assert not dominates(b, spread, STRATIFIED)
    assert not dominates(spread, b, STRATIFIED)


def test_dominance_by_a_single_replication_is_not_confirmed():
    """One replication of 600 is missing from 37 % of the resamples, five from under 1 %."""
    b = np.ones(600)
    assert not dominates(np.where(np.arange(600) < 1, 0.5, b), b, STRATIFIED)
    assert dominates(np.where(np.arange(600) < 6, 0.5, b), b, STRATIFIED)


def test_dominance_with_not_applicable_and_censored():
    a, b = np.full(600, 5.0), np.full(600, INF)
    b[:100], a[100:150] = NAN, NAN
    assert dominates(a, b, STRATIFIED)
    assert not dominates(b, a, STRATIFIED)


def test_the_front_holds_what_nothing_beats():
    points = {
        "fast": (1.0, 9.0),
        "safe": (9.0, 1.0),
        "twin": (9.0, 1.0),
        "both": (5.0, 5.0),
        "beaten": (5.0, 6.0),
        "never": (0.5, INF),
        "unknown": (0.0, NAN),
    }
    assert front(points) == ("fast", "safe", "twin", "both", "never")
    assert front({}) == ()


# -- exceedance ----------------------------------------------------------------------------------


def test_exceedance_by_hand():
    found = exceedance([0.0, 0.0, 3.0, INF, NAN], single(5))
    assert found.x == (0, 3)
    assert found.share == pytest.approx((0.5, 0.25))
    assert (found.low[0], found.high[0]) == pytest.approx(proportion([1, 1, 0, 0], single(4))[1:])


def test_exceedance_is_thinned_and_true_at_every_point():
    rng = np.random.default_rng(15)
    values = np.where(rng.random(5000) < 0.4, 0.0, rng.lognormal(size=5000))
    strata = Strata.of(np.arange(5000) % 2, [0.9, 0.1])
    found = exceedance(values, strata)
    assert 100 < len(found.x) <= 200
    assert found.x[0] == 0
    assert found.x[-1] == values.max()
    assert list(found.x) == sorted(found.x)
    for place in (0, 50, -10):
        expected = proportion(values > found.x[place], strata)
        point = (found.share[place], found.low[place], found.high[place])
        assert point == pytest.approx(expected, abs=1e-12)
    assert sum(share < 0.05 for share in found.share) > 40


def test_strata_one_after_the_other_are_those_of_their_numbers() -> None:
    sizes, weights = [3, 0, 2, 4], [0.5, 0.1, 0.0, 0.4]
    known = Strata.of(np.repeat(np.arange(4), sizes), weights)
    found = Strata.grouped(sizes, weights)
    for part in ("order", "sizes", "weights"):
        np.testing.assert_array_equal(getattr(found, part), getattr(known, part))


def test_centres_are_the_means_without_their_intervals() -> None:
    strata = Strata.grouped([3, 4], [0.7, 0.3])
    rows = np.array([[1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 9.0], [np.nan] * 7])
    np.testing.assert_array_equal(centres(rows, strata), means(rows, strata).value)


def test_bounds_of_a_mean_are_no_values_that_nothing_can_have():
    rare = estimate([0.0] * 9 + [1.0], single(10))
    assert rare.mean.low < 0
    assert rare.within(0.0, 1.0).mean == rare.mean._replace(low=0.0)
    even = estimate(np.linspace(0.0, 1.0, 40), single(40))
    assert even.cvar95.high > 1
    assert even.within(0.0, 1.0).cvar95 == even.cvar95._replace(high=1.0)
    assert even.within(0.0, INF) == even
