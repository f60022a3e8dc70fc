"""Rehearsing: the script without traffic, trouble or luck, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.play.luck import Luck
from simulator.play.plan import Plan
from simulator.play.replication import play_script

if TYPE_CHECKING:
    from simulator.play.rollout import Entry
    from simulator.words.scenario import Scenario

_RARE = 0.99


class Rehearsal(NamedTuple):
    """A strategy's plan: the journal of its script with every random time at its median.

    `requests` says for each entry that watches how many requests the new version is expected to
    get meanwhile (None for the others); `duration` is the time to deploy and `finish` the time
    until the fleet is back to steady size, seconds; `instances` the most held at once; `reasons`
    say why it cannot be carried out.
    """

    name: str
    kind: str
    journal: tuple[Entry, ...]
    requests: tuple[float | None, ...]
    duration: float
    finish: float
    instances: int
    reasons: tuple[str, ...]

    @property
    def suitable(self) -> bool:
        """Whether the strategy can be carried out at all."""
        return not self.reasons


class Gate(NamedTuple):
    """A part of a script that watches: what a bad release has to get past.

    `weight` is the share of the requests that the new version gets, or, when `mirrored`, a copy
    of; `start` and `duration` are seconds, `requests` how many of them are expected meanwhile.
    """

    phase: str
    weight: float
    mirrored: bool
    start: float
    duration: float
    requests: float


class _Median(Luck):
    """Luck that is always in the middle."""

    __slots__ = ()

    def uniform(self, purpose: int, index: int = 0) -> float:
        """One half."""
        return 0.5


def rehearse(scenario: Scenario, name: str) -> Rehearsal:
    """Rehearse one strategy of a scenario."""
    return _rehearse(Plan(scenario, scenario.strategies[name], name))


def _rehearse(plan: Plan) -> Rehearsal:
    reasons = plan.strategy.unsuitable(plan.scenario)
    if reasons:
        return Rehearsal(plan.name, plan.strategy.kind, (), (), 0.0, 0.0, plan.size, reasons)
    rollout, duration = play_script(plan, _Median(0))
    peak = int(rollout.fleet.peak)
    limit = plan.scenario.service.limit
    if limit is not None and peak > limit:
        reasons = (f"needs {peak} instances, limit {limit}",)
    return Rehearsal(
        plan.name,
        plan.strategy.kind,
        tuple(rollout.journal),
        _seen(plan, tuple(rollout.journal)),
        duration,
        rollout.env.now,
        peak,
        reasons,
    )


def gates(scenario: Scenario, name: str) -> tuple[Gate, ...]:
    """The gates of a strategy: every bake and overlap, and the watched phase after the script."""
    plan = Plan(scenario, scenario.strategies[name], name)
    rehearsal = _rehearse(plan)
    weight, found = 0.0, list[Gate]()
    for entry, requests in zip(rehearsal.journal, rehearsal.requests, strict=True):
        if entry.verb == "shift":
            weight = entry.detail
        if requests:
            mirrored = entry.verb != "bake"
            phase = "overlap" if mirrored else f"{100 * weight:.3g}%"
            share = 1.0 if mirrored else weight
            found.append(Gate(phase, share, mirrored, entry.time, entry.detail, requests))
    watch = scenario.response.watch
    if watch > 0 and rehearsal.journal:
        end = rehearsal.finish
        requests = plan.requests_between(end, end + watch)
        found.append(Gate("watch", 1.0, False, end, watch, requests))
    return tuple(found)


def _seen(plan: Plan, journal: tuple[Entry, ...]) -> tuple[float | None, ...]:
    """Expected requests on the new version (mirrored ones too) while each entry watches."""
    weight, found = 0.0, list[float | None]()
    for entry in journal:
        if entry.verb == "shift":
            weight = entry.detail
        share = {"bake": weight, "run in parallel": 1.0}.get(entry.verb)
        if share is None:
            found.append(None)
        else:
            found.append(share * plan.requests_between(entry.time, entry.time + entry.detail))
    return tuple(found)


def prepare(scenario: Scenario, name: str) -> Plan:
    """A plan that is ready to play: rehearsed, with the moment at which replications are cut off.

    The limit is twice the rehearsed duration, the watched phase, the follow-up, and the 99th
    percentiles of what people take.
    """
    plan = Plan(scenario, scenario.strategies[name], name)
    rehearsal = _rehearse(plan)
    response, people = scenario.response, scenario.detection.people
    waits = [response.page.acknowledge, response.page.decide, response.decide]
    if people is not None:
        waits += [people.delay, people.triage]
    if scenario.detection.noticed is not None:
        waits.append(scenario.detection.noticed.after)
    human = sum(law.quantile(_RARE) for law in waits) * max(response.page.off_hours, 1.0)
    plan.rehearsed = rehearsal.duration
    plan.reasons = rehearsal.reasons
    rounds = 2 * max(rehearsal.finish, 600.0)
    plan.bound(rounds + response.watch + scenario.follow_up + human)
    return plan
