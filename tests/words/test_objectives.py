"""Objectives: one line of text each, in the figure's own unit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.play.outcome import Outcome
from simulator.words import FIGURES
from simulator.words.objectives import STATISTICS, Objective, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time_to_deploy p95 < 4h given good", ("time_to_deploy", "p95", "<", 14400, "good", None)),
        ("users_harmed p99 < 5%", ("users_harmed", "p99", "<", 0.05, None, None)),
        ("users_harmed<0.05", ("users_harmed", "mean", "<", 0.05, None, None)),
        ("budget_spent mean < 150%", ("budget_spent", "mean", "<", 1.5, None, None)),
        ("failed_requests cvar95 <= 10k", ("failed_requests", "cvar95", "<=", 1e4, None, None)),
        ("failed_requests > 0.5", ("failed_requests", "mean", ">", 0.5, None, None)),
        ("loss < 100 USD", ("loss", "mean", "<", 100, None, None)),
        ("loss < 2.5", ("loss", "mean", "<", 2.5, None, None)),
        (
            "time_to_detect applicable >= 90% given wrong_data for careful canary",
            ("time_to_detect", "applicable", ">=", 0.9, "wrong_data", "careful canary"),
        ),
    ],
)
def test_an_objective_says(text: str, expected: tuple[object, ...]) -> None:
    one = parse(text)
    found = (one.figure, one.statistic, one.relation, one.value, one.given, one.strategy)
    assert found == expected
    assert one.text == text


@pytest.mark.parametrize(
    ("relation", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_an_objective_holds(relation: str, below: bool, equal: bool, above: bool) -> None:
    one = parse(f"loss {relation} 5")
    assert [one.holds(value) for value in (4.0, 5.0, 6.0)] == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("harm < 5%", "unknown figure 'harm'"),
        ("users_harmd < 5%", "did you mean users_harmed"),
        ("users_harmed p90 < 5%", "mean|p50|p95|p99|cvar95|applicable"),
        ("users_harmed = 5%", "(<|<=|>|>=)"),
        ("users_harmed < 5", "write 5%"),
        ("time_to_deploy < 5", "no unit"),
        ("", "is not an objective"),
    ],
)
def test_a_wrong_objective_says_how_to_write_it(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(text)


@given(
    st.sampled_from(sorted(FIGURES)),
    st.sampled_from(STATISTICS),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.sampled_from([None, "good", "defect", "leak"]),
)
def test_any_figure_and_statistic_may_be_named(
    figure: str, statistic: str, relation: str, condition: str | None
) -> None:
    unit = "share" if statistic == "applicable" else FIGURES[figure].unit
    value = {"s": "5m", "share": "5%", "count": "5k", "money": "5"}[unit]
    text = f"{figure} {statistic} {relation} {value}"
    one = parse(text if condition is None else f"{text} given {condition}")
    assert isinstance(one, Objective)
    assert one.given == condition
    assert one.value == {"s": 300, "share": 0.05, "count": 5000, "money": 5}[unit]


def test_figures_are_those_of_an_outcome() -> None:
    assert set(FIGURES) <= set(Outcome._fields)
    for figure in FIGURES.values():
        assert figure.unit in ("s", "share", "count", "money")
        assert figure.meaning
