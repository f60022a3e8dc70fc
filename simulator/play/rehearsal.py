"""Rehearsing: the script without traffic, trouble or luck, and what it needs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from simulator.play.course import AtOnce, Course
from simulator.play.fleet import NEW
from simulator.play.holders import until_all_have_it
from simulator.play.kept import Kept
from simulator.play.lead import longest
from simulator.play.luck import Luck, Purpose
from simulator.play.plan import Plan
from simulator.play.replication import play_script
from simulator.play.verbs import NoInstances
from simulator.words.distributions import Constant
from simulator.words.units import rough_duration

if TYPE_CHECKING:
    from simulator.play.rollout import Entry, Rollout
    from simulator.words.distributions import Distribution
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Strategy

_RARE: Final = 0.99
_MOMENT: Final = 1.0
_ASKS: Final = "ask for approval"
_GOLDEN: Final = (5**0.5 - 1) / 2


class Rehearsal(NamedTuple):
    """A strategy's plan: the journal of its script with every random time at its median.

    `requests` says for each entry that watches how many requests the new version is expected to
    get meanwhile (None for the others); `duration` is the time to deploy and `finish` the time
    until the fleet is back to steady size, seconds, of which `before` were merging and testing;
    `instances` the most held at once; `reasons` say why it cannot be carried out.
    """

    name: str
    kind: str
    journal: tuple[Entry, ...]
    requests: tuple[float | None, ...]
    duration: float
    finish: float
    instances: int
    reasons: tuple[str, ...]
    before: float = 0.0

    @property
    def suitable(self) -> bool:
        """Whether the strategy can be carried out at all."""
        return not self.reasons


class Gate(NamedTuple):
    """A part of a script that watches: what a bad release has to get past.

    `weight` is the share of the requests that the new version gets, or, when `mirrored`, a copy
    of; `start` and `duration` are seconds, `requests` how many of them are expected meanwhile.
    `comparable` is the chance that copies show a defect, or the users of an `audience`.
    """

    phase: str
    weight: float
    mirrored: bool
    start: float
    duration: float
    requests: float
    comparable: float = 1.0
    audience: bool = False


class _Median(Luck):
    """Luck that is always in the middle, and where something is drawn many times, evenly spread."""

    __slots__ = ()

    def uniform(self, purpose: int, index: int = 0) -> float:
        """One half; for the services that are touched, multiples of the golden section."""
        return index * _GOLDEN % 1.0 if purpose == Purpose.TOUCHED else 0.5

    def in_turn(self, purpose: int, index: int, _more: int) -> float:
        """The same, one after the other."""
        return self.uniform(purpose, index)


def rehearse(scenario: Scenario, name: str) -> Rehearsal:
    """Rehearse one strategy of a scenario."""
    return _rehearse(Plan(scenario, scenario.strategies[name], name))


def _rehearse(plan: Plan) -> Rehearsal:
    reasons = plan.strategy.unsuitable(plan.scenario)
    if reasons:
        return _not_at_all(plan, reasons)
    try:
        rollout, duration = play_script(plan, _Median(0))
    except NoInstances:
        return _not_at_all(plan, ("replaces instances, an elastic service has 0",))
    schema = plan.scenario.change.migration
    if schema is not None and schema.expand_contract is not None:
        plan.script = (
            rollout.lead
            + rollout.now
            - (schema.expand_contract.releases - 1) * (schema.expand_contract.apart)
        )
        rollout, duration = play_script(plan, _Median(0))
    if not rollout.ended:
        timeout = rough_duration(plan.scenario.service.start_failure.timeout)
        reasons = (
            f"can never finish: a start takes longer than its timeout of {timeout}: raise "
            "service.start_failure.timeout, or shorten the start",
        )
        journal = tuple(rollout.journal)
        return Rehearsal(
            plan.name, plan.strategy.kind, journal, (None,) * len(journal), 0.0, 0.0, 0, reasons
        )
    peak = 0 if plan.elastic else int(rollout.fleet.peak)
    reasons = tuple(_reasons(plan, rollout, peak))
    return Rehearsal(
        plan.name,
        plan.strategy.kind,
        tuple(rollout.journal),
        _seen(plan, tuple(rollout.journal)),
        duration,
        rollout.lead + rollout.now,
        peak,
        reasons,
        rollout.lead,
    )


def _not_at_all(plan: Plan, reasons: tuple[str, ...]) -> Rehearsal:
    """The plan of a strategy whose script cannot even begin."""
    size = 0 if plan.elastic else plan.size
    return Rehearsal(plan.name, plan.strategy.kind, (), (), 0.0, 0.0, size, reasons)


def _reasons(plan: Plan, rollout: Rollout, peak: int) -> Iterator[str]:
    """Why the strategy cannot honour what the service and the change demand, in numbers."""
    service, change, journal = plan.scenario.service, plan.scenario.change, rollout.journal
    if service.limit is not None and peak > service.limit:
        yield f"needs {peak} instances, limit {service.limit}"
    held = service.connections
    if held is not None and peak * held.each > held.most:
        yield f"needs {peak * held.each} connections, the store takes {held.most}"
    if change.every is not None and rollout.now > change.every:
        after, until = rough_duration(rollout.lead + rollout.now), rough_duration(change.every)
        yield f"cannot keep up: finished after {after}, and the next release comes after {until}"
    if plan.deadline and (weight := _shifted(journal)):
        yield (
            f"shifts a weight of {100 * weight:.3g} %, and consumers pull from a queue: use a "
            "partial group (rolling, immutable)"
        )
    yield from _copied_too_much(plan, journal)
    if change.licences is not None and peak > change.licences:
        yield f"needs {peak} licences, {change.licences} are there"
    copied = [entry.detail for entry in journal if entry.verb in ("run in parallel", "shadow")]
    mixed = rollout.counts.mixed
    schema = change.migration
    beside = mixed + sum(copied)
    coupled = schema.coupled if schema is not None else None
    if coupled is not None and coupled.order == "together" and beside > _MOMENT:
        yield f"both versions would run for {rough_duration(beside)}, the old one on a wrong schema"
    if change.single_writer and beside > _MOMENT:
        yield f"both versions would write for {rough_duration(beside)}, only one may"
    routine = change.upgrade_routine
    stops = ("reinstall", "recreate")
    if routine is not None and not any(entry.verb in stops for entry in journal):
        takes = rough_duration(routine.takes.quantile(0.5))
        runs = "" if rollout.routine_runs < 2 else f", {rollout.routine_runs} times without a lock"
        yield f"its upgrade routine runs {takes} with nothing serving{runs}: an outage"


def _copied_too_much(plan: Plan, journal: Sequence[Entry]) -> Iterator[str]:
    """Whether copies of requests take the concurrency that both versions share."""
    verbs, comes, carried = (
        {entry.verb for entry in journal},
        plan.peak * plan.misses,
        plan.capacity,
    )
    if plan.elastic and verbs & {"run in parallel", "shadow"} and comes <= carried:
        share = _copies(plan)[0] if "shadow" in verbs else 1.0
        if comes * (1.0 + share) > carried:
            yield (
                f"copies {100 * share:.3g} % of up to {comes:.4g} requests/s, and the concurrency "
                f"carries {carried:.4g}/s in all: copy less, or raise service.concurrency"
            )


def _shifted(journal: Sequence[Entry]) -> float:
    """The first weight between nothing and everything that a router is asked for; 0 if none is."""
    for entry in journal:
        if entry.verb == "shipped dark":
            break
        if entry.verb == "shift" and 0 < entry.detail < 1:
            return float(entry.detail)
    return 0.0


def gates(scenario: Scenario, name: str) -> tuple[Gate, ...]:
    """The gates of a strategy: every bake, measurement and overlap, the wait for a person where
    nothing else has watched its weight, and the watched phase after the script.
    """
    plan = Plan(scenario, scenario.strategies[name], name)
    rehearsal = _rehearse(plan)
    found, first = list[Gate](), plan.strategy.admits
    moves = _moves(plan, rehearsal.journal)
    for (entry, weight, moved), requests in zip(moves, rehearsal.requests, strict=True):
        again = entry.verb == _ASKS and found and found[-1].weight == weight
        if requests and not again:
            mirrored = entry.verb in ("run in parallel", "shadow")
            named = {"run in parallel": "overlap", "shadow": "shadow"}
            phase = named.get(entry.verb, moved)
            share = 1.0 if mirrored else min(_of_requests(plan, weight, entry), 1.0)
            shows, audience = 1.0, first is not None and weight == plan.audience
            if entry.verb == "shadow":
                share, shows = _copies(plan)
            elif first is not None and audience:
                shows = first.shows
            what = (phase, share, mirrored, entry.time, entry.detail, requests)
            found.append(Gate(*what, shows, audience))
    watch = scenario.response.watch
    if watch > 0 and rehearsal.journal:
        end = rehearsal.finish - rehearsal.before
        requests = plan.requests_between(end, end + watch)
        found.append(Gate("watch", 1.0, False, end, watch, requests))
    return tuple(found)


def _seen(plan: Plan, journal: tuple[Entry, ...]) -> tuple[float | None, ...]:
    """Expected requests on the new version (mirrored ones too) while each entry watches."""
    found = list[float | None]()
    for entry, weight, _ in _moves(plan, journal):
        copied = _copies(plan)[0]
        watching = dict.fromkeys(("bake", "analyse", _ASKS), weight)
        watching |= {"run in parallel": 1.0, "shadow": copied}
        share = watching.get(entry.verb)
        if share is None:
            found.append(None)
        else:
            passing = plan.requests_of(share, entry.time, entry.time + entry.detail)
            found.append(plan.misses * passing)
    return tuple(found)


def _moves(plan: Plan, journal: tuple[Entry, ...]) -> Iterator[tuple[Entry, float, str]]:
    """Each entry with the weight from then on (of users who install it in their own time the mean
    while it watches), and the phase: a wave's name, or what moved it.
    """
    weight, wave, phase, coming = 0.0, "", "0%", 0.0
    installed = (
        Course(Kept(AtOnce(), plan.strategy.unrecalled)) if plan.strategy.unrecalled else None
    )
    for entry in journal:
        verb, detail = entry.verb, entry.detail
        if verb == "shift":
            weight, phase, coming = detail, f"{100 * detail:.3g}%", 0.0
            if installed is not None:
                installed.change(entry.time, detail)
        elif verb == "roll" and detail[0] == NEW:
            coming, phase = detail[1] / plan.size, "rolling"
        elif verb == "provision" and detail[0] == NEW and wave:
            coming += detail[1] / plan.size
        elif verb == "rolled" or (wave and verb == "bake"):
            weight, coming = min(weight + coming, 1.0), 0.0
        elif verb == "wave":
            wave = detail[0]
        if installed is not None and verb == "bake":
            end = np.array([entry.time + detail])
            yield entry, float(installed.trailing(end, detail)[0]), wave or phase
        else:
            yield entry, weight, wave or phase


def _of_requests(plan: Plan, users: float, entry: Entry) -> float:
    """The share of the requests that a share of the users sends while an entry lasts."""
    if plan.tides is None:
        return users
    span = (entry.time, entry.time + entry.detail)
    return plan.requests_of(users, *span) / plan.requests_between(*span)


def _copies(plan: Plan) -> tuple[float, float]:
    """The share of the requests that a shadow copies, and the chance that a defect shows there."""
    strategy = plan.strategy
    return getattr(strategy, "share", 1.0), getattr(strategy, "comparable", 1.0)


def _mending(scenario: Scenario, strategy: Strategy) -> Iterator[Distribution]:
    """What a response may have to wait for: a restore, a repair of the data, a fix, a tool."""
    migration, failures = scenario.change.migration, scenario.failures
    coupled = migration.coupled if migration is not None else None
    if coupled is not None:
        yield coupled.migrate
        yield coupled.restore if coupled.restore is not None else scenario.response.fix
    for defect in scenario.change.defects:
        if defect.kind == "mixed_versions" and defect.persists:
            yield defect.repair
    if failures.tool_stall is not None:
        yield failures.tool_stall.repair
    yield Constant(value=scenario.response.overdue)
    if scenario.router.cache is not None and scenario.router.cache.shared:
        yield Constant(value=scenario.router.cache.ttl)
    if (adoption := strategy.unrecalled) is not None:
        yield from (scenario.response.fix, scenario.response.retry)
        yield Constant(value=until_all_have_it(adoption))


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
    waits += list(_mending(scenario, plan.strategy))
    human = sum(law.quantile(_RARE) for law in waits) * max(response.page.off_hours, 1.0)
    plan.rehearsed = rehearsal.duration
    plan.reasons = rehearsal.reasons
    if plan.deadline and plan.rate < plan.full_capacity < math.inf:
        human += 2 * rehearsal.finish * plan.rate / (plan.full_capacity - plan.rate)
    rounds = 2 * max(rehearsal.finish, rehearsal.duration, 600.0) * plan.strategy.most_releases
    human += longest(plan, _RARE) + _closed(plan)
    plan.bound(rounds + response.watch + scenario.follow_up + human)
    return plan


def _closed(plan: Plan) -> float:
    """The longest time for which the calendar can keep a step, or an approval, waiting, seconds."""
    if plan.calendar is None and plan.office is None:
        return 0.0
    work_only = plan.office is not None or plan.work_only
    return plan.scenario.calendar.longest_wait(work_only)
