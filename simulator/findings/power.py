"""What each gate can see: power, false alarms and time to detect, one gate and detector alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.findings.executors import Workers, each
from simulator.findings.means import Interval, proportion
from simulator.findings.study import Progress, Stratum
from simulator.findings.trial import ALL, Array, Trial, detected, serving, trials, weights
from simulator.play.rehearsal import Gate, gates

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

REPLICATIONS, FEWEST = 200, 40
_QUICK, _QUICK_FEWEST = 80, 20
WANTED = 0.9
_LONGEST, _STRETCHED = 86_400.0, 32.0
JUDGED = (0.25, 0.5, 2.0, 4.0, 8.0, 16.0, 32.0)


class Sight(NamedTuple):
    """What one detector (or all together) sees at one gate, were every bad release to reach it.

    `power` is the chance that a bad release is detected there, over all kinds that serve traffic
    and for each; `false_alarm` that a good one is; `median` and `p95` seconds until detection
    among those detected within the longest bake tried; `bake` the smallest one (seconds) with a
    power of 90 %, None if even `longest` is too short, and `bakes` the same for each kind.
    """

    gate: Gate
    detector: str
    power: Interval
    given: dict[str, Interval]
    false_alarm: Interval
    median: float | None
    p95: float | None
    bake: float | None
    bakes: dict[str, float | None]
    longest: float


def sights(
    scenario: Scenario,
    name: str,
    seed: int = 1,
    replications: int = REPLICATIONS,
    detectors: Sequence[str] | None = None,
    fewest: int = FEWEST,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> tuple[Sight, ...]:
    """Every gate of a strategy with every detector that it has, and with all together.

    Each is played alone by the engine, from a good fleet, at the severities that the scenario
    draws; `replications` good ones and as many bad ones, at least `fewest` a kind.
    """
    groups = serving(scenario, replications, fewest)
    calls = [
        (scenario, trial, seed, groups)
        for gate in gates(scenario, name)
        for trial in trials(scenario, name, gate)
        if detectors is None or trial.detector in detectors
    ]
    found: dict[int, Sight] = {}
    for place, sight in each(_numbered, [(k, *call) for k, call in enumerate(calls)], workers):
        found[place] = sight
        if progress is not None:
            progress(len(found), len(calls))
    return tuple(found[place] for place in range(len(calls)))


def _numbered(place: int, *asked: Any) -> tuple[int, Sight]:
    return place, _sight(*asked)


def every_gate(
    scenario: Scenario, names: Sequence[str], seed: int = 1, jobs: Workers = 1
) -> dict[str, tuple[Sight, ...]]:
    """For each strategy what its gates see with all their detectors together."""
    calls = [(scenario, name, seed, _QUICK, (ALL,), _QUICK_FEWEST) for name in names]
    found = dict(each(_named, calls, jobs))
    return {name: found[name] for name in names}


def _named(scenario: Scenario, name: str, *asked: Any) -> tuple[str, tuple[Sight, ...]]:
    return name, sights(scenario, name, *asked)


def blindest(found: Sequence[Sight]) -> Sight | None:
    """The gate that sees the smallest share of bad releases with all its detectors."""
    whole = [sight for sight in found if sight.detector == ALL and sight.power.value is not None]
    return min(whole, key=lambda sight: sight.power.value or 0.0, default=None)


def as_blind(found: Sequence[Sight], least: Sight) -> list[Gate]:
    """The other gates that, for all that is known, may see as little as the blindest."""
    high = least.power.high
    return [
        sight.gate
        for sight in found
        if sight.detector == ALL
        and sight.gate != least.gate
        and sight.power.value is not None
        and high is not None
        and sight.power.value <= high
    ]


def _sight(scenario: Scenario, trial: Trial, seed: int, groups: tuple[Stratum, ...]) -> Sight:
    gate, longest = trial.gate, longest_bake(trial.gate)
    bake = gate.duration if trial.judged else longest
    times = trial.times(scenario, bake, groups, seed)
    caught = {number: trial.caught(found, gate.duration) for number, found in times.items()}
    bad = [group for group in groups if group.number]
    power, given, false_alarm = detected(caught, groups)
    needed = _needed(times, bad)
    if trial.judged and bad:
        needed = _needed_by_trial(scenario, trial, bad, seed, caught)
    whole = math.inf if trial.own is not None else bake
    seen = np.array(
        [t for g in bad for t in times[g.number].tolist() if t <= whole and t < math.inf]
    )
    one_by_one = {} if trial.judged else {g.label: _needed(times, [g]) for g in bad}
    return Sight(
        gate,
        trial.detector,
        power,
        given,
        false_alarm,
        float(np.median(seen)) if len(seen) else None,
        float(np.quantile(seen, 0.95)) if len(seen) else None,
        needed,
        one_by_one,
        _STRETCHED * gate.duration if trial.judged else longest,
    )


def longest_bake(gate: Gate) -> float:
    """The longest bake (seconds) that is tried at a gate."""
    return max(gate.duration, min(_LONGEST, _STRETCHED * gate.duration))


def _needed(times: dict[int, Array], bad: Sequence[Stratum]) -> float | None:
    """The smallest time by which a weighted share of 90 % is detected (seconds)."""
    pairs = sorted(
        (time, group.probability / len(times[group.number]))
        for group in bad
        for time in times[group.number].tolist()
    )
    whole, reached = math.fsum(weight for _, weight in pairs), 0.0
    for time, weight in pairs:
        reached += weight
        if whole > 0 and reached >= WANTED * whole - 1e-12:
            return time if time < math.inf else None
    return None


def _needed_by_trial(
    scenario: Scenario,
    trial: Trial,
    bad: Sequence[Stratum],
    seed: int,
    caught: dict[int, Array],
) -> float | None:
    """The smallest of several bakes after which the judge and all others have 90 % power."""
    gate = trial.gate
    tried = {gate.duration: caught}
    for factor in JUDGED:
        bake = factor * gate.duration
        times = trial.times(scenario, bake, bad, seed)
        tried[bake] = {number: trial.caught(found, bake) for number, found in times.items()}
    enough = []
    for bake, found in tried.items():
        joined = np.concatenate([found[group.number] for group in bad])
        power = proportion(joined, weights(bad)).value
        if power is not None and power >= WANTED:
            enough.append(bake)
    return min(enough, default=None)
