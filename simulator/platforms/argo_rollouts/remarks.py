"""What the author of a Rollout should know of it, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from simulator.platforms.argo_rollouts import analysis, rules

_FAR = 0.02
_MINUTE = 60.0


def of_counts(steps: Sequence[Mapping[str, Any]], replicas: int, surge: int) -> Iterator[str]:
    """Weights that pods cannot come near to."""
    told = []
    for step in steps:
        if "weight" not in step:
            continue
        weight = _share(step["weight"])
        canary, stable = rules.wish(replicas, weight, surge)
        share = canary / max(canary + stable, 1)
        if abs(share - weight) > _FAR:
            pods = f"{canary} of {canary + stable} pods ({100 * share:.3g} %)"
            told.append(f"{100 * weight:.3g} % is {pods}")
    if told:
        yield (
            f"Without trafficRouting a weight is a number of pods: {', '.join(dict.fromkeys(told))}"
            ", and so is the share of the users who meet the new version."
        )


def of_single_measurements(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Measurements that are made at once after a weight."""
    for number, (before, step) in enumerate(pairwise(steps), 2):
        at_once = [one for one in step.get("analysis", ()) if not one.get("initial_delay", 0)]
        if "weight" in before and at_once:
            yield (
                f"Step {number} measures right after a weight, when nobody has been served: it "
                f"tries {analysis.CONSECUTIVE_ERRORS + 1} times, 10 s apart, and sees at most the "
                "first 40 s. Pause before it, or set initialDelay."
            )


def of_background(
    steps: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]], start: int
) -> Iterator[str]:
    """When an analysis beside the steps can abort at the earliest, and at which weight."""
    for metric in metrics:
        interval, limit = metric.get("interval", 0), metric.get("failure_limit", 0)
        needs = metric.get("initial_delay", 0) + limit * interval
        if not needs:
            continue
        weight, passed, asked = _when(steps, start, needs)
        people = ", and what a person takes to promote" if asked else ""
        many = f"{limit + 1} failed measurements, {needs / _MINUTE:.3g} min"
        if weight is None:
            yield (
                f"{metric['name']} aborts after {many} after its first; the pauses from its "
                f"startingStep on are {passed / _MINUTE:.3g} min{people}: by then everybody may "
                "have the new version."
            )
        else:
            yield (
                f"{metric['name']} aborts after {many} after its first: "
                f"with the pauses as they are{people} the weight is {weight} by then."
            )


def _when(
    steps: Sequence[Mapping[str, Any]], start: int, needs: float
) -> tuple[str | None, float, bool]:
    """The weight in force so many seconds of pauses after a step, how long the pauses are, and
    whether a person is waited for; None: all is over before.
    """
    weight: str | None = None
    passed, asked = 0.0, False
    for number, step in enumerate(steps):
        weight = step.get("weight", weight)
        if number < start:
            continue
        asked = asked or "approve" in step
        passed += step.get("pause", 0.0)
        if passed >= needs:
            return weight, passed, asked
    return None, passed, asked


def _share(text: str) -> float:
    return float(text.rstrip("%")) / 100


__all__ = ["of_background", "of_counts", "of_single_measurements"]
