"""What is not simulated together, because nobody could say what would come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from simulator.words.change import Change
from simulator.words.router import Router
from simulator.words.service import Service
from simulator.words.strategy import Strategy
from simulator.words.traffic import Traffic
from simulator.words.waves import InWaves


class _Pair(NamedTuple):
    """A key of a part of the scenario, one of a part before it, and why not both."""

    part: str
    key: str
    other: str
    why: str


_GROUPS, _PEAKS, _WAVES = "service.scaling", "service.cells with peak_at", "waves of cells"
_KEPT, _COUPLED = "recall: none", "change.schema: coupled"
_TENANTS = "tenants of traffic.users"
_FIRST, _SHARED = "a step for an audience", "router.cache with shared: true"
_ONE_QUEUE, _MOVED = "service.queueing: shared of several service.cells", "where users were before"

_PAIRS = (
    _Pair("traffic", "queue", "service.elastic", "there are no instances that pull"),
    _Pair("traffic", "queue", _GROUPS, "groups follow requests, not what waits"),
    _Pair("traffic", "retries", _GROUPS, "groups would have to follow the tries"),
    _Pair("traffic", "connections", _GROUPS, "load stays where connections are"),
    _Pair("traffic", _PEAKS, _GROUPS, "a group has one curve"),
    _Pair("router", "dns", "traffic.queue", "consumers pull, whatever a weight is"),
    _Pair("router", "cache", "traffic.queue", "consumers pull, nothing is in front of them"),
    _Pair("router", "throttle", "traffic.queue", "consumers pull, nothing is in front of them"),
    _Pair("router", "throttle", "traffic.retries", "what is refused would come again"),
    _Pair("slo", "latency", "traffic.queue", "messages are late by the deadline of the queue"),
    _Pair("slo", "latency", "traffic.retries", "tries would add up to one long answer"),
    _Pair("slo", "latency", "traffic.connections", "some instances would hold more than others"),
    _Pair("slo", "latency", _PEAKS, "each cell waits at hours of its own"),
    _Pair("slo", "latency", _ONE_QUEUE, "no queue is shared between cells"),
    *(
        _Pair("strategies", _FIRST, other, why)
        for other, why in (
            ("router.dns", "a name points everybody to the same version"),
            (_SHARED, "its answers would go to everybody"),
            ("traffic.connections", "whose connections are old is not followed for each user"),
            ("traffic.retries", "whoever tries again would have to be known"),
            ("traffic.queue", "nobody knows whose message an instance pulls"),
        )
    ),
    *(
        _Pair("strategies", f"{_WAVES} with peak_at", other, f"it follows {_MOVED}")
        for other in (
            *("router.dns", "router.cache", "service.sessions", "change.replication_lag"),
            *("traffic.connections", "traffic.retries", "traffic.queue"),
        )
    ),
    _Pair("strategies", _FIRST, _TENANTS, "nobody knows to which tenant it belongs"),
    _Pair("strategies", _WAVES, _TENANTS, "a cell would have whole tenants"),
    *(
        _Pair("strategies", _KEPT, other, why)
        for other, why in (
            ("router.dns", "users install a version, whatever a name points to"),
            ("router.cache", "who has installed what would have to be cached apart"),
            ("traffic.connections", "users install a version, however they are connected"),
            (_COUPLED, "nothing brings the old schema back to who keeps the version"),
            ("change.replication_lag", "no store is left behind when nobody is called back"),
            ("failures.slip", "what was offered by mistake cannot be taken back"),
        )
    ),
)


def _peaks(service: Service | None) -> bool:
    return service is not None and any(cell.peak_at for cell in service.cells)


def _scaled(service: Service | None) -> bool:
    return service is not None and service.scaling is not None and not service.elastic


def _one_queue(service: Service | None) -> bool:
    if service is None or service.elastic:
        return False
    return len(service.cells) > 1 and service.queueing == "shared"


_OF_SERVICE: Mapping[str, Callable[[Service | None], bool]] = {
    _GROUPS: _scaled,
    _PEAKS: _peaks,
    _ONE_QUEUE: _one_queue,
}


def _coupled(change: Change) -> bool:
    return change.migration is not None and change.migration.coupled is not None


def _cached_for_all(router: Router) -> bool:
    return router.cache is not None and router.cache.shared


def _of_tenants(traffic: Traffic) -> bool:
    return traffic.tenants is not None


def _by_cells(strategy: Strategy) -> bool:
    return isinstance(strategy, InWaves) and strategy.by == "cells"


def _kept(strategy: Strategy) -> bool:
    return strategy.unrecalled is not None


def _with_audience(strategy: Strategy) -> bool:
    return strategy.admits is not None


# Of which part it is said, and whether that says it.
_OF_PART: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    _KEPT: ("strategies", _kept),
    _FIRST: ("strategies", _with_audience),
    _SHARED: ("router", _cached_for_all),
    _COUPLED: ("change", _coupled),
    _TENANTS: ("traffic", _of_tenants),
    _WAVES: ("strategies", _by_cells),
}


def apart(part: str, scenario: Mapping[str, Any]) -> Iterator[str]:
    """Why keys of this part do not go with the parts before it; a part that is wrong is left out.

    `strategies` stands for one of them.
    """
    for pair in _PAIRS:
        if pair.part == part and all(_there(key, part, scenario) for key in pair[1:3]):
            yield (
                f"{pair.key} and {pair.other} are not simulated together ({pair.why}): remove one "
                "of the two"
            )


def _there(key: str, part: str, scenario: Mapping[str, Any]) -> bool:
    """Whether the scenario has what a key of a part, or of another one, says."""
    if key in _OF_SERVICE:
        return _OF_SERVICE[key](scenario.get("service"))
    if key in _OF_PART:
        of, found = _OF_PART[key]
        return of in scenario and found(scenario[of])
    if part == "strategies" and key.startswith(_WAVES):
        return _by_cells(scenario[part]) and _peaks(scenario.get("service"))
    where, _, name = key.rpartition(".")
    return bool(getattr(scenario.get(where or part), name, None))
