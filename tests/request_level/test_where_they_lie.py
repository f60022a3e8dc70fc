"""Both models against where sessions and connections lie, followed instance by instance."""

from __future__ import annotations

import heapq
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


def exposed_seconds(size: int, startup: float, drain: float, mean: float, decided: float) -> float:
    """All connections x seconds on the new version: replaced one by one until it is `decided` to
    go back, then one by one the other way, those that have served longest first.
    """
    serving, leaving = ([1 / size] * size, list[float]()), list[tuple[int, list[float]]]()
    steps: list[tuple[float, int]] = [(decided, 0)]
    now, total, version = 0.0, 0.0, 1

    def exchange() -> None:
        held = [serving[1 - version].pop(0)]
        leaving.append((1 - version, held))
        heapq.heappush(steps, (now + drain, 2))
        heapq.heappush(steps, (now + startup, 1))

    exchange()
    while steps:
        when, what = heapq.heappop(steps)
        left, count = math.exp(-(when - now) / mean), sum(map(len, serving))
        end = len(serving[1]) / count
        on_new = sum(serving[1]) + sum(held[0] for which, held in leaving if which == 1)
        total += end * (when - now) + (on_new - end) * mean * (1 - left)
        for group in serving:
            group[:] = [part * left + (1 - left) / count for part in group]
        for _, held in leaving:
            held[0] *= left
        now = when
        if what == 0:
            version = 0
            steps = [step for step in steps if step[1] != 1]
            heapq.heappush(steps, (now + startup, 1))
        elif what == 1:
            serving[version].append(0.0)
            if serving[1 - version]:
                exchange()
        else:
            again = leaving.pop(0)[1][0]
            for group in serving:
                group[:] = [part + again / count for part in group]
    return total


@pytest.mark.parametrize(
    ("size", "startup", "drain", "mean", "decided"),
    [(6, 60, 60, 900, 200), (7, 50, 30, 600, 310), (5, 60, 150, 1200, 250), (6, 60, 0, 900, 200)],
)
def test_connections_there_and_back(
    size: int, startup: int, drain: int, mean: int, decided: int
) -> None:
    """The new instances leave in the order in which they came: the first hold the most."""
    scenario = bare(
        instances=size,
        rate="rate: 8 rps",
        users="1k",
        traffic=f"connections: {{mean: {mean}s}}",
        service=f"startup: {startup}s, drain: {drain}s",
        defect="{kind: errors, rate: 30%}",
        detection=f"noticed: {{after: {decided - startup - 20}s}}",
        response="page: {decide: 20s}",
        strategy="rolling: {batch: 1, surge: 0}",
    )
    words = scenario.with_("follow_up", "10m").with_("response.hold", False)
    expected = 8 * exposed_seconds(size, startup, drain, mean, decided)
    engine = play(words, 1)[0]
    assert engine.exposed_requests == pytest.approx(expected)
    assert engine.expected_failed_requests == pytest.approx(0.3 * expected)
    defect = words.change.defects[0]
    plain = [float(play_plainly(words, "rolling", defect, k).exposed_requests) for k in range(16)]
    found, error = mean_and_error(plain)
    assert abs(found - expected) < 4 * error
