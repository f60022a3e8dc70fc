"""Answers that come too late: queues, slow code, and what detectors see of it."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from scipy.stats import binom, poisson

from simulator.play.latency import erlang_c, later_than
from simulator.words.problems import ScenarioError
from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play

# 10 instances of 10 servers each, 80 % busy: 1000 rps of 100 ms
FLEET = "capacity: 125 rps, service_time: 80ms"


def objective(limit: str = "200ms", **words: str | int) -> Scenario:
    """A fleet whose answers must not be later than this."""
    return bare(**{"service": FLEET, **words}).with_("slo.latency", limit)


def late(busy: float, takes: float = 0.08, servers: float = 10.0, limit: float = 0.2) -> float:
    """The share of answers that is late."""
    return float(later_than(limit, takes, servers, busy))


def integer_erlang_c(servers: int, load: float) -> float:
    """The textbook's sum."""
    terms = [math.exp(k * math.log(load) - math.lgamma(k + 1)) for k in range(servers)]
    last = math.exp(servers * math.log(load) - math.lgamma(servers + 1)) / (1 - load / servers)
    return last / (sum(terms) + last)


def test_the_chance_to_wait() -> None:
    assert float(erlang_c(10, 8)) == pytest.approx(0.40918, abs=5e-6)
    assert float(erlang_c(10, 8)) / (10 - 8) == pytest.approx(0.20459, abs=5e-6)  # mean wait / S
    for servers, load in ((1, 0.3), (3, 2.9), (40, 30.0), (150, 149.0)):
        assert float(erlang_c(servers, load)) == pytest.approx(integer_erlang_c(servers, load))
    between = [float(erlang_c(c, 0.9 * c)) for c in (2, 2.5, 3)]
    assert between == sorted(between, reverse=True)
    assert float(erlang_c(1e5, 9e4)) == pytest.approx(0, abs=1e-100)


def test_the_time_until_an_answer() -> None:
    """M/M/1: e^-(mu - lambda) t; without a queue e^-t/S; everything where it is overloaded."""
    assert late(0.7, 1.0, 1, 3.0) == pytest.approx(math.exp(-0.3 * 3))
    assert late(0.2, 0.1, 500, 0.3) == pytest.approx(math.exp(-3))
    assert late(1.0) == late(1.7) == 1.0
    # where waiting has the rate of a service, c (1 - busy) = 1, the law is a gamma law
    wait = integer_erlang_c(5, 4.0)
    assert late(0.8, 1.0, 5, 2.0) == pytest.approx(math.exp(-2) * (1 + wait * 2))


def queue(rng: np.random.Generator, rate: float, servers: int, takes: float, until: float):  # type: ignore[no-untyped-def]
    """Request by request: arrival times and times until the answer of M/M/c."""
    arrivals = np.cumsum(rng.exponential(1 / rate, int(rate * until)))
    free, spent = [0.0] * servers, []
    for arrival, length in zip(arrivals, rng.exponential(takes, len(arrivals)), strict=True):
        begin = max(arrival, free[0])
        heapq.heapreplace(free, begin + length)
        spent.append(begin + length - arrival)
    return arrivals, np.array(spent)


def test_request_by_request_the_mean_is_right_and_the_spread_larger() -> None:
    """A queue of ten servers, 80 % busy: as many late answers as Erlang says, but they come in
    bursts: the variance of their number in a minute is about eleven times a Poisson number's."""
    rng, rate, until = np.random.default_rng(3), 100.0, 3000.0
    arrivals, spent = queue(rng, rate, 10, 0.08, until)
    counts = np.histogram(arrivals[spent > 0.2], np.arange(60, until - 59, 60))[0]
    expected = late(0.8) * rate * 60
    assert abs(counts.mean() - expected) < 4 * counts.std() / math.sqrt(len(counts))
    assert 4 * counts.std() / math.sqrt(len(counts)) < 0.1 * expected
    assert 5 < counts.var() / counts.mean() < 20


