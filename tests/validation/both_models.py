"""The engine beside the model that plays every single request."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from random import Random

from joblib import Parallel, delayed

from tests.request_level.agreement import Case, Figure, confront
from tests.request_level.cases import CASES
from tests.request_level.limit_cases import LIMITS
from tests.request_level.load_cases import LOAD
from tests.request_level.trouble_cases import TROUBLE

SEED = 1


def _confronted(make: Callable[[Random], Case]) -> tuple[str, list[Figure]]:
    with redirect_stdout(io.StringIO()):
        figures = confront(make(Random(f"{SEED} {make.__name__}")), SEED)
    return make.__name__.replace("_", " "), figures


def section(jobs: int) -> tuple[str, str, list[str]]:
    """Every case and figure: both means, their difference, and four standard errors of it."""
    lines = [
        "A second model plays the same scripts request by request and instance by instance, in "
        "plain SimPy, and shares nothing with the engine but the scenario. Both agree on a figure "
        "when their means differ by no more than four standard errors of the difference, and that "
        "bound is at most 10 % of the value. Engines broken on purpose (15 % more requests, an "
        "alarm one period late, a rollback for free, one stream of luck for everything) are "
        "rejected by the same check in the suite (`tests/request_level`).",
        "",
        "| case | figure | request by request | engine | difference | four standard errors |",
        "|---|---|---:|---:|---:|---:|",
    ]
    failures = []
    for name, figures in Parallel(n_jobs=jobs)(
        delayed(_confronted)(make) for make in (*CASES, *TROUBLE, *LIMITS, *LOAD)
    ):
        for figure in figures:
            lines.append(
                f"| {name} | {figure.name} | {figure.a:.5g} | {figure.b:.5g} "
                f"| {figure.b - figure.a:+.3g} | {figure.bound:.3g} |"
            )
            if not (figure.agrees and figure.sharp):
                failures.append(f"{name}: the models differ in {figure.name}")
    return "Request by request", "\n".join(lines), failures
