"""The threshold judge sees the step's requests, no more and no fewer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from tests.play.playing import bare, play


def power(requests: float, rate: float, needed: int) -> float:
    """P(at least `needed` failures): Poisson with mean requests x rate."""
    return float(poisson.sf(needed - 1, requests * rate))


def fails_above(requests: float, rate: float, above: float) -> float:
    """P(failures > above x all requests) with both numbers Poisson, by summation."""
    total = 0.0
    for bad in range(1, 60):
        most_good = math.ceil(bad / above - bad - 1e-9) - 1
        chance = float(poisson.pmf(bad, requests * rate))
        total += chance * float(poisson.cdf(most_good, requests * (1 - rate)))
    return total


@pytest.mark.parametrize(
    ("bake", "above", "requests", "needed", "published"),
    [("5m", "2.5%", 60, 2, 0.338), ("30m", "0.7%", 360, 3, 0.976)],
)
@pytest.mark.parametrize("alarms", ["", "alarms: [{above: 90%, period: 37s}], "])
def test_power_at_two_requests_a_second(
    bake: str, above: str, requests: int, needed: int, published: float, alarms: str
) -> None:
    """2 rps, 10 %, errors 2 %: 60 requests in 5 min, at least 2 errors with probability 33.7 %
    (binomial 33.8 %); 360 requests in 30 min, at least 3 errors with probability 97.45 %.
    The thresholds 2.5 % and 0.7 % ask for these numbers at the expected number of requests.
    An alarm on the same requests (another period, never tripping) must not change it.
    """
    scenario = bare(
        rate="rate: 2 rps",
        users="10k",
        defect="{kind: errors, rate: 2%}",
        detection=f"{alarms}judge: {{test: threshold, above: {above}}}",
        strategy=f"canary: {{steps: [{{weight: 10%, bake: {bake}}}]}}",
    )
    outcomes = play(scenario, 1500, seed=3)
    share = sum(o.caught_by == "judge" for o in outcomes) / len(outcomes)
    exact = fails_above(requests, 0.02, float(above[:-1]) / 100)
    error = math.sqrt(exact * (1 - exact) / len(outcomes))
    assert abs(share - exact) < 4 * error
    assert abs(power(requests, 0.02, needed) - published) < 0.002


def test_without_enough_requests_the_policy_decides() -> None:
    for policy, caught in (("pass", 0), ("fail", 30)):
        scenario = bare(
            rate="rate: 1 rps",
            detection=f"judge: {{above: 1%, minimum_requests: 1000, no_verdict: {policy}}}",
            strategy="canary: {steps: [{weight: 5%, bake: 1m}]}",
        )
        outcomes = play(scenario, 30)
        assert sum(o.caught_by == "judge" for o in outcomes) == caught


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
