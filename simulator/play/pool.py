"""Verbs that replace instances of a shared pool: rolling, joining, reinstalling in place."""

from __future__ import annotations

import heapq
import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import NEW, OLD, Drift, StartLaw
from simulator.play.luck import Purpose
from simulator.play.pacing import PacedVerbs
from simulator.play.verbs import NoInstances
from simulator.play.waits import Script
from simulator.words.units import Portion

Array = NDArray[np.float64]

_MOST_EXACT, _POINTS, _GROUPS = 200, 257, 64
_QUARTER, _NOTHING = Portion.parse("25%"), Portion.parse(0)


class PoolVerbs(PacedVerbs):
    """Verbs on one pool in which every instance in service gets the same share of the traffic.

    `progress_deadline` is how long nothing may happen in a rolling update until its controller
    says so (seconds).
    """

    progress_deadline: float
    detected_at: float

    def _join_pool(self) -> None:
        """All instances share one pool from now on; idle new ones are given back.

        Raises NoInstances where an elastic service has none.
        """
        if self.plan.elastic:
            raise NoInstances
        fleet, router = self.fleet, self.router
        idle = fleet.up[NEW]
        if idle and not router.pool and not router.published and not router.weight:
            fleet.leave(NEW, idle)
            fleet.ask(-idle, self.now)
        router.join_pool()

    def _begin_replacing(self, phase: str) -> Script:
        """The first instance of the pool may be replaced: from now on the new version serves."""
        yield from self._gate()
        yield from self._before_traffic()
        self._fill_cache(self.now)
        self._join_pool()
        self.router.began = True
        self.phase = phase

    def reinstall(self) -> Script:
        """Stop everything, install the new version in place, start: an announced outage."""
        yield from self._gate()
        yield from self._reinstall(NEW)

    def reinstall_old(self) -> Script:
        """The same with the old version."""
        yield from self._reinstall(OLD)

    def _reinstall(self, version: int) -> Script:
        fleet = self.fleet
        self._join_pool()
        self.router.began = self.router.began or version == NEW
        if version == NEW:
            self.phase = "install"
        self.note("reinstall", (version, fleet.size))
        for running in (OLD, NEW):
            self.lose_sessions(running, fleet.up[running], False)
            fleet.take_out(running, fleet.up[running])
        self.announced = True
        if version == NEW:
            yield from self._before_traffic(stopped=True)
        law = self._law(version, in_place=True)
        for _ in range(1 + (version == NEW and self._slips())):
            slowest = self._draw_start(version, law, fleet.size, True)
            if slowest == math.inf:
                yield from self._forever()
            yield self.env.timeout(slowest)
        self.announced = False
        if version == NEW:
            self._fill_cache(self.now)
        fleet.join(version, fleet.size, self.now)

    def enter(self, upto: Portion) -> Script:
        """Start new instances, up to this part of those that move; each joins when ready."""
        yield from self._gate()
        fleet = self.fleet
        if not self.router.pool:
            self._join_pool()
        before, after = (
            math.ceil(part * fleet.size - 1e-9) for part in (self.base, self.base + self.span)
        )
        count = before + upto.of(after - before) - fleet.up[NEW]
        if count <= 0:
            return
        yield from self._before_starts()
        yield from self._before_traffic()
        start = self.now
        self._fill_cache(start)
        self._join_pool()
        self.router.began = True
        self.phase = f"{fleet.up[NEW] + count} of {fleet.size}"
        self.note("provision", (NEW, count))
        law = self._law(NEW)
        slowest = self._start(NEW, law, count)
        if slowest == math.inf:
            yield from self._forever()
        yield from self._joining(NEW, law, count, slowest)

    def _joining(
        self, version: int, law: StartLaw, count: int, slowest: float, in_place: bool = False
    ) -> Script:
        """Let `count` instances that were asked for now join, the last after `slowest` seconds.

        Given the slowest, the others are independent with the law F(t) / F(slowest): the first of
        them is one more draw, and given both the rest have joined along their mean course.
        """
        if self.pacing is not None and not in_place:
            yield from self._join_paced(version, law, count, slowest)
            return
        env, fleet, start = self.env, self.fleet, self.now
        before, purpose = fleet.up[version], Purpose.START if version == NEW else Purpose.OLD_START
        if count > 1:
            luck = self.luck.uniform(purpose, self.starts[version] - count + 1)
            first = law.first(count - 1, slowest, luck)
            yield env.timeout(first)
            fleet.join(version, 1, self.now)
            if count > 2 and slowest > first:
                times = np.linspace(first, slowest, _POINTS)
                passed = law.cdf(times)
                gained = max(float(passed[-1] - passed[0]), 1e-300)
                course = (count - 2) * (passed - passed[0]) / gained
                drift = Drift(
                    version,
                    self.now,
                    lambda t: np.interp(t - start, times, course),
                    np.zeros_like,
                )
                drift.span = slowest - first
                fleet.begin(drift)
        yield env.timeout(start + slowest - self.now)
        fleet.settle(self.now)
        fleet.join(version, count - (fleet.up[version] - before), self.now)

    def roll(
        self,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str = "window",
        pause: float = 0.0,
        in_place: bool = False,
    ) -> Script:
        """Replace the old instances of this part, at most `batch` in flight.

        Never more than `surge` instances above the size nor `unavailable` below it. In a window a
        finished instance frees its slot at once; in batches all of a batch are waited for. In
        place an instance is drained, reinstalled and comes back (surge is not used).
        """
        yield from self._begin_replacing("rolling")
        yield from self._roll(NEW, batch, surge, unavailable, mode, pause, in_place)

    def roll_old(
        self,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str = "window",
        pause: float = 0.0,
        in_place: bool = False,
    ) -> Script:
        """Replace new and half-replaced instances by old ones under the same kind of limits."""
        return self._roll(OLD, batch, surge, unavailable, mode, pause, in_place)

    def _roll_rest(self) -> Script:
        return self._roll(NEW, _QUARTER, _QUARTER, _NOTHING, "window", 0.0, False)

    def _roll(
        self,
        version: int,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str,
        pause: float,
        in_place: bool,
        law: StartLaw | None = None,
    ) -> Script:
        fleet = self.fleet
        self._join_pool()
        target = fleet.size
        if version == NEW:
            target = math.ceil((self.base + self.span) * fleet.size - 1e-9)
        todo = target - fleet.up[version]
        if todo <= 0:
            self._let_go(Rules(version, 0, fleet.size - target, in_place))
            return
        above, below = surge.of(self.group), unavailable.of(self.group)
        flight = min(batch.of(self.group), below if in_place else above + below)
        self.note("roll", (version, todo, flight))
        if flight < 1:
            yield from self._forever()
        law = law or self._law(version, in_place)
        rules = Rules(version, todo, fleet.size - target, in_place)
        rules.flight, rules.surge, rules.unavailable = flight, above, below
        rules.pause = pause * self.pace
        if mode == "batch":
            yield from self._roll_batches(rules, law)
        elif todo > _MOST_EXACT and law.mean() < math.inf:
            yield from self._roll_stream(rules, law)
        else:
            yield from self._roll_window(rules, law)
        if version == NEW:
            self.last_watch = self.now
        self.note("rolled", version)

    def _make_room(self, rules: Rules, starting: int, pausing: int = 0) -> tuple[int, int]:
        """Let instances leave as the rules allow; how many may be started now, and how many of
        them have to be drained before.

        Whoever is `pausing` serves, but does not yet stand in for one that leaves.
        """
        fleet = self.fleet
        size, other, up = fleet.size, 1 - rules.version, fleet.up
        available = up[OLD] + up[NEW] - pausing
        free = min(rules.flight - starting - pausing, rules.todo - rules.started)
        floor = size - rules.unavailable
        if rules.in_place:
            ready = max(min(free, fleet.out - starting), 0)
            more = max(min(free - ready, available - floor, up[other]), 0)
            self.lose_sessions(other, more, True)
            fleet.take_out(other, more)
            return ready + more, more
        leaving = min(available - floor, up[other] - rules.keep)
        if leaving > 0:
            self._drain(other, leaving)
        return max(min(free, size + rules.surge - up[OLD] - up[NEW] - starting), 0), 0

    def _start_one(self, rules: Rules, law: StartLaw, drained: bool) -> float:
        """Start one instance, after draining it; returns when it will be in service (seconds)."""
        version, starts, now = rules.version, self.starts, self.now
        left = rules.todo - rules.started
        length = law.one(self.luck.in_turn(rules.purpose, starts[version], left))
        starts[version] += 1
        rules.started += 1
        later = self.plan.drain if drained else 0.0
        if not rules.in_place:
            if self.pacing is not None:
                later = self._begin_one(self.pacing) - now
            else:
                self.fleet.request(1, now)
        if version == NEW and length > law.timeout:
            self._watch_health(law, length, later)
        self._one_begins(version, law, now + later, now + later + length)
        return now + later + length

    def _one_begins(self, version: int, law: StartLaw, begins: float, ends: float) -> None:
        """One start begins and will be over then (seconds), for controllers that follow each."""

    def _start_some(
        self, rules: Rules, law: StartLaw, starting: int, pausing: int = 0
    ) -> list[float]:
        """Start as many as the rules allow; when each will be in service (seconds)."""
        count, draining = self._make_room(rules, starting, pausing)
        if count == 1:
            return [self._start_one(rules, law, draining > 0)]
        return [self._start_one(rules, law, k >= count - draining) for k in range(count)]

    def _roll_window(self, rules: Rules, law: StartLaw) -> Script:
        """Every start frees its slot when it is in service and the pause after it is over."""
        env, fleet, version = self.env, self.fleet, rules.version
        ends, pauses = self._start_some(rules, law, 0), list[float]()
        heapq.heapify(ends)
        while ends or pauses:
            over = bool(pauses) and (not ends or pauses[0] <= ends[0])
            end, now = heapq.heappop(pauses if over else ends), self.now
            if end - now > self.progress_deadline:
                self._expect(end)
            if end == math.inf:
                yield from self._forever()
            yield env.timeout(end - now if end > now else 0.0)
            if not over:
                fleet.join(version, 1, self.now)
            if rules.pause > 0 and not over:
                heapq.heappush(pauses, self.now + rules.pause)
            elif not self.holding:
                for end in self._start_some(rules, law, len(ends), len(pauses)):
                    heapq.heappush(ends, end)
        if self.holding or ends:
            yield env.event()
        self._let_go(rules)

    def _expect(self, when: float) -> None:
        """Nothing will happen in a window before this moment (seconds; infinite: never)."""

    def _let_go(self, rules: Rules) -> None:
        """What is above the size leaves."""
        fleet = self.fleet
        if not rules.in_place:
            over = fleet.up[OLD] + fleet.up[NEW] - fleet.size
            other = 1 - rules.version
            self._drain(other, min(over, fleet.up[other] - rules.keep))

    def _roll_batches(self, rules: Rules, law: StartLaw) -> Script:
        """The next batch begins when the whole batch serves and the pause after it is over."""
        env, fleet = self.env, self.fleet
        while rules.started < rules.todo:
            yield from self._gate()
            if rules.version == NEW and rules.started:
                yield from self._before_starts()
            count, draining = self._make_room(rules, 0)
            count = min(count, rules.flight)
            if count > _MOST_EXACT:
                yield from self._large_batch(rules, law, count, draining)
            else:
                drained = [k >= count - draining for k in range(count)]
                ends = sorted(self._start_one(rules, law, late) for late in drained)
                for end in ends:
                    if end == math.inf:
                        yield from self._forever()
                    yield env.timeout(max(end - self.now, 0.0))
                    fleet.join(rules.version, 1, self.now)
            self._let_go(rules)
            if rules.pause > 0 and rules.started < rules.todo:
                yield env.timeout(rules.pause)

    def _large_batch(self, rules: Rules, law: StartLaw, count: int, draining: int) -> Script:
        """So many at once that their mean course will do, and one draw of the slowest."""
        rules.started += count
        if draining > 0:
            yield self.env.timeout(self.plan.drain)
        if rules.in_place:
            slowest = self._draw_start(rules.version, law, count, True)
        else:
            slowest = self._start(rules.version, law, count)
        if slowest == math.inf:
            yield from self._forever()
        yield from self._joining(rules.version, law, count, slowest, rules.in_place)

    def _roll_stream(self, rules: Rules, law: StartLaw) -> Script:
        """Many instances through a window: mean course of completions, one draw of the end.

        The pool is so large that the share in service follows its mean C(t); the last completion
        has P(T <= t) = exp(-(todo - C(t))), the limit of many independent stragglers. Once nothing
        more is begun only those arrive that were on their way.
        """
        yield from self._wait_for_turn(rules)
        env, fleet, start = self.env, self.fleet, self.now
        pause, version = rules.pause, rules.version
        stream = self.plan.stream(law, rules.todo, rules.flight, rules.in_place, pause)
        purpose = Purpose.INSTALL if rules.in_place else Purpose.START
        luck = self.luck.uniform(purpose, self.starts[version])
        self.starts[version] += rules.todo
        after = pause + (self.plan.drain if rules.in_place else 0.0)
        course = MeanCourse(law, after, rules, stream, luck)
        last, before = course.last, fleet.up[version]
        lead = rules.flight if rules.in_place else min(rules.unavailable, rules.flight)
        most = fleet.up[1 - version] - rules.keep

        def stopped() -> float:
            return self.detected_at - start if self.holding else math.inf

        def joined(t: Array) -> Array:
            return course.freed(t - start + pause, stopped())

        def left(t: Array) -> Array:
            return np.minimum(lead + course.freed(np.minimum(t - start, stopped())), most)

        def asked(t: Array) -> Array:
            return course.begun(np.minimum(t - start, stopped()))

        bill = None if rules.in_place else self._billed_along(rules, lead)
        drift = Drift(version, start, joined, left, rules.in_place, bill, last)
        drift.asked, drift.drain = asked, self.plan.drain
        fleet.begin(drift)
        self._lose_along(drift, most)
        yield env.timeout(last)
        fleet.settle(self.now)
        if self.holding:
            yield env.event()
        for other in (OLD, NEW):
            self.router.reconnect(other, 0.0)
        fleet.join(version, rules.todo - (fleet.up[version] - before), self.now)

    def _wait_for_turn(self, rules: Rules) -> Script:
        """Starts of many instances begin when the first of them may, as fast as they may."""
        if self.pacing is not None and not rules.in_place:
            wait = self.pacing.free(self.now) - self.now
            if wait > 0:
                yield self.env.timeout(wait)
            rules.rate = 1.0 / self.pacing.gap

    def _billed_along(self, rules: Rules, lead: int) -> int:
        """Instances held above those in service as long as all slots are taken, of which `lead`
        take the place of others; 0 where starts are throttled and nobody knows how many are.
        """
        return rules.flight - lead if rules.rate == math.inf else 0

    def _lose_along(self, drift: Drift, most: int) -> None:
        """What is lost as the instances of a drift leave, at most so many, in 64 groups."""
        plan = self.plan
        if plan.sessions is None and not plan.ungraceful and not plan.lingers:
            return
        fleet, version = self.fleet, 1 - drift.joining
        times = np.linspace(drift.start, drift.start + drift.span, _POINTS)
        gone = drift.left(times)
        each = min(float(gone[-1]), most) / _GROUPS

        def leave(done: float, of: float) -> None:
            if fleet.drift is drift:
                self.lose_sessions(version, each, True, of - done)

        for k in range(_GROUPS):
            when = float(np.interp((k + 0.5) * each, gone, times))
            self.at(when, partial(leave, k * each, fleet.up[version]))


