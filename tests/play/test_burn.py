"""Burn-rate alarms: the workbook's arithmetic, and the spread against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from simulator.words.reading import loads
from tests.play.playing import bare, play

PAGE = "{burn: 14.4, long: 1h, short: 5m, phase: aligned}"
LATER = "{burn: 6, long: 6h, short: 30m, phase: aligned}"
ATOMIC = "big_bang: {in_place: false}"
FIVE = "canary: {steps: [{weight: 5%, bake: 2d}]}"


def evaluated_after(seconds: float) -> float:
    return math.ceil(seconds / 60 - 1e-9) * 60.0


@pytest.mark.parametrize(
    ("rows", "strategy", "rate", "exact"),
    [
        (PAGE, ATOMIC, 0.20, 0.0144 * 3600 / 0.20),  # 259.2 s
        (LATER, FIVE, 0.20, 0.006 * 21_600 / 0.01),  # 3.6 h
        (f"{PAGE}, {LATER}", FIVE, 0.20, 12_960.0),
        (PAGE, ATOMIC, 1.0, 51.84),
        ("{burn: 36, long: 1h, short: 5m, phase: aligned}", ATOMIC, 0.15, 864.0),
    ],
)
def test_a_row_fires_when_its_share_of_the_budget_is_spent(
    rows: str, strategy: str, rate: float, exact: float
) -> None:
    """From a clean history an error share e fills a window w until e t / w = burn (1 - SLO), so
    t = (1 - SLO) burn w / e, if that is at most w (SRE Workbook, chapter 5); evaluated each
    minute. At 100 000 rps the counts are their means, but for one minute at a boundary."""
    scenario = bare(
        rate="rate: 100000 rps",
        defect=f"{{kind: errors, rate: {rate}}}",
        detection=f"burn_rate: [{rows}]",
        strategy=strategy,
    )
    for outcome in play(scenario, 20, seed=3):
        assert outcome.caught_by == "burn rate"
        assert outcome.time_to_detect in (evaluated_after(exact), evaluated_after(exact) + 60)


def test_a_share_below_the_rate_never_fires() -> None:
    """20 % on a 5 % canary are 1 % of the service: 10 times the budget's rate, below 14.4. The
    formula would say 1.44 h, which is longer than the window."""
    scenario = bare(
        rate="rate: 1000 rps",
        defect="{kind: errors, rate: 20%}",
        detection=f"burn_rate: [{PAGE}]",
        strategy=FIVE,
        response="watch: 0s",
    )
    for outcome in play(scenario, 10, seed=3):
        assert outcome.caught_at != "5%"


def plain(
    generator: np.random.Generator, minutes: int, requests: float, share: float, noise: float
) -> int:
    """Minutes until 3x over 30 min and 5 min fires against 99 %, drawn minute by minute."""
    block, offset = 5, generator.uniform(0, 5)
    multipliers = generator.standard_exponential(minutes // block + 20)
    bad, every = list[int](), list[int]()
    for minute in range(-30, minutes):
        low = (minute + 30 + offset) / block
        first = int(low)
        part = min(first + 1 - low, 1 / block) * block
        m = part * multipliers[first] + (1 - part) * multipliers[first + 1]
        mean = requests * (noise * m + (share if minute >= 0 else 0.0))
        bad.append(int(generator.poisson(mean)))
        every.append(int(generator.poisson(requests - mean)) + bad[-1])
        if minute >= 0 and all(
            sum(bad[-w:]) >= 0.03 * sum(every[-w:]) and sum(bad[-w:]) > 0 for w in (30, 5)
        ):
            return minute + 1
    return minutes


@pytest.mark.parametrize("alarms", ["", "alarms: [{above: 90%, period: 37s}], "])
def test_the_time_until_it_fires_has_the_right_spread(alarms: str) -> None:
    """10 rps, 2 % errors by the defect on a baseline of 0.8 % (gamma, cv 1, 5 min): two-sample
    Kolmogorov-Smirnov against the plain loop, p > 0.001, fixed seeds. With an alarm of another
    period beside it cells are cut elsewhere, which must change nothing."""
    scenario = bare(
        service="errors: {mean: 0.8%, cv: 1, for: 5m}",
        rate="rate: 10 rps",
        defect="{kind: errors, rate: 2%}",
        detection=f"{alarms}burn_rate: [{{burn: 3, long: 30m, short: 5m, phase: aligned}}]",
        strategy=ATOMIC,
        response="watch: 4h",
    ).with_("slo.availability", "99%")
    found = [o.time_to_detect / 60 for o in play(scenario, 800, seed=2)]
    generator = np.random.default_rng(7)
    expected = [plain(generator, 2000, 600, 0.02, 0.008) for _ in range(800)]
    assert ks_2samp(found, expected).pvalue > 1e-3


def test_what_fires_already_is_ignored_until_it_has_cleared() -> None:
    """A baseline of twice the budget fires 1x over 3 d for ever, so the row never speaks; and the
    scenario says so."""
    scenario = bare(
        service="errors: {mean: 0.2%, cv: 0, for: 5m}",
        rate="rate: 2000 rps",
        defect="{kind: errors, rate: 1%}",
        detection="burn_rate: [{burn: 1, long: 3d, short: 6h}]",
        strategy=ATOMIC,
        response="watch: 1h",
    )
    assert {o.caught_by for o in play(scenario, 5, seed=1)} == {"nobody"}
    assert any("fires in normal operation" in note for note in scenario.notes)


def test_standard_is_the_workbooks_table() -> None:
    text = "version: 1\nprofile: bare\nservice: {instances: 2}\ntraffic: {rate: 9 rps}\n"
    scenario = loads(text + "detection: {burn_rate: standard}\nstrategies: {canary: {}}")
    rows = [(r.burn, r.long / 3600, r.short / 60) for r in scenario.detection.burn_rate]
    assert rows == [(14.4, 1, 5), (6, 6, 30), (1, 72, 360)]
    for row in scenario.detection.burn_rate:
        spent = row.burn * row.long / scenario.slo.window
        assert spent == pytest.approx({14.4: 0.02, 6: 0.05, 1: 0.10}[row.burn])
