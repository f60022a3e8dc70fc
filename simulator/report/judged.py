"""Objectives as they were judged, in words: kept, failed, or not decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.report import wording

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.findings.verdict import Threshold

UNDECIDED = "the 95 % interval holds both answers: use more replications"


class Judged(NamedTuple):
    """One objective for one strategy: its value and interval as text, whether it is kept, and
    whether the interval lies on one side of the limit.
    """

    expression: str
    strategy: str
    value: str
    interval: str
    passed: bool
    decided: bool

    @property
    def mark(self) -> str:
        """The judgement in words."""
        return ("kept" if self.passed else "failed") + ("" if self.decided else ", not decided")

    @property
    def sentence(self) -> str:
        """The judgement with its numbers, in one sentence."""
        sure = "" if self.decided else f"; not decided: {UNDECIDED}"
        bounds = f" (95 % interval {self.interval})" if self.interval else ""
        verb = "keeps" if self.passed else "fails"
        return (
            f"{wording.named(self.strategy)} {verb} {self.expression}: {self.value}{bounds}{sure}."
        )


def judged(comparison: Comparison, strategy: str | None = None) -> list[Judged]:
    """Every objective for every strategy it concerns, or for one strategy alone."""
    units = {objective.text: objective.unit for objective in comparison.scenario.objectives}
    return [
        Judged(
            found.expression,
            found.strategy,
            _value(comparison, found, units[found.expression]),
            wording.between(found.value, units[found.expression]),
            found.passed,
            found.decided,
        )
        for found in comparison.thresholds
        if strategy is None or found.strategy == strategy
    ]


def _value(comparison: Comparison, found: Threshold, unit: str) -> str:
    """The value that was judged as text, or why there is none."""
    if found.strategy in comparison.results.unplayed:
        return "cannot be carried out"
    if found.endless:
        low = found.value.low
        return "without end" if low is None else f"more than {wording.figure(low, unit)}"
    if found.value.value is None and found.decided:
        return "never deploys a good release"
    return wording.figure(found.value.value, unit)
