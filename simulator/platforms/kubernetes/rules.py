"""What the Deployment controller works out: how many pods are added and let go at each pass.

Source: kubernetes/kubernetes, pkg/controller/deployment (rolling.go and util/deployment_util.go),
stored versions of 2016 and 2017; its tests are recent and agree. A simulation calls `refuse`; the
passes of the controller are what the tests hold the simulated pods against.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.words.limits import Fenceposts
from simulator.words.units import Portion


class ReplicaSet(NamedTuple):
    """A version's pods: how many it shall have, and how many are available (ready long enough)."""

    spec: int
    available: int

    def resized(self, spec: int) -> ReplicaSet:
        """The same at another size; pods that are not available are the first to go."""
        return ReplicaSet(spec, min(self.available, spec))


class Deployment(NamedTuple):
    """A rolling update at a moment: the new version's pods, and those of old ones, oldest first."""

    desired: int
    new: ReplicaSet
    old: tuple[ReplicaSet, ...]

    @property
    def pods(self) -> int:
        """Pods that shall be there; those that are terminating do not count."""
        return self.new.spec + sum(old.spec for old in self.old)

    @property
    def available(self) -> int:
        """Pods that are available, of any version."""
        return self.new.available + sum(old.available for old in self.old)

    @property
    def complete(self) -> bool:
        """Whether every pod is new and available, and as many as wanted."""
        return self.pods == self.new.spec == self.new.available == self.desired


def refuse(surge: Portion, unavailable: Portion) -> str:
    """Why the API refuses these limits, or nothing: both may not be 0."""
    if surge.number == 0 and unavailable.number == 0:
        return "max_unavailable may not be 0 when max_surge is 0: no pod could be replaced"
    return ""


def new_size(now: Deployment, surge: int) -> int:
    """How many new pods there shall be next: as many as fit under the wanted number and surge."""
    if now.new.spec >= now.desired:
        return now.desired
    room = now.desired + surge - now.pods
    return now.new.spec + max(min(room, now.desired - now.new.spec), 0)


def old_sizes(now: Deployment, unavailable: int) -> tuple[int, ...]:
    """How many pods each old version shall have next.

    Those that are not available go first, then as many as are available beyond the least; a new
    pod that is not available lets no old one go.
    """
    least = now.desired - unavailable
    removable = now.pods - least - (now.new.spec - now.new.available)
    if removable <= 0:
        return tuple(old.spec for old in now.old)
    sizes = list[ReplicaSet]()
    for old in now.old:
        broken = min(old.spec - old.available, removable)
        removable -= broken
        sizes.append(ReplicaSet(old.spec - broken, old.available))
    spare = max(now.available - least, 0)
    found = list[int]()
    for old in sizes:
        leaving = min(old.spec, spare)
        spare -= leaving
        found.append(old.spec - leaving)
    return tuple(found)


def reconcile(now: Deployment, limits: Fenceposts) -> Deployment:
    """One pass of the controller: new pods are asked for, or else old ones are let go."""
    size = new_size(now, limits.surge)
    if size != now.new.spec:
        return now._replace(new=now.new.resized(size))
    sizes = old_sizes(now, limits.unavailable)
    old = tuple(rs.resized(size) for rs, size in zip(now.old, sizes, strict=True))
    return now._replace(old=old)


def settled(now: Deployment, limits: Fenceposts) -> Deployment:
    """What passes of the controller come to as long as no pod changes by itself."""
    while (after := reconcile(now, limits)) != now:
        now = after
    return now


def overdue(last_progress: float, deadline: float, now: float) -> bool:
    """Whether a rollout has made no progress for longer than its deadline (seconds)."""
    return last_progress + deadline < now
