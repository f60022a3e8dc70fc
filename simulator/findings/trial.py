"""One gate played alone by the engine, with one detector or with all of a scenario's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.findings.means import NOTHING, Interval, Strata, proportion
from simulator.findings.study import Stratum, strata
from simulator.play.fault import draw
from simulator.play.luck import Luck
from simulator.play.rehearsal import Gate, prepare
from simulator.play.replication import run
from simulator.words.failures import Failures
from simulator.words.strategy import Step, Strategy
from simulator.words.writing import written_out

if TYPE_CHECKING:
    from simulator.words.detection import Judge
    from simulator.words.scenario import Scenario

Array = NDArray[np.float64]

ALL, _NONE, _CHECKS = "all", "none", "failed checks"
_HELD = 1e9  # seconds: as long as it takes
_OFF = ("alarms", "burn_rate", "noticed", "audit", "people", "judge")
_WATCHES = ("bake", "run in parallel", "shadow")
_NEVER_SERVES, _RAREST = "crash", 1e-12


def serving(scenario: Scenario, replications: int, fewest: int) -> tuple[Stratum, ...]:
    """Good releases and those kinds of bad ones that serve traffic, so that a gate can see them.

    Their probabilities are those given a good release, and given a defect.
    """
    change = scenario.change
    chances = (1.0, *(max(share, _RAREST) for share in change.shares))
    return tuple(
        group._replace(probability=chances[group.number])
        for group in strata(scenario, replications, fewest)
        if not group.number
        or scenario.service.elastic
        or change.defects[group.number - 1].kind != _NEVER_SERVES
    )


def detected(
    caught: dict[int, Array], groups: Sequence[Stratum]
) -> tuple[Interval, dict[str, Interval], Interval]:
    """The share of bad releases that is detected, of each kind too, and that of good ones.

    `caught` is 1 or 0 for every replication of each stratum. Without a kind that serves traffic
    the first is unknown.
    """
    bad = [group for group in groups if group.number]
    whole = NOTHING
    if bad:
        whole = proportion(np.concatenate([caught[g.number] for g in bad]), weights(bad))
    given = {g.label: proportion(caught[g.number], weights([g])) for g in bad}
    return whole, given, proportion(caught[0], weights([groups[0]]))


class Trial(NamedTuple):
    """One gate with one detector, or with all: its `detection`, its judge, and how it reconciles,
    each as a file would say it ("none" without one). `own` is a strategy whose own checks look;
    they may hold a release there for longer.
    """

    gate: Gate
    detector: str
    detection: dict[str, Any]
    judge: Any
    reconcile: Any
    own: Strategy | None = None

    @property
    def judged(self) -> bool:
        """Whether a verdict at the end of the bake has a say."""
        return bool(self.judge != _NONE) or self.own is not None

    def caught(self, times: Array, bake: float) -> Array:
        """1 where a release was detected before it went on, else 0."""
        return within(times, _HELD if self.own is not None else bake)

    def times(
        self, scenario: Scenario, bake: float, groups: Sequence[Stratum], seed: int
    ) -> dict[int, Array]:
        """Seconds from the shift to the detection for each stratum when the gate takes `bake`
        seconds; infinite without a detection."""
        return _played(_alone(scenario, self, bake), groups, seed)


def trials(scenario: Scenario, name: str, gate: Gate) -> tuple[Trial, ...]:
    """Every detector at a gate alone, then all together."""
    judge, checks = _own_at(scenario, name, gate)
    reconcile = _reconcile_at(scenario, name, gate)
    own = {"judge": (judge, _NONE), "reconciliation": (_NONE, reconcile), ALL: (judge, reconcile)}
    return tuple(
        Trial(
            gate,
            detector,
            words,
            *own.get(detector, (_NONE, _NONE)),
            checks if detector in (ALL, _CHECKS) else None,
        )
        for detector, words in _detectors(scenario, judge, reconcile, checks is not None)
    )


def _detectors(
    scenario: Scenario, judge: Any, reconcile: Any, checked: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The detectors at a gate, each with the `detection` that has nothing else; then all."""
    whole = scenario.resolved()["detection"]
    none = dict.fromkeys(_OFF, _NONE)
    alone = []
    for alarm, words in zip(scenario.detection.alarms, _listed(whole.get("alarms")), strict=True):
        alone.append((alarm.label, {**none, "alarms": [{**words, "name": alarm.label}]}))
    for key, label in (
        ("burn_rate", "burn rate"),
        ("people", "people"),
        ("noticed", "noticed"),
        ("audit", "audit"),
    ):
        if whole.get(key) not in (None, _NONE, []):
            alone.append((label, {**none, key: whole[key]}))
    if judge != _NONE:
        alone.append(("judge", dict(none)))
    if reconcile != _NONE:
        alone.append(("reconciliation", dict(none)))
    if checked:
        alone.append((_CHECKS, dict(none)))
    yield from alone
    yield ALL, ({**whole, "judge": _NONE} if len(alone) != 1 else alone[0][1])


