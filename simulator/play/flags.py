"""Verbs of releases that begin out of sight: mirrored requests, dark code, commands on targets."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Final

from simulator.play.fault import GOOD
from simulator.play.fleet import NEW, OLD, StartLaw
from simulator.play.holders import HolderVerbs
from simulator.play.luck import Luck, Purpose
from simulator.play.waits import Script

if TYPE_CHECKING:
    from simulator.words.distributions import Distribution
    from simulator.words.strategy import Strategy
    from simulator.words.units import Portion

PLAIN_IN_COPIES: Final = frozenset({"crash", "slow", "load"})
MOST_GROUPS: Final = 200


class HiddenVerbs(HolderVerbs):
    """Verbs that run new code before, or without, sending it anybody's requests.

    `covered` tells whether what is wrong sits behind the flag of a dark release, `reach` which part
    of all requests goes to services that the change touches.
    """

    covered: bool
    reach: float

    def touch(self, count: int, coupling: float) -> int:
        """How many of `count` services the change touches: one, and each other one by chance.

        A defect then reaches the requests of those services only, an equal part each. What came
        before was done for each of them; the releases of now count when they begin.
        """
        chances = (self.luck.uniform(Purpose.TOUCHED, index) for index in range(1, count))
        touched = 1 + sum(chance < coupling for chance in chances)
        self.releases = (self.releases - 1) * touched
        self.reach = touched / count
        self.situation.fault = self.fault.reaching(self.reach)
        self.router.changed = True
        self.note("touched", (touched, count))
        return touched

    def begin_release(self) -> Script:
        """The release of another service begins now."""
        yield from self._gate()
        self.releases += 1

    def shadow(self, share: float, duration: float, comparable: float) -> Script:
        """Copy a share of the requests to the new version for `duration` seconds (times the pace).

        Defects that copies cannot show, a share 1 - `comparable`, do nothing meanwhile.
        """
        yield from self._gate()
        yield from self._before_traffic()
        router, situation = self.router, self.situation
        self.phase = "shadow"
        self.note("shadow", duration * self.pace)
        plain = self.fault is GOOD or self.fault.kind in PLAIN_IN_COPIES
        if not plain and self.luck.uniform(Purpose.COMPARABLE) >= comparable:
            situation.fault = GOOD
        self._begin_age(self.now)
        router.mirror = share
        router.began = router.changed = True
        try:
            yield self.env.timeout(duration * self.pace)
            self.last_watch = self.now
            yield from self._gate()
        finally:
            situation.fault = self.fault
            router.mirror = 0.0
            router.changed = True

    def ship_dark(self, ship: Strategy, covered: float) -> Script:
        """Let a strategy ship the code with its flag off; afterwards weights are the flag's.

        A share `covered` of the defects does nothing while the flag is off.
        """
        yield from self._gate()
        situation, fault = self.situation, self.fault
        never = fault.kind == "crash"
        self.covered = fault is GOOD or (not never and self.luck.uniform(Purpose.COVERED) < covered)
        if self.covered:
            situation.fault, situation.dark = GOOD, True
        yield from self.hand_over(ship)
        self.note("shipped dark")
        if self.covered:
            self.handed.remove(ship)
            self.fleet.relabel()
            self.router.start_flag()
            situation.fault, situation.dark, situation.shared = fault, False, True
            situation.misfit = situation.on_since = None

    def switch_flag(self, share: float, poll: float) -> Script:
        """Switch the flag on for a share of the users; it takes `poll` seconds."""
        if not self.covered:
            yield from self._gate()
            self.phase = f"{100 * share:.3g}%"
            yield self.env.timeout(poll)
            return
        self.router.propagation = poll
        if share > 0 and self.situation.on_since is None:
            self.situation.on_since = self.now + poll
        yield from self.shift(share, by_hand=True)

    def switch_flag_off(self, poll: float) -> Script:
        """Switch the flag off for everybody; it takes `poll` seconds."""
        router = self.router
        if self.situation.shared and (router.published or router.weight or router.coming):
            router.propagation = poll
            self.note("shift", 0.0)
            yield from self._publish(0.0)

    def take_back(self, poll: float) -> Script:
        """Take a configuration back; after `poll` seconds nobody has it any more."""
        router = self.router
        if router.published or router.weight:
            self.note("shift", 0.0)
            yield from self._publish(0.0)
            yield self.env.timeout(poll)

    def share_instances(self, poll: float) -> Script:
        """From now on weights are those of a configuration that both behaviours read on the same
        instances, each of which asks for it every `poll` seconds at a moment of its own.

        Nothing is started for it: what would crash fails its requests.
        """
        yield from self._gate()
        fleet, situation = self.fleet, self.situation
        idle = 0 if fleet.elastic else fleet.up[NEW]
        fleet.leave(NEW, idle)
        fleet.ask(-idle, self.now)
        fleet.relabel()
        self.router.start_flag()
        self.router.ask_again(poll)
        self.fault = situation.fault = self.fault.without_starts()
        situation.shared = True

    def run_on_targets(
        self,
        concurrency: Portion,
        max_errors: Portion,
        run_time: Distribution,
        doubling: bool = False,
        upto: float = 1.0,
        hours: tuple[float, float] | None = None,
    ) -> Script:
        """Drain and reinstall the targets in place, some at a time, up to too many errors.

        `run_time` is in seconds. With `doubling` groups of 1, 2, 4 ... are waited for. Only this
        share of the fleet is brought to the new version; with `hours` = (every, open) targets are
        begun in the first `open` of each `every` seconds only.
        """
        yield from self._begin_replacing("targets")
        fleet, env = self.fleet, self.env
        todo = math.ceil((self.base + upto * self.span) * fleet.size - 1e-9) - fleet.up[NEW]
        flight = concurrency.of(self.group)
        self.note("run on targets", (todo, min(flight, todo)))
        most = max_errors.of(self.group) if self.watching else fleet.size
        drifted = 1 - (1 - self._failing()) * (1 - self.plan.drifted)
        errors = Errors(most, self.luck, drifted, self.starts[NEW])
        group = math.ceil(fleet.size / MOST_GROUPS)
        room, ends = (1 if doubling else flight), list[tuple[float, int]]()
        while todo > 0 or ends:
            until = closed_until(*hours, self.now) if hours is not None else 0.0
            while todo > 0 and room > 0 and errors.accepted and not until:
                count = min(group, todo, room)
                todo, room = todo - count, room - count
                heapq.heappush(ends, (self.now + self._run_one(count, run_time), count))
            if until and todo > 0 and room > 0:
                self._wait_for_hours(ends, until)
            end, count = heapq.heappop(ends)
            yield env.timeout(max(end - self.now, 0.0))
            yield from self._end_some(count, errors)
            room += 0 if doubling else count
            if doubling and count and not ends:
                errors.group = room = min(2 * errors.group, flight)
            yield from self._gate()
        yield from self._repair_failed(errors.count, run_time)
        self.last_watch = self.now

    def _wait_for_hours(self, ends: list[tuple[float, int]], until: float) -> None:
        """Nothing ends then, but the next targets may begin."""
        if (until, 0) not in ends:
            self.note("wait for the next window", until - self.now)
            heapq.heappush(ends, (until, 0))

    def _end_some(self, count: int, errors: Errors) -> Script:
        """So many targets end now; those that do not fail serve."""
        failed = errors.of(count)
        if failed and self.fault.crash:
            self._failed_start()
        self.fleet.join(NEW, count - failed, self.now)
        if not errors.accepted:
            yield from self._too_many_errors()

    def _failing(self) -> float:
        return 1 - (1 - self.plan.scenario.service.start_failure.probability) * (
            1 - self.fault.crash
        )

    def _run_one(self, count: int, run_time: Distribution) -> float:
        """Take targets out, drain and reinstall them: how long it takes, seconds."""
        luck = self.luck.uniform(Purpose.TARGET, self.starts[NEW])
        self.starts[NEW] += count
        self.lose_sessions(OLD, count, True)
        self.fleet.take_out(OLD, count)
        return self.plan.scenario.service.drain + run_time.sample(luck)

    def _too_many_errors(self) -> Script:
        if self.plan.scenario.detection.health == "on":
            self.abort("health")
            yield from self._gate()
            yield self.env.event()
        yield from self._forever()

    def _repair_failed(self, count: int, run_time: Distribution) -> Script:
        """Run again on targets that failed, as long as it takes."""
        if not count:
            return
        law = StartLaw(run_time, self._failing(), run_time.quantile(1 - 1e-9) + 1.0)
        slowest = law.slowest(count, self.luck.uniform(Purpose.TARGET, self.starts[NEW]))
        if slowest == math.inf:
            yield from self._forever()
        yield self.env.timeout(slowest)
        self.fleet.join(NEW, count, self.now)

    def repair_targets(self, concurrency: Portion, run_time: Distribution) -> Script:
        """Reinstall the old version on every target that was touched, some at a time."""
        failure = self.plan.scenario.service.start_failure
        law = StartLaw(run_time, failure.probability, max(failure.timeout, run_time.mean() * 4))
        nothing = type(concurrency).parse(0)
        yield from self._roll(OLD, concurrency, nothing, concurrency, "window", 0.0, True, law)


def closed_until(every: float, opened: float, now: float) -> float:
    """When the next window opens, seconds from the decision to deploy; 0 while one is open.

    The first window opens with the decision and then one `every` seconds, each for `opened`.
    """
    number, inside = divmod(now + 1e-9, every)
    return 0.0 if inside < opened else (number + 1) * every


class Errors:
    """The targets of a command that failed so far, against how many are accepted."""

    __slots__ = ("_chance", "_index", "_luck", "_most", "count", "group")

    def __init__(self, most: int, luck: Luck, chance: float, first: int = 0) -> None:
        self._most, self._luck, self._chance = most, luck, chance
        self._index, self.count = first, 0
        self.group = 1

    @property
    def accepted(self) -> bool:
        """Whether no more have failed than are accepted."""
        return self.count <= self._most

    def of(self, count: int) -> int:
        """How many of `count` that end now fail, drawn one by one."""
        failed = 0
        for _ in range(count):
            failed += self._luck.uniform(Purpose.TARGET_FAILS, self._index) < self._chance
            self._index += 1
        self.count += failed
        return failed
