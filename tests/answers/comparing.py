"""Scenarios with keys a bare one has no place for, and means against exact values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error


def given(also: Mapping[str, str], **words: str | int) -> Scenario:
    """A bare scenario with these keys set as well."""
    scenario = bare(**words)
    for path, text in also.items():
        scenario = scenario.with_(path, text)
    return scenario


def noticed(after: float, decide: float = 0.0) -> dict[str, str]:
    """Words of a scenario: noticed some seconds after the first harm, and how long to decide."""
    return {
        "detection": f"noticed: {{after: {after:g}s}}",
        "response": f"page: {{decide: {decide:g}s}}",
    }


class Near(NamedTuple):
    """A mean with its standard error beside an exact value; true when they agree."""

    mean: float
    error: float
    expected: float
    bound: float

    def __bool__(self) -> bool:
        return abs(self.mean - self.expected) < self.bound


def near(values: Sequence[float], expected: float, k: float = 4.0) -> Near:
    """The mean is within k standard errors, or right to nine digits where nothing is random."""
    mean, error = mean_and_error(values)
    return Near(mean, error, expected, k * error + 1e-9 * max(abs(expected), 1))
