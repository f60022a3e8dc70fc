"""The lifecycle events of OpsWorks Stacks (legacy), as a trace.

Source: AWS OpsWorks user guide (commit 43e0e6b8, 2023). Times are seconds. A simulation calls
`parts` alone; the rest is for readers, and the tests hold documented examples against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Name = Literal["setup", "deploy", "configure", "undeploy", "shutdown"]

SHUTDOWN_AFTER_DRAIN = 120.0
HEALED_AFTER = 300.0
VERSIONS_KEPT = 5


class Event(NamedTuple):
    """A lifecycle event on an instance, `at` so many seconds."""

    at: float
    instance: str
    name: Name


def boot(
    at: float, instance: str, online: Iterable[str], setup: float = 0.0, deploy: float = 0.0
) -> tuple[Event, ...]:
    """An instance that has booted: Setup, Deploy, and once it is online Configure on all.

    Setup and Deploy take so many seconds; `online` are the others that serve.
    """
    ready = at + setup + deploy
    own = (Event(at, instance, "setup"), Event(at + setup, instance, "deploy"))
    return (*own, *_configure(ready, (*online, instance)))


def stop(at: float, instance: str, online: Iterable[str]) -> tuple[Event, ...]:
    """An instance that is stopped: Shutdown on it, and Configure on all that stay."""
    stay = [name for name in online if name != instance]
    return (Event(at, instance, "shutdown"), *_configure(at, stay))


def reboot() -> tuple[Event, ...]:
    """An instance that is rebooted: no event at all."""
    return ()


def deploy(at: float, targets: Iterable[str]) -> tuple[Event, ...]:
    """The Deploy command: on the chosen online instances, all at once."""
    return tuple(Event(at, name, "deploy") for name in targets)


def undeploy(at: float, targets: Iterable[str]) -> tuple[Event, ...]:
    """An application that is deleted: Undeploy on the chosen instances."""
    return tuple(Event(at, name, "undeploy") for name in targets)


def _configure(at: float, instances: Iterable[str]) -> tuple[Event, ...]:
    return tuple(Event(at, name, "configure") for name in sorted(instances))


def coalesced(events: Sequence[Event], within: float) -> tuple[Event, ...]:
    """The events that are carried out: of many Configures within so many seconds only the last.

    Each describes the whole stack, so that the last one says everything.
    """
    kept = []
    for index, event in enumerate(events):
        later = (
            other
            for other in events[index + 1 :]
            if other.name == "configure" and other.instance == event.instance
        )
        storm = event.name == "configure" and any(o.at - event.at <= within for o in later)
        if not storm:
            kept.append(event)
    return tuple(kept)


def gone_after(drain: float) -> float:
    """Seconds from Shutdown until an instance is stopped: its connections drain, then 120 s."""
    return drain + SHUTDOWN_AFTER_DRAIN


def stopped_outside(at: float) -> float:
    """When an instance stopped in the EC2 console is back: healed after about five minutes."""
    return at + HEALED_AFTER


def code_of(joined: float, released: float, deployed: Sequence[float]) -> bool:
    """Whether an instance has a release that is there since `released`.

    A new instance gets it as it boots (`joined`); one that is online gets it only by a Deploy
    command (`deployed`).
    """
    return joined >= released or any(when >= released for when in deployed)


def skew(online: int, added: int) -> float:
    """The share of a fleet with a new release that nobody deployed, after `added` have booted."""
    return added / (online + added)


def parts(instances: int, zones: int) -> tuple[int, ...]:
    """Instances of each part of a rolling deployment: one, the rest of its zone, each other zone.

    Zones are as even as they can be, the larger first.
    """
    sizes = [instances // zones + (zone < instances % zones) for zone in range(zones)]
    found = (1, sizes[0] - 1, *sizes[1:])
    return tuple(size for size in found if size > 0)


def rollback_to(history: Sequence[str]) -> str | None:
    """The version one Rollback command goes back to, of those kept: the five newest."""
    kept = history[-VERSIONS_KEPT:]
    return kept[-2] if len(kept) > 1 else None