class Rules:
    """The limits of one rolling update, and how many of its `todo` starts have begun.

    `keep` instances of the other version stay when all is done; at most `flight` starts are under
    way, and begin at most `rate` per second; `surge` and `unavailable` bound the pool above and
    below its size; `pause` is in seconds; the luck of the starts is found under `purpose`.
    """

    __slots__ = (
        "flight",
        "in_place",
        "keep",
        "pause",
        "purpose",
        "rate",
        "started",
        "surge",
        "todo",
        "unavailable",
        "version",
    )

    def __init__(self, version: int, todo: int, keep: int, in_place: bool) -> None:
        self.version, self.todo, self.keep, self.in_place = version, todo, keep, in_place
        self.flight = self.surge = self.unavailable = self.started = 0
        self.pause, self.rate = 0.0, math.inf
        if version == NEW:
            self.purpose = Purpose.INSTALL if in_place else Purpose.START
        else:
            self.purpose = Purpose.OLD_INSTALL if in_place else Purpose.OLD_START


class MeanCourse:
    """Hundreds of starts through a window, along their mean course: (seconds, slots freed).

    A slot is freed `after` seconds after a start (seconds); `last` is when the last one is.
    """

    __slots__ = ("_after", "_course", "_law", "_rest", "_rules", "_scale", "_times", "last")

    def __init__(
        self, law: StartLaw, after: float, rules: Rules, stream: tuple[Array, Array], luck: float
    ) -> None:
        self._law, self._after, self._rules = law, after, rules
        self._times, self._course = times, course = stream
        self.last = float(np.interp(rules.todo + math.log(luck), course, times))
        self._scale = rules.todo / float(np.interp(self.last, times, course))
        self._rest: Array | None = None

    def freed(self, t: Array, stopped: float = math.inf) -> Array:
        """The slots freed by t when nothing was begun from `stopped` on (seconds)."""
        course = self._course
        if stopped < math.inf:
            course = self._rest = self._stopped(stopped) if self._rest is None else self._rest
        return np.minimum(self._scale * np.interp(t, self._times, course), self._rules.todo)

    def begun(self, t: Array) -> Array:
        """The starts that have begun by t."""
        rules = self._rules
        begun: Array = np.minimum(rules.flight + self.freed(t), rules.todo)
        return begun if rules.rate == math.inf else np.minimum(begun, 1.0 + rules.rate * t)

    def _stopped(self, at: float) -> Array:
        """The course when nothing is begun from `at` on: each slot that was taken is freed as the
        law of its start says.
        """
        times, course, rules = self._times, self._course, self._rules
        passed = self._law.cdf(times + times[1] / 2 - self._after)
        reach = min(int(np.searchsorted(passed, 1 - 1e-12)) + 2, len(times))
        here = max(int(np.searchsorted(times, at, side="right")) - 1, 0)
        begun = np.minimum(rules.flight + course[: here + 1], rules.todo)
        if rules.rate < math.inf:
            begun = np.minimum(begun, 1.0 + rules.rate * times[: here + 1])
        recent = np.diff(begun, prepend=0.0)[-reach:]
        over = np.convolve(recent, passed)[len(recent) - 1 :][: len(times) - here]
        return np.concatenate([course[:here], course[here] + over - over[0]])
