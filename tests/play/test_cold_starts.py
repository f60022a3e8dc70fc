"""Cold environments of an elastic service: how many calls meet one after a shift."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from simulator.words import dump, loads
from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play

COLD = "cold_start: {share: 1%, lasts: 400ms}"
# late when warm, when cold: e^-3, and always
WARM, FIRST = math.exp(-3), 1.0
# 1000 requests/s meet a cold environment until the first ones are free, after 0.4 + 0.1 s
CALLS = 1000 * (0.4 + 0.1)
HARM = CALLS * 0.99 * (FIRST - WARM)


def functions(strategy: str, **words: str | int) -> Scenario:
    """1000 requests/s of 100 ms that shall be answered within 300 ms."""
    service = f"elastic: true, concurrency: 10k, service_time: 100ms, {COLD}"
    return bare(service=service, strategy=strategy, **words).with_("slo.latency", "300ms")


def cold_calls(rng: np.random.Generator, rate: float, lasts: float, times: np.ndarray) -> int:
    """Call by call: one that finds no environment idle starts another one."""
    now, busy, idle, cold = 0.0, list[float](), 0, 0
    for gap, takes in zip(rng.exponential(1 / rate, len(times)), times, strict=True):
        now += gap
        while busy and busy[0] <= now:
            heapq.heappop(busy)
            idle += 1
        cold += not idle
        heapq.heappush(busy, now + takes + (0.0 if idle else lasts))
        idle -= idle > 0
    return cold


def test_call_by_call() -> None:
    """With equal times as many calls are cold as come until the first one is over; with random
    times at most half a service time's calls less."""
    rng, rate = np.random.default_rng(5), 1000.0
    equal = [cold_calls(rng, rate, 0.4, np.full(5000, 0.1)) for _ in range(20)]
    assert np.mean(equal) == pytest.approx(CALLS, rel=0.03)
    random = [cold_calls(rng, rate, 0.4, rng.exponential(0.1, 5000)) for _ in range(20)]
    assert 0.97 * (CALLS - 50) < np.mean(random) < 1.03 * CALLS


@pytest.mark.parametrize(
    "strategy",
    [
        "big_bang: {in_place: false}",
        "canary: {steps: [{weight: 10%, bake: 1m}, {weight: 50%, bake: 1m}]}",
        "linear: {step: 20%, every: 2m}",
        "blue_green: {smoke: none, cutover: {dns: {ttl: 60s, ignore: 0%, propagation: 0s}}}",
    ],
)
def test_however_traffic_moves_as_many_environments_start(strategy: str) -> None:
    outcomes = play(functions(strategy), 20, bad=False)
    assert outcomes[0].expected_failed_requests == pytest.approx(HARM, rel=1e-3)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert abs(mean - HARM) < 4 * error


def test_environments_that_are_there_are_warm() -> None:
    """What copies have warmed up is warm; so is the old version on the way back, and the new one
    where it has served before."""
    copied = functions(
        "shadow: {share: 100%, duration: 10m, then: {kind: blue_green, smoke: none}}"
    )
    assert play(copied, 1, bad=False)[0].expected_failed_requests == pytest.approx(0, abs=1e-6)
    caught = functions(
        "canary: {steps: [{weight: 10%, bake: 1h}]}", detection="noticed: {after: 10m}"
    )
    expected = 0.1 * HARM + 0.2 * 100 * 600
    (outcome,) = play(caught.with_("response.page.decide", "0s"), 1)
    assert outcome.expected_failed_requests == pytest.approx(expected, rel=0.01)


def test_slow_code_needs_more_environments() -> None:
    """Three times as slow: 0.4 + 0.3 s of calls meet cold ones, and e^-1 of the others is late."""
    slow = functions(
        "blue_green: {smoke: none}",
        defect="{kind: slow, factor: 3, rate: 0%}",
        detection="noticed: {after: 10m}",
    ).with_("response.page.decide", "0s")
    late = math.exp(-1)
    steady = late + 0.01 * (1 - late) - WARM - 0.01 * (1 - WARM)
    expected = 1000 * (600 * steady + 0.7 * 0.99 * (1 - late))
    (outcome,) = play(slow, 1)
    assert outcome.expected_failed_requests == pytest.approx(expected, rel=1e-6)


def test_none_where_they_are_provisioned() -> None:
    provisioned = functions("blue_green: {smoke: none}").with_("service.cold_start", "none")
    assert play(provisioned, 1, bad=False)[0].expected_failed_requests == 0
    short = functions("canary: {}").with_("service.cold_start", "{lasts: 400ms}")
    assert short.service.cold_start is not None
    assert (short.service.cold_start.share, short.service.cold_start.lasts) == (0.005, 0.4)
    assert loads(dump(short)).sha256 == short.sha256
