"""Both models against where sessions lie at every moment, followed instance by instance."""

from __future__ import annotations

import math

import pytest

from simulator.play.request_level import play_plainly
from tests.play.playing import bare, mean_and_error, play
from tests.request_level.agreement import watched


def cut_in_a_rolling_update(size: int, startup: float, drain: float, mean: float) -> float:
    """The part of all sessions that is cut off, one instance after the other and one more at most.

    They begin evenly on those in service and end at random; at one moment an instance is exchanged
    before anything is cut off.
    """
    swaps = [(startup * (k + 1), False) for k in range(size)]
    cuts = [(when + drain, True) for when, _ in swaps]
    serving, leaving = [1 / size] * size, list[float]()
    now = cut = 0.0
    for when, ends in sorted(swaps + cuts):
        left = math.exp(-(when - now) / mean)
        serving = [part * left + (1 - left) / size for part in serving]
        leaving = [part * left for part in leaving]
        if ends:
            again = leaving.pop(0)
            serving = [part + again / size for part in serving]
            cut += again
        else:
            leaving.append(serving.pop(0))
            serving.append(0.0)
        now = when
    return cut


@pytest.mark.parametrize(
    ("size", "startup", "drain", "mean"), [(5, 40, 160, 700), (4, 50, 70, 300)]
)
def test_sessions_in_a_rolling_update(size: int, startup: int, drain: int, mean: int) -> None:
    """The first drain may end at the very moment at which the last instance leaves."""
    scenario = bare(
        instances=size,
        rate="rate: 4 rps",
        users="2k",
        service=f"startup: {startup}s, drain: {drain}s, sessions: {{mean: {mean}s, requests: 5}}",
        strategy="rolling: {batch: 1, surge: 1, max_unavailable: 0}",
    )
    words = watched(scenario, "10m")
    expected = 4 * mean / 5 * cut_in_a_rolling_update(size, startup, drain, mean)
    engine = play(words, 1, bad=False)[0]
    assert engine.expected_failed_requests == pytest.approx(expected)
    plain = [float(play_plainly(words, "rolling", None, k).failed_requests) for k in range(80)]
    found, error = mean_and_error(plain)
    assert abs(found - expected) < 4 * error