def _listed(words: Any) -> list[Any]:
    return words if isinstance(words, list) else []


def _own_at(scenario: Scenario, name: str, gate: Gate) -> tuple[Any, Strategy | None]:
    """The judge of a gate as a file would say it, "none" where nobody judges, and the strategy
    whose own checks look at it, if any do.
    """
    if gate.mirrored or gate.phase == "watch":
        return _NONE, None
    own = scenario.strategies[name].looks_at(gate.weight, gate.duration)
    if isinstance(own, Strategy):
        return _judge_at(scenario, name, gate, None), own
    return _judge_at(scenario, name, gate, own), None


def _judge_at(scenario: Scenario, name: str, gate: Gate, brought: Judge | None) -> Any:
    """The judge of a gate: of its step, of the strategy, what it `brought`, or the scenario's."""
    strategy = scenario.strategies[name]
    settings = scenario.resolved()["strategies"][name]
    own = [
        settings["steps"][place].get("judge")
        for place, step in enumerate(getattr(strategy, "steps", ()))
        if isinstance(step, Step)
        and math.isclose(step.share(scenario.traffic.users), gate.weight)
        and math.isclose(step.bake * strategy.pace, gate.duration)
    ]
    for words in (*own, settings.get("judge")):
        if words not in (None, _NONE):
            return words
    if brought is not None:
        return written_out(brought)
    takes_one = "judge" in type(strategy).model_fields
    return (scenario.resolved()["detection"].get("judge") if takes_one else None) or _NONE


def _reconcile_at(scenario: Scenario, name: str, gate: Gate) -> Any:
    """How a mirrored gate compares the answers, "none" when it does not."""
    words = scenario.resolved()["strategies"][name].get("reconcile")
    return (words if gate.mirrored else None) or _NONE


def _alone(scenario: Scenario, trial: Trial, bake: float) -> Scenario:
    """A scenario in which this gate is all there is."""
    gate = trial.gate
    strategy: dict[str, Any]
    own = trial.own and trial.own.looks_at(gate.weight, bake)
    if isinstance(own, Strategy):
        strategy = own.model_dump(mode="json", by_alias=True, exclude_none=True)
    elif gate.phase == "shadow":
        strategy = {"kind": "shadow", "share": gate.weight, "duration": bake}
        then = {"kind": "big_bang", "in_place": not scenario.service.elastic}
        strategy |= {"comparable": gate.comparable, "then": then}
    elif gate.mirrored:
        strategy = {"kind": "parallel_adoption", "overlap": bake}
        strategy |= {"reconcile": trial.reconcile, "keep_old": 0.0}
    else:
        step = _step(scenario, gate, bake)
        strategy = {
            "kind": "canary",
            "steps": [step | ({"judge": trial.judge} if trial.judged else {})],
        }
    changes: dict[str, Any] = {
        "objectives": [],
        "planned": "gate",
        "strategies": {"gate": strategy},
        "detection": trial.detection,
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


def _step(scenario: Scenario, gate: Gate, bake: float) -> dict[str, Any]:
    """The only step of a canary with this gate: of its weight, or for its audience."""
    if not gate.audience:
        return {"weight": gate.weight, "bake": bake}
    users = scenario.traffic.users
    audience = max(min(round(gate.weight * users), users - 1), 1)
    return {"weight": 0.0, "audience": audience, "finds": gate.comparable, "bake": bake}


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
                (e.time for e in rollout.journal if e.verb in _WATCHES),
                0.0,
            )
            went_on = (e.time for e in rollout.journal if e.verb == "roll")
            caught = rollout.detected_at
            times.append(caught - start if caught <= next(went_on, math.inf) else math.inf)
        found[group.number] = np.array(times)
    return found


def weights(groups: Sequence[Stratum]) -> Strata:
    """What the replications of some strata weigh, one after the other."""
    sizes = [group.replications for group in groups]
    weights = [group.probability for group in groups]
    return Strata.of(np.repeat(np.arange(len(groups)), sizes), weights)


def within(times: Array, bake: float) -> Array:
    """1 where a detection came within `bake` seconds, else 0."""
    return (times <= bake).astype(float)
