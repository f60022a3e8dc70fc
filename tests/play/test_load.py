"""The tabled traffic agrees with the traffic it was made from."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.play.load import Load
from simulator.words.reading import loads
from simulator.words.traffic import Traffic

DAY = 86_400.0


def traffic(words: str) -> Traffic:
    text = f"""
version: 1
profile: bare
service: {{instances: 4}}
traffic: {{{words}, users: 10k}}
strategies: {{big_bang: {{}}}}
"""
    return loads(text).traffic


WORDS = (
    "rate: 5 rps",
    "daily: {mean: 500 rps, peak: 900 rps, peak_at: 14:00}",
    "rate: 50 rps, spikes: [{at: 1h, lasts: 7m, factor: 3}]",
    "daily: {mean: 5 rps, peak: 9 rps, peak_at: 3:00}, spikes: [{at: 10m, lasts: 3h, factor: 2}]",
)


@pytest.mark.parametrize("words", WORDS)
def test_integrals_agree_to_a_billionth(words: str) -> None:
    flow = traffic(words)
    load = Load(flow, 2 * DAY)
    generator = np.random.default_rng(1)
    for _ in range(100):
        a, b = np.sort(generator.uniform(-3600, 2 * DAY, 2))
        exact = float(flow.integral(np.array([a, b]))[0])
        assert load.between(a, b) == pytest.approx(exact, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("words", WORDS)
def test_bounds_hold_everywhere(words: str) -> None:
    flow = traffic(words)
    load = Load(flow, 2 * DAY)
    generator = np.random.default_rng(2)
    for _ in range(50):
        a, b = np.sort(generator.uniform(0, 2 * DAY, 2))
        rates = flow.at(np.linspace(a, b, 200))
        assert load.least(a, b) <= rates.min() * (1 + 1e-6)
        assert load.greatest(a, b) >= rates.max() * (1 - 1e-6)


def test_busy_until_stops_before_the_rate_falls_below() -> None:
    flow = traffic("daily: {mean: 500 rps, peak: 900 rps, peak_at: 10:00}")
    load = Load(flow, 2 * DAY)
    until = load.busy_until(0.0, DAY, 700.0)
    assert 0 < until < DAY
    assert np.all(flow.at(np.linspace(0, until, 500)) >= 700.0 - 1e-6)
