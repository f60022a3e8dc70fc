"""How far a gate sees: its power along its length, its weight and the traffic it gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings.executors import Workers, each
from simulator.findings.means import Interval
from simulator.findings.power import JUDGED, WANTED, longest_bake
from simulator.findings.study import Progress, Stratum
from simulator.findings.trial import ALL, Array, Trial, detected, serving, trials, within
from simulator.play.rehearsal import gates

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

LENGTH, WEIGHT, TRAFFIC = "length", "weight", "traffic"
ALONG = (LENGTH, WEIGHT, TRAFFIC)
_SHORTEST, _LENGTHS = 0.1, 25
_WEIGHTS = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
_TRAFFIC = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_WHOLE = "watch"


class Point(NamedTuple):
    """A gate at one length (s), weight (0..1) or traffic (times today's).

    `requests` of the new version are expected to pass it; `power` is the chance that a bad release
    is detected, of every kind together (`all`) and of each; `false_alarm` that a good one is.
    """

    at: float
    requests: float
    power: dict[str, Interval]
    false_alarm: Interval


class Curve(NamedTuple):
    """What one detector sees at a gate along its length, weight or traffic; `now` is today's."""

    along: str
    detector: str
    now: float
    points: tuple[Point, ...]

    def enough(self, kind: str = ALL, wanted: float = WANTED) -> float | None:
        """The smallest value tried at which the power against a kind is `wanted` (90 %)."""
        seen = [p.at for p in self.points if (p.power[kind].value or 0.0) >= wanted]
        return min(seen, default=None)


class _Question(NamedTuple):
    """What is played at once: a detector at one value; all lengths (s) are read off one play."""

    scenario: Scenario
    trial: Trial
    along: str
    values: tuple[float, ...]
    groups: tuple[Stratum, ...]
    seed: int


def reach(
    scenario: Scenario,
    name: str,
    number: int,
    seed: int = 1,
    replications: int = 100,
    fewest: int = 20,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> tuple[Curve, ...]:
    """The power of every detector, and of all together, at gate `number` of a strategy.

    Along its length (a tenth to 32 times as long, at most a day unless it is longer), its weight
    (1 % to all; not for copies and the watched phase, which have none to set) and the traffic (a
    thousandth to ten times today's, with the fleet's load and the users as they are).
    `replications` good and as many bad releases for each value, at least `fewest` a kind, all with
    the same luck. Raises IndexError without such a
    gate.
    """
    gate = gates(scenario, name)[number]
    groups = serving(scenario, replications, fewest)
    asked = [
        question
        for trial in trials(scenario, name, gate)
        for question in _questions(scenario, trial, groups, seed)
    ]
    found: dict[tuple[str, str], list[Point]] = {}
    calls = [(place, question) for place, question in enumerate(asked)]
    answers: dict[int, tuple[Point, ...]] = {}
    for place, points in each(_answered, calls, workers):
        answers[place] = points
        if progress is not None:
            progress(len(answers), len(asked))
    for place, question in enumerate(asked):
        found.setdefault((question.along, question.trial.detector), []).extend(answers[place])
    now = {LENGTH: gate.duration, WEIGHT: gate.weight, TRAFFIC: 1.0}
    return tuple(Curve(*key, now[key[0]], tuple(points)) for key, points in found.items())


def _questions(
    scenario: Scenario, trial: Trial, groups: tuple[Stratum, ...], seed: int
) -> list[_Question]:
    gate = trial.gate
    if trial.judged:
        lengths = [(factor * gate.duration,) for factor in sorted((*JUDGED, 1.0))]
    else:
        ends = (_SHORTEST * gate.duration, longest_bake(gate))
        lengths = [tuple(sorted({*np.geomspace(*ends, _LENGTHS).tolist(), gate.duration}))]
    wanted = {LENGTH: lengths, TRAFFIC: [(factor,) for factor in _TRAFFIC]}
    if not gate.mirrored and gate.phase != _WHOLE:
        wanted[WEIGHT] = [(share,) for share in sorted({*_WEIGHTS, gate.weight})]
    return [
        _Question(scenario, trial, along, values, groups, seed)
        for along in ALONG
        for values in wanted.get(along, ())
    ]


def _answered(place: int, question: _Question) -> tuple[int, tuple[Point, ...]]:
    """One point for each value of a question."""
    scenario, trial, along, values, groups, seed = question
    gate = trial.gate
    if along == LENGTH:
        times = trial.times(scenario, values[-1], groups, seed)
        rate = gate.requests / gate.duration
        return place, tuple(_point(v, v * rate, times, v, groups) for v in values)
    (value,) = values
    if along == WEIGHT:
        trial = trial._replace(gate=gate._replace(weight=value))
        requests = gate.requests * value / gate.weight
    else:
        scenario, requests = _busier(scenario, value), gate.requests * value
    times = trial.times(scenario, gate.duration, groups, seed)
    return place, (_point(value, requests, times, gate.duration, groups),)


def _point(
    at: float, requests: float, times: dict[int, Array], bake: float, groups: Sequence[Stratum]
) -> Point:
    caught = {number: within(found, bake) for number, found in times.items()}
    whole, given, false_alarm = detected(caught, groups)
    return Point(at, requests, {ALL: whole, **given}, false_alarm)


def _busier(scenario: Scenario, factor: float) -> Scenario:
    """The same service with so many times the requests, its fleet as busy as it is."""
    traffic, changes = scenario.traffic, dict[str, float]()
    if traffic.rate is not None:
        changes["traffic.rate"] = factor * traffic.rate
    elif traffic.daily is not None:
        changes["traffic.daily.mean"] = factor * traffic.daily.mean
        changes["traffic.daily.peak"] = factor * traffic.daily.peak
    elif traffic.trace is not None:
        changes["traffic.trace.scale"] = factor * traffic.trace.scale
    if scenario.service.capacity is not None:
        changes["service.capacity"] = factor * scenario.service.capacity
    if scenario.service.concurrency is not None:
        changes["service.concurrency"] = math.ceil(factor * scenario.service.concurrency)
    return scenario.with_all(changes)
