"""What each gate can see: power, false alarms and time to detect, one gate and detector alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.findings.executors import Workers, each
from simulator.findings.means import Interval, Strata, proportion
from simulator.findings.study import Stratum, strata
from simulator.play.fault import draw
from simulator.play.luck import Luck
from simulator.play.rehearsal import Gate, gates, prepare
from simulator.play.replication import run
from simulator.words.failures import Failures

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

Array = NDArray[np.float64]

ALL = "all"
REPLICATIONS, FEWEST = 200, 40
_QUICK, _QUICK_FEWEST = 80, 20
WANTED = 0.9
_LONGEST, _STRETCHED = 86_400.0, 32.0
_JUDGED = (0.25, 0.5, 2.0, 4.0, 8.0, 16.0, 32.0)
_OFF = ("alarms", "burn_rate", "noticed", "audit", "people", "judge")
_WATCHES = ("bake", "run in parallel", "shadow")
_NEVER_SERVES = "crash"


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
) -> tuple[Sight, ...]:
    """Every gate of a strategy with every detector that it has, and with all together.

    Each is played alone by the engine, from a good fleet, at the severities that the scenario
    draws; `replications` good ones and as many bad ones, at least `fewest` a kind.
    """
    found = []
    groups = tuple(
        group
        for group in strata(scenario, replications, fewest)
        if not group.number or scenario.change.defects[group.number - 1].kind != _NEVER_SERVES
    )
    for gate in gates(scenario, name):
        for detector, words in _detectors(scenario, name, gate):
            if detectors is None or detector in detectors:
                found.append(_sight(scenario, name, gate, detector, words, seed, groups))
    return tuple(found)


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


def _detectors(scenario: Scenario, name: str, gate: Gate) -> Iterator[tuple[str, dict[str, Any]]]:
    """The detectors at a gate, each with the `detection` that has nothing else; then all."""
    whole = scenario.resolved()["detection"]
    none = dict.fromkeys(_OFF, "none")
    alone = []
    for alarm, words in zip(scenario.detection.alarms, _listed(whole.get("alarms")), strict=True):
        alone.append((alarm.label, {**none, "alarms": [{**words, "name": alarm.label}]}))
    for key, label in (
        ("burn_rate", "burn rate"),
        ("people", "people"),
        ("noticed", "noticed"),
        ("audit", "audit"),
    ):
        if whole.get(key) not in (None, "none", []):
            alone.append((label, {**none, key: whole[key]}))
    if _judge(scenario, name, gate) is not None:
        alone.append(("judge", dict(none)))
    if _reconcile(scenario, name, gate) is not None:
        alone.append(("reconciliation", dict(none)))
    yield from alone
    if len(alone) != 1:
        yield ALL, {**whole, "judge": "none"}
    else:
        yield ALL, alone[0][1]


def _listed(words: Any) -> list[Any]:
    return words if isinstance(words, list) else []


def _judge(scenario: Scenario, name: str, gate: Gate) -> Any:
    """The judge of a gate as a file would say it, None where nobody judges."""
    if gate.mirrored or gate.phase == "watch":
        return None
    settings = scenario.resolved()["strategies"][name]
    steps = settings.get("steps", [])
    own = [s for s in steps if isinstance(s, dict) and f"{_share(s)}%" == gate.phase]
    for words in (*(s.get("judge") for s in own), settings.get("judge")):
        if words not in (None, "none"):
            return words
    usual = scenario.resolved()["detection"].get("judge", "none")
    takes_one = "judge" in type(scenario.strategies[name]).model_fields
    return usual if usual not in (None, "none") and takes_one else None


def _reconcile(scenario: Scenario, name: str, gate: Gate) -> Any:
    """How a mirrored gate compares the answers, None when it does not."""
    words = scenario.resolved()["strategies"][name].get("reconcile", "none")
    return words if gate.mirrored and words not in (None, "none") else None


def _share(step: dict[str, Any]) -> str:
    text = str(step["weight"]).rstrip("%")
    return f"{float(text) * (1 if '%' in str(step['weight']) else 100):.3g}"


def _sight(
    scenario: Scenario,
    name: str,
    gate: Gate,
    detector: str,
    words: dict[str, Any],
    seed: int,
    groups: tuple[Stratum, ...],
) -> Sight:
    judge = _judge(scenario, name, gate) if detector in ("judge", ALL) else None
    longest = max(gate.duration, min(_LONGEST, _STRETCHED * gate.duration))
    compared = "none"
    if detector in ("reconciliation", ALL):
        compared = _reconcile(scenario, name, gate) or "none"
    bake = gate.duration if judge else longest
    own = judge if judge else compared
    times = _played(_alone(scenario, gate, bake, words, own), groups, seed)
    within = {number: _within(found, gate.duration) for number, found in times.items()}
    bad = [group for group in groups if group.number]
    needed = _needed(times, bad)
    if judge:
        needed = _needed_by_trial(scenario, gate, words, judge, bad, seed, within)
    seen = np.concatenate([times[g.number][times[g.number] <= bake] for g in bad])
    return Sight(
        gate,
        detector,
        proportion(np.concatenate([within[g.number] for g in bad]), _strata(bad)),
        {g.label: proportion(within[g.number], _strata([g])) for g in bad},
        proportion(within[0], _strata([groups[0]])),
        float(np.median(seen)) if len(seen) else None,
        float(np.quantile(seen, 0.95)) if len(seen) else None,
        needed,
        {g.label: _needed({g.number: times[g.number]}, [g]) for g in bad} if not judge else {},
        _STRETCHED * gate.duration if judge else longest,
    )


def _strata(groups: Sequence[Stratum]) -> Strata:
    sizes = [group.replications for group in groups]
    weights = [group.probability or 1e-12 for group in groups]
    return Strata.of(np.repeat(np.arange(len(groups)), sizes), weights)


def _within(times: Array, bake: float) -> Array:
    return (times <= bake).astype(float)


def _alone(
    scenario: Scenario, gate: Gate, bake: float, detection: dict[str, Any], own: Any
) -> Scenario:
    """A scenario in which this gate is all there is; `own` is its judge or reconciliation."""
    strategy: dict[str, Any]
    if gate.phase == "shadow":
        strategy = {"kind": "shadow", "share": gate.weight, "duration": bake}
        strategy |= {"comparable": gate.comparable, "then": {"kind": "big_bang"}}
    elif gate.mirrored:
        strategy = {"kind": "parallel_adoption", "overlap": bake}
        strategy |= {"reconcile": own, "keep_old": 0.0}
    else:
        step = {"weight": gate.weight, "bake": bake}
        strategy = {"kind": "canary", "steps": [step | ({"judge": own} if own != "none" else {})]}
    changes: dict[str, Any] = {
        "objectives": [],
        "planned": "gate",
        "strategies": {"gate": strategy},
        "detection": detection,
        "service.startup": 0.0,
        "service.start_failure": {"probability": 0.0, "timeout": 600.0},
        "service.incidents": None,
        "response.watch": 0.0,
        "follow_up": 1.0,
    }
    if scenario.change.migration is not None:
        changes["change.schema"] = "compatible"
    if scenario.change.upgrade_routine is not None:
        changes["change.upgrade_routine"] = None
    if scenario.failures != Failures():
        changes["failures"] = {}
    return scenario.with_all(changes)


def _played(scenario: Scenario, groups: Sequence[Stratum], seed: int) -> dict[int, Array]:
    """Seconds from the shift until the detection, infinite without one, for each stratum."""
    plan, luck = prepare(scenario, "gate"), Luck(seed)
    found = {}
    for group in groups:
        defect = scenario.change.defects[group.number - 1] if group.number else None
        times = []
        for number in range(group.replications):
            luck.rekey((group.number << 40) + number)
            rollout = run(plan, luck, draw(defect, luck))
            start = next(
                (
                    e.time
                    for e in rollout.journal
                    if e.verb in ("bake", "run in parallel", "shadow")
                ),
                0.0,
            )
            caught = rollout.detected_at
            times.append(caught - start if caught == caught else math.inf)
        found[group.number] = np.array(times)
    return found


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
    gate: Gate,
    words: dict[str, Any],
    judge: Any,
    bad: Sequence[Stratum],
    seed: int,
    within: dict[int, Array],
) -> float | None:
    """The smallest of several bakes after which the judge and all others have 90 % power."""
    tried = {gate.duration: within}
    for factor in _JUDGED:
        bake = factor * gate.duration
        times = _played(_alone(scenario, gate, bake, words, judge), bad, seed)
        tried[bake] = {number: _within(found, bake) for number, found in times.items()}
    enough = []
    for bake, found in tried.items():
        joined = np.concatenate([found[group.number] for group in bad])
        power = proportion(joined, _strata(bad)).value
        if power is not None and power >= WANTED:
            enough.append(bake)
    return min(enough, default=None)
