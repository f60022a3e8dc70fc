"""What a pod template says about how instances start and stop, on every platform of pods.

Source: Kubernetes core/v1 types and defaults; pkg/kubelet/prober.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simulator.bring.view import View
    from simulator.words.brought import Draft

PROFILE = "k8s-spare"
_POD, _BOOT, _SOONEST, _LATEST = 5.0, 10.0, 2.0, 60.0
_GRACE, _PERIOD, _FAILURES = 30.0, 10.0, 3
_LEAVING = 2.0  # seconds until nobody sends a pod requests that leaves its endpoints
_PROBES = ("readinessProbe", "startupProbe", "livenessProbe")
_SLEEP = re.compile(r"\bsleep\s+(\d+)")


class Probe(NamedTuple):
    """A check of a container: seconds until the first and between two, and how many in a row."""

    delay: float
    period: float
    successes: int
    failures: int


class Start(NamedTuple):
    """When a container counts as ready: its application's start or a delay, whichever is later,
    then anywhere within `spread` seconds, and `again` for further checks; killed at `killed`
    seconds after it began (None: never).
    """

    delay: float = 0.0
    spread: float = 0.0
    again: float = 0.0
    killed: float | None = None

    def earliest(self, boot: float) -> float:
        """Seconds from asking for the pod, if its application takes `boot` seconds."""
        return _POD + max(boot, self.delay) + self.again


def read(spec: View, draft: Draft) -> None:
    """Put what a pod's specification (`template.spec`) says about its life into a draft."""
    containers = [one.mapping() for one in spec.at("containers").items()]
    starts = [_start(container) for container in containers]
    if not any(one.at(name).exists for one in containers for name in _PROBES[:2]):
        draft.remark(
            "No readinessProbe: a pod gets requests as soon as its containers run, before the "
            "application answers. Here it is assumed to serve after "
            f"{_POD + _BOOT:.0f} s; the errors until then are not simulated."
        )
    latest = max(starts, key=lambda one: one.earliest(_BOOT) + one.spread, default=Start())
    _started(latest, containers, draft)
    _killed(starts, latest, containers, draft)
    _stopped(spec, containers, draft)


def _start(container: View) -> Start:
    ready, startup, live = (_probe(container.at(name).mapping()) for name in _PROBES)
    live_view = container.at("livenessProbe")
    if startup is not None and live_view.exists:
        for key in ("initialDelaySeconds", "periodSeconds", "failureThreshold"):
            live_view.at(key).say("no_effect", "the startupProbe comes first")
    killer = startup or live
    killed = killer and killer.delay + killer.failures * killer.period
    first = startup or ready
    if first is None:
        return Start(killed=killed)
    delay = max(first.delay, ready.delay if ready else 0.0)
    again = (ready.successes - 1) * ready.period if ready else 0.0
    return Start(delay, first.period, again, killed)


def _probe(view: View) -> Probe | None:
    """A probe, or nothing; how many failures a readiness probe takes matters to no start."""
    if not view.exists:
        return None
    return Probe(
        view.at("initialDelaySeconds").seconds(0),
        max(view.at("periodSeconds").seconds(_PERIOD), 1.0),
        view.at("successThreshold").integer(1, 1) if view.key == "readinessProbe" else 1,
        view.at("failureThreshold").integer(_FAILURES, 1)
        if view.key != "readinessProbe"
        else _FAILURES,
    )


def _started(latest: Start, containers: Sequence[View], draft: Draft) -> None:
    """The time until a pod is ready: assumed, but for what its probes add."""
    low = latest.earliest(_BOOT)
    law: Any = f"{low:g}s"
    if latest.spread:
        law = {"uniform": {"low": law, "high": f"{low + latest.spread:g}s"}}
    told = f"a pod {_POD:g} s, its application {_BOOT:g} s ({_SOONEST:g} to {_LATEST:g})"
    if latest.delay > _BOOT:
        told += f", no check before {latest.delay:g} s"
    if latest.spread:
        told += f", then a check each {latest.spread:g} s"
    middle = latest.spread / 2
    soon, late = (f"{latest.earliest(boot) + middle:g}s" for boot in (_SOONEST, _LATEST))
    probes = (one.at(name) for one in containers for name in _PROBES[:2])
    said = [probe for probe in probes if probe.exists]
    draft.assume("service.startup", law, soon, late, f"judgement: {told}", *said)


def in_place(draft: Draft) -> None:
    """Say that a pod is replaced in its place: the new one starts when the old one is gone."""
    for row in draft.assumed:
        if row.path == "service.startup":
            draft.assume("service.install", *row[1:])
            return


def _killed(starts: list[Start], latest: Start, containers: list[View], draft: Draft) -> None:
    """When a container that is not up is killed, and tried again."""
    killed = [one.killed for one in starts if one.killed is not None]
    if not killed:
        return
    least = _POD + min(killed)
    probes = [one.at(name) for one in containers for name in _PROBES[1:] if one.at(name).exists]
    names = " or ".join(dict.fromkeys(probe.key for probe in probes))
    if least <= latest.earliest(_BOOT) + latest.spread:
        for probe in probes:
            probe.at("failureThreshold").say("approximated", "it kills before the pod is ready")
        draft.remark(
            f"The {names} kills a container that does not answer {min(killed):g} s after it began; "
            f"one that needs longer never starts. Here starts are assumed to make it."
        )
        return
    draft.put("service.start_failure.timeout", f"{least:g}s", *probes)
    if "startupProbe" not in names:
        draft.remark(
            f"A container whose application needs more than {min(killed):g} s is killed by its "
            "livenessProbe and never starts; a startupProbe would wait for it."
        )


def _stopped(spec: View, containers: list[View], draft: Draft) -> None:
    """How long a pod that leaves may go on."""
    grace = spec.at("terminationGracePeriodSeconds")
    seconds = grace.seconds(_GRACE)
    draft.put("service.drain", seconds, grace)
    sleeps = [found for one in containers for found in _sleeps(one.at("lifecycle", "preStop"))]
    for view, length in sleeps:
        view.say("approximated", "a pod serves on meanwhile; it is part of its grace period")
        if length >= seconds:
            draft.remark(
                f"preStop sleeps {length:g} s of a grace period of {seconds:g} s: the application "
                "is killed before it could end its requests."
            )
    if sleeps:
        shortest = min(length for _, length in sleeps)
        late = max(_LEAVING - shortest, 0.0)
        draft.put("service.ungraceful", f"{late:g}s", *(view for view, _ in sleeps))
        return
    told = "measured: leaving the endpoints takes 1 to 3 s, 10 to 30 s in large clusters"
    draft.assume("service.ungraceful", f"{_LEAVING:g}s", "0s", "10s", told)
    draft.remark(
        f"No preStop sleep: a pod ends while requests still come to it, for some {_LEAVING:g} s; "
        "with a sleep of 5 s (or an application that goes on answering) none of them fails."
    )


def _sleeps(stop: View) -> Iterator[tuple[View, float]]:
    """The seconds for which a hook before the end sleeps, with its place."""
    native = stop.at("sleep", "seconds")
    if native.exists:
        yield native, native.seconds()
    command = stop.at("exec", "command")
    if command.exists and isinstance(command.data, list):
        found = _SLEEP.search(" ".join(str(word) for word in command.data))
        if found:
            yield command, float(found[1])
