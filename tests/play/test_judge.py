"""The threshold judge sees the step's requests, no more and no fewer."""

from __future__ import annotations

import math

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
