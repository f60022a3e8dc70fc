"""Whole distributions, not only means: against a period-by-period model written plainly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from tests.play.playing import bare, play


def one_by_one(
    generator: np.random.Generator, requests: float, rate: float, above: float, m: int, n: int
) -> tuple[int, int]:
    """Failures and periods until the m-th breach among the last n periods, drawn one at a time."""
    failed, periods, recent = 0, 0, list[bool]()
    while True:
        bad = int(generator.poisson(requests * rate))
        good = int(generator.poisson(requests * (1 - rate)))
        failed += bad
        periods += 1
        recent = [*recent, bad > above * (bad + good)][-n:]
        if recent[-1] and sum(recent) >= m:
            return failed, periods


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3)])
def test_failures_until_an_alarm_have_the_right_spread(m: int, n: int) -> None:
    """20 rps, 10 % on new, 1 % errors, alarm above 2 % a minute: 120 requests and 1.2 failures a
    period. Look-ahead in chunks must give the law of the plain loop (two-sample
    Kolmogorov-Smirnov, p > 0.001, fixed seeds), failures and time to detect alike."""
    scenario = bare(
        rate="rate: 20 rps",
        users="100k",
        defect="{kind: errors, rate: 1%}",
        detection=f"alarms: [{{above: 2%, datapoints: {m} of {n}, phase: aligned}}]",
        strategy="canary: {steps: [{weight: 10%, bake: 3d}]}",
    )
    outcomes = play(scenario, 1200, seed=8)
    generator = np.random.default_rng(5)
    plain = np.array([one_by_one(generator, 120, 0.01, 0.02, m, n) for _ in range(1200)])
    failed = [o.failed_requests for o in outcomes]
    periods = [o.time_to_detect / 60 for o in outcomes]
    assert ks_2samp(failed, plain[:, 0]).pvalue > 1e-3
    assert ks_2samp(periods, plain[:, 1]).pvalue > 1e-3
    for p in (10, 50, 90):
        assert np.percentile(periods, p) == pytest.approx(
            np.percentile(plain[:, 1], p), rel=0.2, abs=1
        )
