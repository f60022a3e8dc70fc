"""Forms of their own at odd parameters, which nothing was fitted to. Seeds fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm

from simulator.words.scenario import Scenario
from tests.answers.comparing import given, noticed
from tests.play.playing import play


def linked(mean: float, drain: float, users: int, error: float, **words: str | int) -> Scenario:
    """37 instances, 113 requests/s on connections that last `mean` seconds."""
    return given(
        {"traffic.connections": f"{{mean: {mean:g}s}}"},
        instances=37,
        rate="rate: 113 rps",
        users=str(users),
        service=f"drain: {drain:g}s",
        defect=f"{{kind: errors, rate: {error:g}}}",
        **words,
    )


@pytest.mark.parametrize(
    ("mean", "weight", "after", "error"),
    [
        (1020, 0.3, 18_000, 0.9),
        (340, 0.11, 32_400, 0.9),
        (1020, 0.3, 1500, 0.9),
        (14_400, 0.3, 1500, 0.9),
        (777, 0.43, 4321, 0.07),
    ],
)
@pytest.mark.parametrize("people", ["", ", people: {report_rate: 1%, needed: 900}"])
def test_whoever_reconnects_may_meet_the_other_version(
    mean: float, weight: float, after: float, error: float, people: str
) -> None:
    """A user on (old, new) who has met nothing yet: d/dt of their shares is (-a/m, (1 - a)/m; a/m,
    -(1 - a)/m - h), and -1/m - h for those on new until the drain of the way back has cut them."""
    words = noticed(after)
    words["detection"] += people
    canary = f"canary: {{steps: [{{weight: {weight:g}, bake: 30h}}]}}"
    outcome = play(linked(mean, 95, 53_000, error, strategy=canary, **words), 1)[0]
    go, h = 1 / mean, 113 * error / 53_000
    forth = [[-go * weight, go * (1 - weight)], [go * weight, -go * (1 - weight) - h]]
    back = [[0.0, go], [0.0, -go - h]]
    spared = expm(95 * np.array(back)) @ expm(after * np.array(forth)) @ np.array([1.0, 0.0])
    assert outcome.users_harmed == pytest.approx(1 - spared.sum(), rel=0.01)
    assert outcome.users_harmed < 1


@pytest.mark.parametrize(
    ("mean", "drain", "seen", "error", "users"),
    [(1020, 95, 1427, 0.13, 53_000), (340, 211, 163, 0.31, 29_000)],
)
@pytest.mark.parametrize("sticky", [False, True])
def test_users_of_a_cut_over_there_and_back(
    mean: float, drain: float, seen: float, error: float, users: int, sticky: bool
) -> None:
    """A user goes over after an exponential time and comes back after another one, or when it has
    drained. Sticky, the first to go are the last to come: w e^(-x/mean) are left x s after it."""
    scenario = linked(
        mean,
        drain,
        users,
        error,
        traffic=f"sticky: {str(sticky).lower()}",
        strategy="blue_green: {smoke: none, keep_old: 12h}",
        **noticed(seen),
    )
    outcome, h = play(scenario, 1)[0], 113 * error / users
    w = -math.expm1(-seen / mean)
    exposure = seen - mean * w + w * mean * -math.expm1(-drain / mean)
    assert outcome.exposure_time == pytest.approx(exposure)
    if sticky:

        def harmed(u: float) -> float:
            stays = min(drain, mean * math.log(w / u)) if u > 0 else drain
            return -math.expm1(-h * (seen + mean * math.log(1 - u) + stays))

        exact = quad(harmed, 0, w, points=[w * math.exp(-drain / mean)])[0]
    else:
        both = 1 / mean + h
        spared = (1 - math.exp(-drain * both)) / mean / both + math.exp(-drain * both)
        exact = quad(
            lambda t: math.exp(-t / mean) / mean * (1 - math.exp(-h * (seen - t)) * spared), 0, seen
        )[0]
    assert outcome.users_harmed == pytest.approx(exact, rel=3e-3)
