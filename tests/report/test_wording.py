"""Values in sentences: as a scenario file would say them."""

from __future__ import annotations

import math

import pytest

from simulator.findings.means import Interval
from simulator.report import wording
from tests.report.comparing import hostile


@pytest.mark.parametrize(
    ("value", "said"), [(0.05, "5%"), (0.137, "13.7%"), (0.00205, "0.205%"), (1.0, "100%")]
)
def test_a_share_is_said_in_per_cent(value: float, said: str) -> None:
    assert wording.setting(hostile().scenario, "change.defect_probability", value) == said


def test_a_name_of_more_than_one_word_is_quoted() -> None:
    assert wording.named("blue_green") == "blue_green"
    assert wording.named("10 %, 5 min") == "“10 %, 5 min”"


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (Interval(-0.0453, -0.0456, -0.045), "-4.56 to -4.5 %"),
        (Interval(0.01, -0.02, 0.04), "-2–4 %"),
        (Interval(0.05, 0.0, 0.1), "0–10 %"),
        (Interval(-1.0, -1.0, -1.0), "-100 %"),
        (Interval(0.0, -1e-5, 0.02), "0–2 %"),
        (Interval(0.1, 0.1, math.nan), "10 %–-"),
    ],
)
def test_what_is_below_nothing_is_said_as_it_is(interval: Interval, said: str) -> None:
    assert wording.between(interval, "share") == said


def test_an_amount_below_nothing_is_said_like_one_above() -> None:
    assert wording.figure(-7200.0, "s") == f"-{wording.figure(7200.0, 's')}"
    assert wording.between(Interval(0.0, -2e6, -1e6), "money") == "-2 to -1 M"
    assert wording.figure(-1e-9, "money", "USD") == "0 USD"
    assert wording.between(Interval(-1e-19, -1e-19, 1e-20), "money") == "0"
