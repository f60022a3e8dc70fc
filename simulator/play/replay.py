"""Replaying one replication: its journal, its course over time, and its outcome."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.play.fault import draw
from simulator.play.luck import Luck
from simulator.play.outcome import Outcome
from simulator.play.rehearsal import prepare
from simulator.play.replication import outcome, run

if TYPE_CHECKING:
    from simulator.play.rollout import Entry
    from simulator.words.scenario import Scenario


class Span(NamedTuple):
    """A piece of the course: from, to (s); new version's share; capacities (rps); bad share; and
    instances: old and new ones serving, starting, and leaving (draining or being reinstalled).
    """

    start: float
    end: float
    weight: float
    old_capacity: float
    new_capacity: float
    harm: float
    old: float
    new: float
    starting: float
    leaving: float


class Replay(NamedTuple):
    """One replication of one strategy, told from its journal."""

    strategy: str
    defect: str
    journal: tuple[Entry, ...]
    course: tuple[Span, ...]
    outcome: Outcome

    def story(self) -> list[tuple[float, str]]:
        """The journal as (seconds, sentence)."""
        return [(entry.time, sentence(entry)) for entry in self.journal]


_VERSIONS = ("old", "new")


def sentence(entry: Entry) -> str:
    """An entry of the journal in words."""
    detail = entry.detail
    match entry.verb:
        case "provision":
            return f"ask for {detail[1]} {_VERSIONS[detail[0]]} instance{'s' * (detail[1] != 1)}"
        case "shift":
            return f"shift {100 * detail:.3g} % of the traffic to the new version"
        case "register":
            return f"{detail[1]} {_VERSIONS[detail[0]]} instances register with the load balancer"
        case "stand by":
            return f"{detail} old instances go to standby"
        case "shrink":
            return f"the group shrinks: {detail[0]} old and {detail[1]} new instances leave"
        case "bake" | "keep old" | "run in parallel" | "smoke test":
            return f"{entry.verb} for {_length(detail)}"
        case "retire":
            return f"retire {detail[1]} {_VERSIONS[detail[0]]} instance{'s' * (detail[1] != 1)}"
        case "roll":
            return f"roll {detail[1]} instances to {_VERSIONS[detail[0]]}, {detail[2]} at a time"
        case "rolled":
            return f"the pool is {_VERSIONS[detail]} throughout"
        case "reinstall":
            return f"stop everything and install {_VERSIONS[detail[0]]} on {detail[1]} instances"
        case "recreate":
            return f"stop everything, then start {detail[1]} {_VERSIONS[detail[0]]} instances"
        case "replace":
            many, waits = f"replace {detail[1]} instances by {_VERSIONS[detail[0]]} ones", detail[3]
            how = "waiting for signals" if waits else "without waiting until they serve"
            return f"{many}, {detail[2]} at a time, {how}"
    return _event(entry)


def _event(entry: Entry) -> str:
    """An entry that is not about instances and their traffic, in words."""
    detail = entry.detail
    match entry.verb:
        case "begin analysis":
            return f"from now on measure {detail} metric{'s' * (detail != 1)}"
        case "analyse":
            return f"measure for {_length(detail)}" if detail else "measure once"
        case "keep new":
            return "keep new" + (f" for {_length(detail)}" if detail < math.inf else " for good")
        case "step back":
            return f"back to {100 * detail:.3g} % of the traffic on the new version"
        case "no progress":
            return f"NO PROGRESS for {_length(detail)}"
        case "detect":
            return f"DETECTED by {detail}"
        case "decide":
            return f"decided to {detail}"
        case "wave":
            return f"next wave: {detail[0]} ({100 * detail[1]:.3g} %)"
        case "hand over":
            return f"{detail[0]} moves the next {100 * detail[1]:.3g} %"
        case (
            "set up" | "migrate" | "upgrade routine" | "restore" | "shadow" | "expand and contract"
        ):
            return f"{entry.verb} for {_length(detail)}"
        case "touched":
            return f"the change touches {detail[0]} of {detail[1]} services"
        case "merge and tests":
            return f"{_length(detail)} of merging and testing before"
        case "fix forward":
            return f"no way back: wait {_length(detail)} for the fix"
        case "tool stalled" | "rollback fails":
            return f"{entry.verb.upper()}: {_length(detail)} lost"
        case "instance fails":
            return f"an instance of the {_VERSIONS[detail]} version fails"
        case "run on targets":
            return f"reinstall {detail[0]} targets, {detail[1]} at a time"
        case "wait for the next window" | "wait for hours":
            return f"{entry.verb}, {_length(detail)}"
        case "judge":
            return f"the judge says {detail}"
    return _of_clients(entry)


def _of_clients(entry: Entry) -> str:
    """An entry about who has, gets or asks for a version, in words."""
    detail = entry.detail
    match entry.verb:
        case "audience":
            shows = "they are not representative: a defect shows to them with a chance of"
            return f"{detail[0]} users get it first; {shows} {100 * detail[1]:.3g} %"
        case "offer":
            return f"users install it in {_length(detail)} on average; nothing takes it back"
        case "stop":
            return f"stop: {100 * detail:.3g} % have the new version, and keep it"
        case "wait for the replacement":
            return f"wait {_length(detail)} for the version that replaces it"
        case "stale clients":
            return f"WARNING: {100 * detail:.2g} % of the clients still ask for the old version"
        case "cut connections":
            return f"{100 * detail:.2g} % of the connections are cut: the old version has drained"
        case "slip":
            return "A SLIP: everyone gets the new version"
    return entry.verb


def _length(seconds: float) -> str:
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.3g} d"
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 120 else f"{seconds:.3g} s"


def replay(
    scenario: Scenario, strategy: str, seed: int = 1, replication: int = 0, kind: str = "good"
) -> Replay:
    """Play one replication again, exactly as the study with this seed played it.

    `kind` is "good" or a label of the defects; raises ValueError for another one and KeyError for
    an unknown strategy.
    """
    change = scenario.change
    labels = ("good", *change.labels)
    if kind not in labels:
        raise ValueError(f"no defect {kind!r}; there are {', '.join(labels)}")
    number = labels.index(kind)
    luck = Luck(seed)
    luck.rekey((number << 40) + replication)
    defect = change.defects[number - 1] if number else None
    plan = prepare(scenario, strategy)
    rollout = run(plan, luck, draw(defect, luck), track=True)
    course = tuple(Span(*row) for row in rollout.counts.track or [] if not math.isnan(row[2]))
    return Replay(strategy, kind, tuple(rollout.journal), course, outcome(rollout, kind))
