"""Judges that compare: their levels and powers; and what looking again and again does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from scipy import stats

from simulator.play import judges
from tests.answers import oracles
from tests.validation import checks
from tests.validation.checks import Finding
from tests.validation.rows import Row, caught, row

SOURCE = "https://arxiv.org/abs/2205.14762"
_STEP = "canary: {steps: [{weight: 20%, bake: 1h}]}"
_RUNS, _LOOKS, _VALUES = 100, 120, 10_000
_COARSE = 0.475


def at_most(values: Sequence[float], exact: float) -> Finding:
    """A share against an upper bound: only what lies above it is off."""
    found = checks.share(values, exact)
    return found if found.value > exact else found._replace(distance=0.0)


def rows() -> list[Row]:
    """Rows about judges that compare with the old version, or look again and again."""
    service, found = "errors: {mean: 1%, cv: 0, for: 5m}", []
    for against, old in (("old", 14_400 * 4), ("baseline", 14_400)):
        judge = f"judge: {{test: two_proportion, against: {against}}}"
        words = {"rate": "rate: 20 rps", "service": service, "strategy": _STEP}
        found.append(
            row(
                *("false alarms", "significance", 0.05, 600),
                value=caught("judge"),
                check=checks.share,
                bad=False,
                detector="judge",
                detection=judge,
                **words,
            )
        )
        power = oracles.power_of_two_proportions(0.01 + 0.99 * 0.003, 0.01, 14_400, old, 0.05)
        found.append(
            row(
                *("caught in the step", "Phi((d - z s0) / s1)", power, 600),
                value=caught("judge"),
                check=checks.share,
                detector="judge",
                detection=judge,
                defect="{kind: errors, rate: 0.3%}",
                **words,
            )
        )
    wandering = {
        "rate": "rate: 20 rps",
        "service": "errors: {mean: 1%, cv: 1, for: 5m}",
        "strategy": _STEP,
    }
    for test, formula, level in (
        ("sequential", "at most the significance, whenever one looks", 0.05),
        ("sequential, against: baseline", "at most the significance, whenever one looks", 0.05),
        ("mann_whitney", "at most (1 - confidence) / 2", 0.01),
        ("mann_whitney, against: baseline", "at most (1 - confidence) / 2", 0.01),
    ):
        found.append(
            row(
                *("false alarms", formula, level, 300),
                value=caught("judge"),
                check=at_most,
                bad=False,
                detector="judge",
                detection=f"judge: {{test: {test}}}",
                **wandering,
            )
        )
    return found


def peeking() -> tuple[str, str, list[str]]:
    """Equal versions looked at again and again: the rank test is fooled, the sequential is not."""
    generator = np.random.default_rng(1)
    looks = np.unique(np.geomspace(10, _VALUES, _LOOKS).astype(int))
    wrong = crossed = 0
    for _ in range(_RUNS):
        new, old = generator.standard_normal((2, _VALUES))
        wrong += any(
            stats.mannwhitneyu(new[:n], old[:n], method="asymptotic").pvalue < 0.05 for n in looks
        )
        mine = np.cumsum(generator.random(_VALUES) < 0.5)
        every = np.arange(1, _VALUES + 1)
        crossed += judges.sequential(mine, every - mine, 0.5, 0.05).crossed is not None
    share, error = wrong / _RUNS, math.sqrt(0.25 / _RUNS)
    level = crossed / _RUNS
    failures = []
    if abs(share - _COARSE) > 4 * error:
        failures.append(f"peeking at Mann-Whitney: {share:.1%} instead of {_COARSE:.1%}")
    if level > 0.05 + 4 * math.sqrt(0.05 * 0.95 / _RUNS):
        failures.append(f"the sequential judge fails {level:.1%} of equal versions")
    z = NormalDist().inv_cdf(0.975)
    text = (
        f"Two equal versions, {_VALUES} values each, a Mann-Whitney test at 5 % after every value: "
        f"[significant at some look in about 70 % of the runs]({SOURCE}). With {_LOOKS} looks, "
        f"evenly spaced on a logarithmic scale, it is {share:.0%} of {_RUNS} runs "
        f"({share - z * error:.0%} to {share + z * error:.0%}; 47.5 % expected). The sequential "
        f"judge, looking after every bad request, fails {level:.1%}: at most 5 % whenever one "
        "stops."
    )
    return "Published: looking again and again", text, failures
