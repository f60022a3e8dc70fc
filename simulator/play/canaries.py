"""Verbs of controllers that look at a canary from time to time, and promote it by its primary."""

from __future__ import annotations

import heapq
import math
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from simpy import Event

from simulator.platforms.kubernetes.rules import Deployment, ReplicaSet, settled
from simulator.play.controllers import PROGRESS, ControllerVerbs
from simulator.play.fault import GOOD
from simulator.play.flags import PLAIN_IN_COPIES
from simulator.play.fleet import NEW, OLD, StartLaw
from simulator.play.luck import Purpose
from simulator.play.pool import Rules
from simulator.play.verbs import NoInstances
from simulator.play.waits import Script
from simulator.words.limits import Fenceposts, fenceposts
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.words.detection import Judge
    from simulator.words.distributions import Distribution

_ALL: Final = Portion.parse("100%")
_MOST_EXACT: Final = 200
_PARTS: Final = 64


class Measured(NamedTuple):
    """Requests that failed, were late, and all of them, of the new version in a span of time."""

    failed: int
    late: int
    requests: int


class CanaryVerbs(ControllerVerbs):
    """Verbs of a control loop that wakes up at equal intervals from the begin of the deployment.

    `canaries` of the new instances are no part of the fleet that is replaced: they stand beside it.
    A person who was asked answers at `answers_at` (seconds).
    """

    canaries: int
    answers_at: float
    start_deadline: float

    def next_tick(
        self, every: float, judge: Judge | None = None, weight: float | None = None
    ) -> Generator[Event, Any, Measured | None]:
        """Wait for the next turn of the loop; the turns come each `every` seconds (times the pace).

        A weight is published first, unless it is in force. With a judge that is not asked, count
        what comes of the new version meanwhile; None when nobody watches.
        """
        yield from self._gate()
        counted = judge is not None and self.watch.active
        if judge is not None and counted:
            self.watch.open_window(judge, self.now)
        if weight is not None and weight != self.router.published:
            yield from self.shift(weight)
        wait = self._until_tick(every * self.pace)
        if judge is not None and self.answered:
            self.note("bake", wait)
        yield self.env.timeout(wait)
        if judge is None or not self.watch.active:
            return None
        self.last_watch = self.now
        return Measured(*self.watch.end_window(self.now).measured()) if counted else None

    def _until_tick(self, every: float) -> float:
        """Seconds until the next turn; a full interval from one of them."""
        return (math.floor(self.now / every + 1e-9) + 1) * every - self.now

    def give_up(self, by: str) -> Script:
        """The controller has found that the release has failed: nothing goes forward any more."""
        self.abort(by)
        self.holding = True
        yield self.env.event()

    def provision_within(self, share: float, deadline: float, every: float) -> Script:
        """Have instances for this share of the fleet ready, or give up: at the first turn after so
        many seconds in which some have not started.
        """
        yield from self._gate()
        turn = every * self.pace
        self.start_deadline = deadline
        self.at(math.ceil((self.now + deadline) / turn) * turn, self._overdue)
        yield from self.provision(share)
        self.start_deadline = math.inf

    def _overdue(self) -> None:
        if self.start_deadline < math.inf and self.watching and self.fleet.starting:
            self.abort(PROGRESS)
            self.holding = True

    def _forever(self) -> Script:
        if self.start_deadline < math.inf and self.watching:
            yield self.env.event()  # the deadline will have its say
        yield from super()._forever()

    def _watch_health(self, law: StartLaw, slowest: float, later: float) -> None:
        if self.start_deadline == math.inf:
            super()._watch_health(law, slowest, later)
        elif slowest > law.timeout and self.fault.crash:  # the deadline alone judges starts
            self.at(self.now + later + law.timeout, self._failed_start)

    def finds_defect(self, chance: float) -> bool:
        """Whether a test of the new version without traffic finds what is wrong with it."""
        bad = self.watching and self.fault is not GOOD
        return bad and self.luck.uniform(Purpose.SMOKE) < chance

    def shows_in_copies(self, chance: float) -> bool:
        """Whether requests that are no user's show what is wrong: load and starts always do."""
        plain = self.fault is GOOD or self.fault.kind in PLAIN_IN_COPIES
        return plain or self.luck.uniform(Purpose.COMPARABLE) < chance

    def copy(self, share: float) -> Script:
        """From now on copy so many requests to the new version, as a share of all of them.

        Their answers are not used; detectors of the new version see them.
        """
        yield from self._gate()
        if share == self.router.mirror:
            return
        if share > 0:
            yield from self._before_traffic()
            self._begin_age(self.now)
            self.router.began = True
        self.router.mirror = share
        self.router.changed = True

    def ask(self, answering: Distribution | None) -> Script:
        """Ask a person who may answer later (never asked: answered); see `answered`."""
        yield from self._gate()
        if answering is None:
            return
        takes = self._answered_after(answering)
        self.note("ask for approval", takes)
        self.answers_at = self.now + takes

    @property
    def answered(self) -> bool:
        """Whether whoever was asked has answered."""
        return self.now >= self.answers_at

    def roll_primary(self, surge: Portion, unavailable: Portion) -> Script:
        """Let the fleet become new by a rolling update of its own while canaries serve beside it.

        The canaries keep the weight in force; the rest of the traffic goes to whoever serves in the
        fleet. Never more than `surge` instances above the size nor `unavailable` below it. Raises
        NoInstances where an elastic service has none.
        """
        yield from self._gate()
        yield from self._before_traffic()
        if self.plan.elastic:
            raise NoInstances
        fleet, weight = self.fleet, self.router.weight
        size = fleet.size
        self.canaries = fleet.up[NEW]
        self.phase = "promotion"
        limits = fenceposts(surge, unavailable, size)
        self.note("roll", (NEW, size, sum(limits)))
        rules, law = Rules(NEW, size, 0, False), self._law(NEW)
        if size > _MOST_EXACT and law.mean() < math.inf:
            moves = self._mean_moves(law, sum(limits), limits.unavailable)
        else:
            moves = self._moves(rules, law, limits)
        for arriving, wait in moves:
            self._share_out(weight)
            if wait == math.inf:
                yield from self._forever()
            yield self.env.timeout(wait)
            fleet.join(NEW, arriving, self.now)
            if self.holding:
                yield self.env.event()
        self._drain(OLD, fleet.up[OLD])
        self._share_out(weight)
        self.last_watch = self.now
        self.note("rolled", NEW)

    def _moves(
        self, rules: Rules, law: StartLaw, limits: Fenceposts
    ) -> Iterator[tuple[int, float]]:
        """Let old ones go and start new ones; how many come next, in how many seconds."""
        size, ends = self.fleet.size, list[float]()
        now = Deployment(size, ReplicaSet(0, 0), (ReplicaSet(size, size),))
        while True:
            now = settled(now, limits)
            self._drain(OLD, self.fleet.up[OLD] - now.old[0].spec)
            while rules.started < now.new.spec:
                heapq.heappush(ends, self._start_one(rules, law, False))
            if not ends:
                return
            end = heapq.heappop(ends)
            yield 1, max(end - self.now, 0.0)
            now = now._replace(new=ReplicaSet(now.new.spec, now.new.available + 1))

    def _mean_moves(
        self, law: StartLaw, flight: int, unavailable: int
    ) -> Iterator[tuple[int, float]]:
        """The same of many instances: along their mean course, and one draw of the end."""
        fleet, start = self.fleet, self.now
        size, came, asked = fleet.size, 0, 0
        times, course = self.plan.stream(law, size, flight, False)
        rate = self.plan.start_rate
        luck = self.luck.uniform(Purpose.START, self.starts[NEW])
        self.starts[NEW] += size
        for part in range(1, _PARTS + 1):
            self._drain(OLD, fleet.up[OLD] - max(size - came - unavailable, 0))
            there = size * part // _PARTS
            more = min(came + flight, size) - asked
            if rate < math.inf:
                begun = 1 + int(rate * (self.now - start))
                more = max(min(came + flight, size, begun), there) - asked
            fleet.request(more, self.now)
            asked += more
            reached = there if part < _PARTS else size + math.log(luck)
            end = start + float(np.interp(reached, course, times))
            yield there - came, max(end - self.now, 0.0)
            came = there

    def _share_out(self, weight: float) -> None:
        """Publish at once what the canaries' weight and the fleet behind the rest come to."""
        fleet, router = self.fleet, self.router
        own = fleet.up[NEW] - self.canaries
        rest = own / (own + fleet.up[OLD]) if own else 0.0
        whole = weight + (1.0 - weight) * rest
        if whole > 0:
            self._fill_cache(self.now)
        router.publish(whole)
        router.take_effect(whole, self.now)

    def retire_canaries(self) -> Script:
        """The canaries go; the fleet serves alone."""
        yield from self._gate()
        self._let_canaries_go()
        yield self.env.timeout(self.plan.drain)

    def _let_canaries_go(self) -> None:
        """Nobody is sent to the canaries any more: they leave."""
        count, self.canaries = self.canaries, 0
        if count:
            self.note("retire", (NEW, count))
            self._drain(NEW, count, idle=True)

    def undo_canaries(self, surge: Portion, unavailable: Portion) -> Script:
        """All traffic to the fleet at once, the canaries go; if it has begun to become new, it is
        rolled back.
        """
        fleet, router = self.fleet, self.router
        if fleet.up[OLD] == fleet.size:
            yield from self.return_to_old()
            return
        self._end_parallel()
        yield self.env.timeout(router.propagation)
        self._let_canaries_go()
        yield from self.roll_old(_ALL, *self._pods(surge, unavailable))

    def skip_canaries(self, surge: Portion, unavailable: Portion) -> Script:
        """The canaries go unseen; the fleet becomes new by a rolling update, as its pods do."""
        yield from self.roll(_ALL, *self._pods(surge, unavailable))

    def _pods(self, surge: Portion, unavailable: Portion) -> tuple[Portion, Portion]:
        """A Deployment's limits in instances of this fleet: one rounded up, the other down."""
        limits = fenceposts(surge, unavailable, self.fleet.size)
        return Portion(limits.surge, False), Portion(limits.unavailable, False)
