"""How long a change by hand stays, and how much of a fleet has one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.platforms.config import rules


@pytest.mark.parametrize("period", rules.PERIODS)
def test_a_periodic_rule_finds_it_after_half_a_period(period: float) -> None:
    """An edit at any moment waits for the next look: uniform on the period, mean one half."""
    edits = np.random.default_rng(1).uniform(0, 50 * period, 20_000)
    waits = np.ceil(edits / period) * period - edits
    error = waits.std() / math.sqrt(len(waits))
    assert abs(waits.mean() - rules.found_by_period(period)) < 4 * error
    assert rules.found_by_period(period, 60) == period / 2 + 60


def test_on_change_is_delay_and_fix() -> None:
    assert rules.found_on_change(300, 120) == 420
    assert rules.with_retries(420, 0.5, 600) == 1020
    with pytest.raises(ValueError, match="never works"):
        rules.with_retries(1, 0, 1)


def test_the_share_that_is_drifted() -> None:
    """One edit of an instance in 30 days that stays 12 h: 1.65 % of the fleet; on change 420 s:
    0.016 %. Counted over random edits of a thousand instances at one moment."""
    month = 30 * 86_400
    stays = rules.found_by_period(86_400)
    assert rules.drifted(1 / month, stays) == pytest.approx(0.01653, abs=1e-5)
    assert rules.drifted(1 / month, 420) == pytest.approx(1.62e-4, rel=1e-2)
    count = np.random.default_rng(2).poisson(stays / month, 200_000)
    share = float(np.mean(count > 0))
    assert abs(share - rules.drifted(1 / month, stays)) < 4 * math.sqrt(share / 200_000)
