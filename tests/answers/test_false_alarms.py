"""False alarms of good releases in the web shop: how many, from what, and what m of n changes."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from simulator.findings import study
from simulator.words.reading import load


def false_alarms(count: int, *sets: str) -> dict[str, float]:
    """Share of good canaries of the web shop that are rolled back, by the detector."""
    scenario = load("web-shop", sets=sets)
    columns = study.play(scenario, scenario.sha256, 5, study.Batch("canary", 0, 0, count))
    caught = zip(columns["outcome"], columns["caught_by"], strict=True)
    found = Counter(by for outcome, by in caught if outcome == "false_alarm")
    return {str(by): number / count for by, number in found.items()}


def near(value: float, exact: float, count: int) -> bool:
    return abs(value - exact) < 4 * math.sqrt(exact * (1 - exact) / count)


def test_they_come_from_incidents_and_failed_starts() -> None:
    """0.2 % in all. 40 new instances each fail twice in a row with probability 0.5 %^2: 0.1 %. An
    incident of 5 % errors begins once in 30 days, and the canary with its watched phase is exposed
    for about 73 minutes: 0.17 %, less the shorter ones. Without both there are none: usual errors
    of 0.02 % do not reach 1 % (P(multiplier > 50) = e^-50), however many periods must breach."""
    found = false_alarms(4000)
    assert near(found["health"], 1 - (1 - 0.005**2) ** 40, 4000)
    assert near(found["alarm new errors"], 73 / (30 * 24 * 60), 4000)
    assert false_alarms(2000, "service.incidents=none", "service.start_failure=none") == {}
    longer = false_alarms(4000, "detection.alarms[0].datapoints=3 of 5")
    assert longer["alarm new errors"] == pytest.approx(found["alarm new errors"], abs=4e-4)


def test_wandering_errors_are_what_m_of_n_is_for() -> None:
    """Usual errors of 0.2 % reach 1 % in a block of 5 minutes with probability e^-5; the canary
    meets about 15 blocks: 9.6 %. One minute of five is likelier, three of five less likely."""
    errors = "service.errors={mean: 0.2%, cv: 1, for: 5m}"
    shares = []
    for datapoints in ("1 of 1", "2 of 3", "3 of 5"):
        found = false_alarms(1500, errors, f"detection.alarms[0].datapoints={datapoints}")
        shares.append(found["alarm new errors"])
    assert shares[0] > shares[1] > shares[2]
    assert near(shares[1], 1 - (1 - math.exp(-5)) ** 15, 1500)
