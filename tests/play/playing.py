"""Playing small scenarios in tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simulator.play.luck import Luck
from simulator.play.outcome import Outcome
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

BARE = """
version: 1
profile: bare
service: {{instances: {instances}{service}}}
traffic: {{{rate}, users: {users}{traffic}}}
change: {{defect_probability: 50%, defects: [{defect}]}}
detection: {{{detection}}}
response: {{automatic: always, hold: false{response}}}
strategies: {{{strategy}}}
"""


def bare(**words: str | int) -> Scenario:
    """A bare scenario with one strategy; every part can be replaced."""
    given: dict[str, str | int] = {
        "instances": 10,
        "service": "",
        "rate": "rate: 1000 rps",
        "users": "1M",
        "traffic": "",
        "defect": "{kind: errors, rate: 20%}",
        "detection": "",
        "response": "",
        "strategy": "big_bang: {in_place: false}",
    }
    given.update(words)
    if given["service"]:
        given["service"] = f", {given['service']}"
    for key in ("traffic", "response"):
        if given[key]:
            given[key] = f", {given[key]}"
    return loads(BARE.format(**given))


def play(
    scenario: Scenario, count: int, seed: int = 1, bad: bool = True, which: int = 0
) -> list[Outcome]:
    """Outcomes of the scenario's first strategy."""
    plan = prepare(scenario, next(iter(scenario.strategies)))
    luck = Luck(seed)
    outcomes = []
    for number in range(count):
        luck.rekey(number)
        defect = scenario.change.defects[which] if bad else None
        outcomes.append(replicate(plan, luck, defect, "bad" if bad else "good"))
    return outcomes


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1) / math.sqrt(len(array)))
