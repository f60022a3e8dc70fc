"""What the analysis controller works out: when it measures, and what a run of it comes to.

Source: argoproj/argo-rollouts (9f8d111d): analysis/analysis.go, docs/features/analysis.md. The
engine counts by the same rules; tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Result = Literal["successful", "failed", "inconclusive", "error"]
Phase = Literal["running", "successful", "failed", "inconclusive", "error"]

ERROR_RETRY = 10.0
CONSECUTIVE_ERRORS = 4
_WORST: tuple[Phase, ...] = ("successful", "inconclusive", "error", "failed")


class Metric(NamedTuple):
    """One metric of an AnalysisTemplate; times are seconds, None where nothing is given.

    A `failure_limit` of -1 counts no failures, which goes with `consecutive_successes` only.
    """

    interval: float | None = None
    measurements: int = 0
    initial_delay: float = 0.0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    error_limit: int = CONSECUTIVE_ERRORS
    consecutive_successes: int = 0


def refuse(metric: Metric) -> str:
    """Why validation refuses a metric, or nothing."""
    if metric.measurements > 1 and metric.interval is None:
        return "count above 1 needs an interval"
    if metric.failure_limit == -1 and not metric.consecutive_successes:
        return "failureLimit -1 needs a consecutiveSuccessLimit"
    if 0 < metric.measurements < metric.failure_limit:
        return "count must be at least failureLimit"
    return ""


def wanted(metric: Metric) -> int | None:
    """How many measurements end a run; None: it runs until somebody stops it."""
    if metric.measurements:
        return metric.measurements
    return 1 if metric.interval is None else None


def moments(metric: Metric, results: Sequence[Result]) -> tuple[float, ...]:
    """When each measurement with these results is made, seconds from the start of the run.

    The next one comes an interval after the one before, after an error ten seconds after it.
    """
    found, at = list[float](), metric.initial_delay
    for result in results:
        found.append(at)
        at += ERROR_RETRY if result == "error" or metric.interval is None else metric.interval
    return tuple(found)


def assess(metric: Metric, results: Sequence[Result], stopped: bool = False) -> Phase:
    """What a metric has come to after these measurements; errors do not count for `count`.

    Of several limits that are exceeded error wins over inconclusive, and that over failed. One that
    is stopped before the end is successful, unless a limit is exceeded.
    """
    phase: Phase = "running"
    if results.count("failed") > metric.failure_limit != -1:
        phase = "failed"
    if results.count("inconclusive") > metric.inconclusive_limit:
        phase = "inconclusive"
    if _trailing(results, "error", ()) > metric.error_limit:
        phase = "error"
    if phase != "running":
        return phase
    needed = metric.consecutive_successes
    if needed and _trailing(results, "successful", ("error",)) >= needed:
        return "successful"
    enough, made = wanted(metric), len(results) - results.count("error")
    if enough is not None and made >= enough:
        if not needed:
            return "successful"
        return "failed" if metric.failure_limit == -1 else "inconclusive"
    return "successful" if stopped else "running"


def _trailing(results: Sequence[Result], result: Result, skipped: tuple[Result, ...]) -> int:
    """How many of one result stand at the end, without those that are skipped."""
    number = 0
    for one in reversed(results):
        if one in skipped:
            continue
        if one != result:
            break
        number += 1
    return number


def run(phases: Sequence[Phase]) -> Phase:
    """What a run of several metrics comes to: the worst, as soon as one fails or all are over."""
    over = [phase for phase in phases if phase != "running"]
    if len(over) < len(phases) and not {"failed", "error", "inconclusive"} & set(over):
        return "running"
    return max(over, key=_WORST.index, default="running")
