"""What judges say: against scipy, published examples, and error rates under peeking."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.play import canary_judge, verdicts
from simulator.words.detection import JudgedMetric
from tests.play.playing import bare, play


@pytest.mark.parametrize(
    ("new", "old", "share", "log", "p"),
    [
        (5200, 4800, 0.5, 3.6219, 0.02673),
        (5100, 4900, 0.5, -2.3795, None),
        (12, 28, 0.05, 11.2277, 1.33e-5),
    ],
)
def test_evidence_of_a_multinomial(
    new: int, old: int, share: float, log: float, p: float | None
) -> None:
    """Bayes factor of Dirichlet(1, 1) against a fixed split (Lindon, Malek 2022), computed from
    the formula; canary errors 12 of 40 where 5 % are expected."""
    found = float(verdicts.evidence(np.array([new]), np.array([old]), share)[0])
    assert found == pytest.approx(log, abs=5e-5)
    if p is not None:
        assert math.exp(-found) == pytest.approx(p, rel=3e-3)


def test_looking_always_stays_at_its_level() -> None:
    """Equal versions, 5 % of the traffic on new, a look at every bad request up to 2 000: at most
    5 % cross (4 standard errors above are 6.2 % of 5 000); a worse one does."""
    generator = np.random.default_rng(4)
    crossed = worse = 0
    for _ in range(1000):
        mine = generator.random(2000) < 0.05
        new = np.cumsum(mine)
        old = np.arange(1, 2001) - new
        crossed += verdicts.crossing(new, old, 0.05, 0.05) is not None
        mine = generator.random(2000) < 2 * 0.05 / (2 * 0.05 + 0.95)
        new = np.cumsum(mine)
        worse += verdicts.crossing(new, np.arange(1, 2001) - new, 0.05, 0.05) is not None
    assert crossed / 1000 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1000)
    assert worse / 1000 > 0.95


@pytest.mark.parametrize(("n", "m"), [(3, 4), (5, 5), (6, 3)])
def test_the_exact_rank_is_that_of_all_arrangements(n: int, m: int) -> None:
    sums = [sum(c) - n * (n - 1) // 2 for c in combinations(range(n + m), n)]
    for significance in (0.02, 0.05, 0.2):
        tail = [np.mean(np.array(sums) <= u) for u in range(n * m + 1)]
        exact = next(u for u, p in enumerate(tail) if p >= significance / 2)
        assert verdicts._lower_rank(n, m, significance) == max(exact, 1)


def test_the_shift_is_where_the_test_turns() -> None:
    """Just outside the interval the two-sided test rejects, just inside it does not."""
    generator = np.random.default_rng(5)
    new, old = generator.normal(0.4, 1, 60), generator.normal(0, 1, 55)
    found = verdicts.shift(new, old, 0.98)
    assert found.low < found.estimate < found.high
    for bound, outside in ((found.low, -1), (found.high, 1)):
        p = [
            stats.mannwhitneyu(
                new - (bound + outside * step), old, method="asymptotic", use_continuity=False
            ).pvalue
            for step in (0.05, -0.05)
        ]
        assert p[0] < 0.02 < p[1]


def classified(new: np.ndarray, old: np.ndarray, **rule: Any) -> canary_judge.Classified:
    return canary_judge.classify(new, old, JudgedMetric(**rule), 0.98, 0.25)


def test_the_canary_judge_classifies() -> None:
    generator = np.random.default_rng(6)
    old = generator.normal(1, 0.1, 60)
    assert classified(old * 1.5, old) == ("high", False)
    assert classified(old / 1.5, old) == ("low", False)
    assert classified(old * 1.5, old, allowed_increase=2) == ("pass", False)
    assert classified(old * 1.5, old, critical=True) == ("high", True)
    assert classified(old * 1.5, old, critical=True, critical_increase=2) == ("high", False)
    assert classified(old, old[::-1]) == ("pass", False)
    assert classified(np.zeros(5), np.zeros(9)) == ("pass", False)
    assert classified(np.empty(0), old) == ("nodata", False)
    assert classified(np.empty(0), old, critical=True) == ("nodata", True)
    assert classified(np.empty(0), old, must_have_data=True) == ("nodata fail", False)
    wrong = sum(classified(*generator.normal(10, 1, (2, 30))).label == "high" for _ in range(1000))
    assert wrong / 1000 <= 0.01 + 4 * math.sqrt(0.01 / 1000)


def test_scores_are_weighted_shares_of_metrics_that_did_not_get_worse() -> None:
    def points(*labels: str, weights: tuple[float, ...] = (), critical: bool = False) -> float:
        rules = [JudgedMetric(weight=w) for w in weights or (1.0,) * len(labels)]
        found = [canary_judge.Classified(label, critical) for label in labels]  # type: ignore[arg-type]
        return canary_judge.score(found, rules)

    assert points("pass", "high", "pass") == pytest.approx(66.67)
    assert points("pass", "low") == 100
    assert points("pass", "high", weights=(3.0, 1.0)) == 75
    assert points("pass", "pass", "nodata") == 100
    assert points("pass", "nodata") == 0  # half without data
    assert points("pass", "nodata fail") == 50
    assert points("pass", "pass", critical=True) == 0
    assert [canary_judge.verdict(p, 95, 75) for p in (95, 94.99, 75, 74.99)] == [
        *("pass", "none", "none", "fail")
    ]


@pytest.mark.parametrize(
    ("new", "old"), [((30, 1000), (200, 10_000)), ((3, 40), (10, 800)), ((0, 50), (0, 900))]
)
def test_two_proportions_are_scipys(new: tuple[int, int], old: tuple[int, int]) -> None:
    table = [[new[0], new[1] - new[0]], [old[0], old[1] - old[0]]]
    found = verdicts.two_proportion_p(new, old)
    if min(new[1] * (new[0] + old[0]) / (new[1] + old[1]), 99) < 5:
        assert found == pytest.approx(stats.fisher_exact(table, "greater").pvalue)
    else:
        chi2 = stats.chi2_contingency(table, correction=False)
        assert found == pytest.approx(chi2.pvalue / 2)


@pytest.mark.parametrize(
    ("judge", "level"),
    [
        ("test: two_proportion, significance: 5%", 0.05),
        ("test: two_proportion, significance: 5%, against: baseline", 0.05),
        ("test: mann_whitney, confidence: 90%, tolerance: 0%", 0.05),
        ("test: sequential, significance: 5%", 0.05),
        ("test: sequential, significance: 5%, against: baseline", 0.05),
    ],
)
def test_judges_hold_their_level_and_see_a_defect(judge: str, level: float) -> None:
    """20 % of 20 rps for an hour with 1 % usual errors whose rate wanders (gamma, cv 1), which
    a concurrent comparison cancels: good releases fail at most at the level, 5 % more errors are
    seen nearly always (14 400 requests, 144 against 720 bad ones)."""
    scenario = bare(
        service="errors: {mean: 1%, cv: 1, for: 5m}",
        rate="rate: 20 rps",
        defect="{kind: errors, rate: 5%}",
        detection=f"judge: {{{judge}}}, alarms: [{{above: 90%}}]",
        strategy="canary: {steps: [{weight: 20%, bake: 1h}]}",
    )
    good = play(scenario, 300, seed=2, bad=False)
    wrong = sum(o.caught_by == "judge" for o in good) / len(good)
    assert wrong <= level + 4 * math.sqrt(level * (1 - level) / len(good))
    bad = play(scenario, 60, seed=2)
    assert sum(o.caught_by == "judge" for o in bad) >= 57
    if "sequential" in judge:
        assert np.mean([o.time_to_detect for o in bad]) < 1200
    else:
        assert {o.time_to_detect for o in bad if o.caught_by == "judge"} == {3600.0}


def test_before_and_after_drift_apart() -> None:
    """At once there is nothing to compare with but the time before: usual errors that wander fail
    good releases far more often than the test's 5 %, as they do not side by side."""
    words = {
        "service": "errors: {mean: 1%, cv: 1, for: 30m}",
        "rate": "rate: 20 rps",
        "detection": "judge: {test: two_proportion}",
    }
    shares = []
    for weight in ("50%", "100%"):
        steps = f"canary: {{steps: [{{weight: {weight}, bake: 1h}}]}}"
        found = play(bare(strategy=steps, **words), 200, seed=4, bad=False)
        shares.append(sum(o.caught_by == "judge" for o in found) / len(found))
    concurrent, afterwards = shares
    assert concurrent <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 200)
    assert afterwards > 0.3


def test_a_baseline_costs_as_much_as_the_canary() -> None:
    words = {"service": "cost: 1/h", "strategy": "canary: {steps: [{weight: 20%, bake: 1h}]}"}
    costs = [
        play(
            bare(detection=f"judge: {{test: two_proportion, against: {against}}}", **words),
            1,
            bad=False,
        )[0].extra_cost
        for against in ("old", "baseline")
    ]
    assert costs[1] - costs[0] == pytest.approx(2.0)