@pytest.mark.parametrize("queueing", ["instance", "shared"])
def test_fewer_instances_answer_later(queueing: str) -> None:
    """One of ten instances away at a time for ten minutes: the others are 80/9 % busy."""
    scenario = objective(
        service=f"{FLEET}, install: 60s, queueing: {queueing}",
        strategy="rolling: {batch: 1, in_place: true}",
    )
    outcomes = play(scenario, 30, bad=False)
    servers = (10, 10) if queueing == "instance" else (90, 100)
    before, meanwhile = late(0.8, servers=servers[1]), late(8 / 9, servers=servers[0])
    expected = 1000 * 600 * (meanwhile - before)
    assert outcomes[0].expected_failed_requests == pytest.approx(expected, rel=1e-6)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert abs(mean - expected) < 4 * error
    tight = scenario.with_("service.capacity", "105 rps")
    (overloaded,) = play(tight, 1, bad=False)  # everything that is not rejected is late
    usual = late(1000 / 1050, servers=10.5 * 0.8 if queueing == "instance" else 105 * 0.8)
    assert 0 < usual < 1
    served = 945 * 600 * (1 - late(100 / 105, servers=8.4 if queueing == "instance" else 84))
    assert overloaded.expected_failed_requests == pytest.approx(55 * 600 + served, rel=1e-6)


def test_a_second_fleet_makes_nobody_wait() -> None:
    """Green is as large as blue: nothing is later than before, and that is no harm at all."""
    (outcome,) = play(objective(strategy="blue_green: {}"), 1, bad=False)
    assert outcome.failed_requests == outcome.expected_failed_requests == 0
    assert outcome.degraded > 0  # late anyway: more than 0.1 %


def test_slow_code_is_late_even_where_it_has_room() -> None:
    """Twice as slow at 40 %: a fleet of ten times two servers, 80 % busy; and the share `rate`."""
    scenario = objective(
        service="capacity: 250 rps, service_time: 80ms",
        defect="{kind: slow, factor: 2, rate: 10%}",
        detection="noticed: {after: 5m}",
        strategy="blue_green: {smoke: none}",
    )
    slow, usual = late(0.8, 0.16, 20), late(0.4, 0.08, 20)
    expected = 1000 * 300 * (slow - usual + 0.1 * (1 - slow))
    (outcome,) = play(scenario, 1)
    assert outcome.expected_failed_requests == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("traffic", ["", "daily: {mean: 9.999 rps, peak: 10 rps, peak_at: 14:00}"])
def test_detectors_see_what_is_late_anyway(traffic: str) -> None:
    """600 requests a minute, and an alarm a fifth above the share that is late anyway: as often as
    a Poisson number is, in the five minutes of a bake; and nobody is harmed by it."""
    usual = late(0.8, 8.0, 10, 20.0)
    above = f"above: {120 * usual:.6f}%, datapoints: 1 of 1"
    scenario = objective(
        "20s",
        service="capacity: 1.25 rps, service_time: 8s",
        rate=traffic or "rate: 10 rps",
        detection=f"alarms: [{{watch: service, metric: late, {above}, phase: aligned}}]",
        strategy="blue_green: {smoke: none, bake: 5m, keep_old: 0s}",
    )
    outcomes = play(scenario, 400, bad=False)
    found = sum(o.caught_at == "100%" for o in outcomes) / len(outcomes)
    requests = np.arange(400, 800)
    chances = poisson.pmf(requests, 600)
    chance = float(np.sum(chances * binom.sf(np.floor(1.2 * usual * requests), requests, usual)))
    expected = 1 - (1 - chance) ** 5
    assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / len(outcomes))
    assert 0.1 < expected < 0.9
    assert all(o.failed_requests == 0 for o in outcomes)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("service.service_time", "none", "latency needs service.service_time"),
        ("service.cold_start", "{share: 1%}", "cold_start needs elastic: true"),
    ],
)
def test_half_an_objective_is_refused(path: str, value: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        objective().with_(path, value)


def test_what_is_said_about_it() -> None:
    assert "dispersion 1" in objective().notes[-1]
    without = objective().with_("slo.latency", "none")
    assert without.notes[-1].endswith("without effect: service.service_time")


@pytest.mark.parametrize(("overload", "carried"), [("shed", 0.625), ("collapse", 0.625**3)])
def test_what_an_overloaded_fleet_still_carries_is_late(overload: str, carried: float) -> None:
    """Code twice as slow on a fleet that was 80 % busy: 1 - carried are rejected and the rest is
    late, of which a part is late anyway; who rejects more is not late more often."""
    slow = "{kind: slow, factor: 2, rate: 0%}"
    (outcome,) = play(objective(service=f"{FLEET}, overload: {overload}", defect=slow), 1)
    bad = 1 - carried + carried * (1 - late(0.8))
    assert outcome.expected_failed_requests == pytest.approx(86.4e6 * bad, rel=1e-6)
    assert outcome.overloaded == 1
