"""Where the engine takes a mean course of many instances: how far that is from the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from tests.answers import oracles
from tests.play.playing import bare, play
from tests.validation.rows import SEED
from tests.validation.times import exponential, takes

REPLICATIONS = 400
_MEAN = 60.0


class Case(NamedTuple):
    """A figure of a fleet whose starts take an exponential minute, its exact mean and standard
    deviation (NaN: not known), and how far off (a share) the mean may be beside chance.
    """

    figure: str
    strategy: str
    instances: int
    exact: float
    spread: float
    allowed: float


class Found(NamedTuple):
    """What was simulated: mean, standard deviation, and the mean's standard error."""

    mean: float
    spread: float
    error: float


def cases() -> list[Case]:
    """Windows over more than 200 instances; a pool that is joined by several at once."""
    windows = [
        Case(
            "time_to_deploy",
            f"rolling: {{batch: {slots}}}",
            count,
            oracles.sliding_window(_MEAN, count, slots),
            math.sqrt(oracles.variance_of_window(_MEAN, count, slots)),
            0.02,
        )
        for count, slots in ((400, 40), (1000, 100), (250, 10), (1000, 10))
    ]
    pools = [
        Case(
            "mixing",
            "immutable: {first: 100%}",
            count,
            oracles.mixing_while_joining(_MEAN, count),
            math.nan,
            0.05,
        )
        for count in (5, 10, 50)
    ]
    return [*windows, *pools]


def simulated(case: Case, replications: int = REPLICATIONS) -> Found:
    """The figure's mean over good releases."""
    service = takes(exponential(_MEAN))
    scenario = bare(strategy=case.strategy, instances=case.instances, service=service)
    played = play(scenario, replications, SEED, bad=False)
    values = np.array([getattr(outcome, case.figure) for outcome in played])
    spread = float(values.std(ddof=1))
    return Found(float(values.mean()), spread, spread / math.sqrt(replications))


def too_far(case: Case, found: Found) -> str:
    """What is wrong with a case, if anything."""
    off = abs(found.mean - case.exact)
    if off <= case.allowed * case.exact + 4 * found.error:
        return ""
    return (
        f"{case.figure} of {case.strategy} with {case.instances} instances: {found.mean:.5g} "
        f"instead of {case.exact:.5g}"
    )


def section(jobs: int) -> tuple[str, str, list[str]]:
    """A table of the approximations."""
    chosen = cases()
    call: Callable[[Case], Found] = simulated
    results = Parallel(n_jobs=jobs)(delayed(call)(case) for case in chosen)
    lines = [
        "Up to 200 instances every start of a rolling update is an event; above that the share in "
        "service follows its mean course and only the end is drawn, so that the spread is that of "
        "the last ones. Instances that join a pool together follow their mean course given the "
        "slowest. Starts take an exponential minute. A mean further off than allowed, beyond 4 "
        "standard errors, is a failure.",
        "",
        "| figure | strategy | instances | exact | simulated | off | allowed | exact spread "
        "| simulated |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for case, found in zip(chosen, results, strict=True):
        exact = "" if math.isnan(case.spread) else f"{case.spread:.3g}"
        lines.append(
            f"| {case.figure} | `{case.strategy}` | {case.instances} | {case.exact:.5g} "
            f"| {found.mean:.5g} | {found.mean / case.exact - 1:+.1%} | {case.allowed:.0%} "
            f"| {exact} | {found.spread:.3g} |"
        )
    wrong = [too_far(case, found) for case, found in zip(chosen, results, strict=True)]
    return "Approximations", "\n".join(lines), [text for text in wrong if text]
