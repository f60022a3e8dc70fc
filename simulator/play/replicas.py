"""Verbs that follow a controller's own counts of replicas, pass by pass."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import NamedTuple

from simulator.play.canaries import CanaryVerbs
from simulator.play.flags import MOST_GROUPS
from simulator.play.fleet import NEW, OLD
from simulator.play.luck import Purpose
from simulator.play.waits import Script

Sizes = Callable[["Replicas", "Replicas"], tuple[int, int]]


class Replicas(NamedTuple):
    """Instances of a version: how many there shall be, and how many have served long enough."""

    spec: int
    available: int


class Course:
    """Instances on their way in a pool: `starting`, and serving but not long enough (`fresh`).

    Both hold for each version [when, count] in the order of time, seconds; whoever starts also
    whether it was asked for.
    """

    __slots__ = ("fresh", "starting")

    def __init__(self) -> None:
        self.starting: tuple[list[list[float]], list[list[float]]] = ([], [])
        self.fresh: tuple[list[list[float]], list[list[float]]] = ([], [])

    def count(self, version: int, only_fresh: bool = False) -> int:
        """How many of a version are under way."""
        fresh = sum(int(one[1]) for one in self.fresh[version])
        return fresh if only_fresh else fresh + sum(int(one[1]) for one in self.starting[version])

    def upcoming(self) -> float:
        """When the next one is ready, or has served long enough; infinite if none ever."""
        heads = (queue[0][0] for pair in (self.starting, self.fresh) for queue in pair if queue)
        return min(heads, default=math.inf)

    @property
    def over(self) -> bool:
        """Whether none is under way."""
        return not any(queue for pair in (self.starting, self.fresh) for queue in pair)


class ReplicaVerbs(CanaryVerbs):
    """Verbs of controllers that work out how many instances each version shall have."""

    def reconcile(self, share: float, sizes: Sizes, ready: float) -> Script:
        """Let a pool come to what a controller wants, pass by pass; `share` of it will be new.

        `sizes` says from the new and old version's replicas how many each shall have next; an
        instance is available when it has served for `ready` seconds (times the pace). It is over
        when nothing is left to change and all are available.
        """
        yield from self._begin_replacing(f"{100 * share:.3g}%")
        yield from self._before_starts()
        yield from self._reconcile(sizes, ready)
        self.note("shift", share)

    def reconcile_old(self, sizes: Sizes, ready: float) -> Script:
        """The same on the way back."""
        self._join_pool()
        yield from self._reconcile(sizes, ready)
        self.note("shift", 0.0)
        self.router.leave_pool(self.now)

    def _reconcile(self, sizes: Sizes, ready: float) -> Script:
        course, env = Course(), self.env
        while True:
            if not self.holding:
                self._settle_counts(sizes, course)
            if course.over:
                break
            when = course.upcoming()
            self._expect(when)
            if when == math.inf:
                yield from self._forever()
            yield env.timeout(max(when - self.now, 0.0))
            self._arrive_some(course, ready * self.pace)
        if self.holding:
            yield env.event()

    def _settle_counts(self, sizes: Sizes, course: Course) -> None:
        """Passes of the controller, until one changes nothing."""
        while True:
            now = [self._replicas(version, course) for version in (OLD, NEW)]
            new, old = sizes(now[NEW], now[OLD])
            changes = ((NEW, new - now[NEW].spec), (OLD, old - now[OLD].spec))
            if not any(change for _, change in changes):
                return
            for version, change in changes:
                if change > 0:
                    self._start_group(version, change, course)
                elif change < 0:
                    self._stop_group(version, -change, course)

    def _replicas(self, version: int, course: Course) -> Replicas:
        up, fresh = self.fleet.up[version], course.count(version, only_fresh=True)
        return Replicas(up + course.count(version) - fresh, up - fresh)

    def _start_group(self, version: int, count: int, course: Course) -> None:
        """Ask for instances: each starts by itself, in a large fleet a part of them together."""
        law, group = self._law(version), math.ceil(self.fleet.size / MOST_GROUPS)
        purpose = Purpose.START if version == NEW else Purpose.OLD_START
        self.note("provision", (version, count))
        pacing = self.pacing
        if pacing is None:
            self.fleet.request(count, self.now)
        while count > 0:
            part, later = min(group, count), 0.0
            if pacing is not None:
                later = float(pacing.reserve(self.now, part)[-1]) - self.now
            length = law.one(self.luck.uniform(purpose, self.starts[version]))
            self.starts[version] += part
            if version == NEW and length > law.timeout:
                self._watch_health(law, length, later)
            one = [self.now + later + length, part, float(pacing is None)]
            if pacing is not None:
                self._ask_for_group(one, self.now + later)
            heapq.heappush(course.starting[version], one)
            count -= part

    def _ask_for_group(self, one: list[float], when: float) -> None:
        """Ask at a moment for what is left then of [when ready, how many, whether asked for]."""

        going_back = self._going_back

        def ask() -> None:
            one[2] = 1.0
            self._ask_now(int(one[1]), going_back)

        self.at(when, ask)

    def _stop_group(self, version: int, count: int, course: Course) -> None:
        """Let instances go: those that do not serve first, then those that serve least long."""
        for queue, serving in ((course.starting[version], False), (course.fresh[version], True)):
            queue.sort()
            while queue and count:
                one = queue[-1]
                part = min(count, int(one[1]))
                one[1] -= part
                count -= part
                if not one[1]:
                    queue.pop()
                if serving:
                    self._drain(version, part)
                elif one[2]:
                    self.fleet.ask(-part, self.now)
                    self.fleet.starting -= part
        self._drain(version, count)

    def _arrive_some(self, course: Course, wait: float) -> None:
        """Who is ready by now serves, and who has served long enough is available."""
        now = self.now
        for version in (OLD, NEW):
            starting, fresh = course.starting[version], course.fresh[version]
            while fresh and fresh[0][0] <= now:
                heapq.heappop(fresh)
            while starting and starting[0][0] <= now:
                count = int(heapq.heappop(starting)[1])
                self.fleet.join(version, count, now)
                if wait > 0:
                    heapq.heappush(fresh, [now + wait, count])

    def scale(self, count: int, version: int = NEW, ready: float = 0.0) -> Script:
        """Have so many instances of a version that get traffic by weight.

        Those that are missing are asked for and waited for, until they have been ready for so long
        (seconds, times the pace); those that are too many leave. An elastic service has none.
        """
        yield from self._gate()
        fleet, env = self.fleet, self.env
        missing = count - fleet.up[version]
        if self.plan.elastic or not missing:
            return
        if missing < 0:
            self.note("retire", (version, -missing))
            self._drain(version, -missing)
            return
        if version == NEW:
            yield from self._before_starts()
        self.note("provision", (version, missing))
        slowest = self._start(version, self._law(version), missing)
        self._expect(self.now + slowest)
        if slowest == math.inf:
            yield from self._forever()
        yield env.timeout(slowest)
        fleet.join(version, missing, self.now)
        yield env.timeout(ready * self.pace)

    def step_back(self, weights: tuple[float, ...]) -> Script:
        """Bring traffic back by these falling weights, each as soon as the old version can take it.

        New instances that a weight leaves over go; the last step is another verb's.
        """
        fleet = self.fleet
        for weight in weights:
            yield from self.provision(1.0 - weight, OLD)
            self.note("step back", weight)
            yield from self._publish(weight)
            self._drain(NEW, fleet.up[NEW] - math.ceil(weight * fleet.size - 1e-9))
