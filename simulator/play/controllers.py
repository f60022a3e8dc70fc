"""Verbs of the controllers of real platforms: what they wait for, and when they give up."""

from __future__ import annotations

import heapq
import math
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from simpy import Event

from simulator.play.drawn import Starts, Window
from simulator.play.flags import MOST_GROUPS, HiddenVerbs
from simulator.play.fleet import NEW, OLD, Drift, StartLaw
from simulator.play.luck import Purpose
from simulator.play.pool import Rules
from simulator.play.respond import delay_to_decision
from simulator.play.tallies import Breaker, Coming
from simulator.play.verbs import NoInstances
from simulator.play.waits import Script
from simulator.words.strategy import MOST_FOLLOWED
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

Array = NDArray[np.float64]
Limits = tuple[int, int, int]
_NEVER: Final = 1e-9
PROGRESS: Final = "progress deadline"
BREAKER: Final = "circuit breaker"
SIGNALS: Final = "missing signals"
HOSTS: Final = "minimum healthy hosts"
COMMAND: Final = "command timeout"


class ControllerVerbs(HiddenVerbs):
    """Verbs of controllers that replace instances by rules of their own.

    `command_limit` is how long one instance may take (seconds); `breaker` counts starts that
    failed, `failed_hosts` are out of service.
    """

    breaker: Breaker | None
    command_limit: float
    failed_hosts: int
    ended_hosts: int
    decided_at: float
    detected_at: float
    caught_by: str

    def expect_progress(self, deadline: float) -> Script:
        """From now on say so when nothing has happened in a rolling update for so long (seconds).

        The controller goes on. A person is called; one who still finds that nothing moves rolls
        back.
        """
        yield from self._gate()
        self.progress_deadline = deadline

    def _expect(self, when: float) -> None:
        now, deadline = self.now, self.progress_deadline
        if when - now > deadline:
            self.at(now + deadline, lambda: self._without_progress(when))

    def _without_progress(self, until: float) -> None:
        if self.decided_at == self.decided_at:
            return
        self.note("no progress", self.progress_deadline)
        looking = delay_to_decision(cast("Rollout", self), PROGRESS)
        if self.watching and until > self.now + looking:
            self.abort(PROGRESS)

    def break_circuit(self, failures: int, reset: bool) -> Script:
        """From now on stop the deployment at this many failed starts, of all that are under way.

        With `reset` an instance that comes into service sets the count back to 0.
        """
        yield from self._gate()
        self.breaker = Breaker(failures, reset)

    def limit_commands(self, seconds: float) -> Script:
        """From now on the deployment has failed when an instance takes longer until it serves, its
        drain apart.
        """
        yield from self._gate()
        self.command_limit = seconds

    def _command_ends(self, version: int, begins: float, takes: float) -> None:
        if version == NEW and takes > self.command_limit:
            self.at(begins + self.command_limit, partial(self._fail, COMMAND))

    def _draw_start(self, version: int, law: StartLaw, count: int, in_place: bool) -> float:
        slowest = super()._draw_start(version, law, count, in_place)
        self._command_ends(version, self.now, slowest)
        return slowest

    def _forever(self) -> Script:
        if self.breaker is not None and self.watching and self.fleet.starting:
            yield self.env.event()  # one failure after the other: the breaker will have its say
        yield from super()._forever()

    def _watch_health(self, law: StartLaw, slowest: float, later: float) -> None:
        if self.breaker is None:
            super()._watch_health(law, slowest, later)
        elif slowest > law.timeout and self.fault.crash:  # the breaker alone judges failed starts
            self.at(self.now + later + law.timeout, self._failed_start)

    def _one_begins(self, version: int, law: StartLaw, begins: float, ends: float) -> None:
        self._command_ends(version, begins, ends - begins)
        if self.breaker is not None and version == NEW:
            self._follow_tries(self.breaker, begins, ends, law.timeout)

    def _follow_tries(self, breaker: Breaker, start: float, end: float, timeout: float) -> None:
        """One try begins at `start`; the instance will be in service at `end` (seconds)."""

        def failed() -> None:
            """The try is over without success; the next begins."""
            if self.caught_by or not self.watching:
                return
            breaker.count += 1
            if breaker.count >= breaker.failures:
                self._fail(BREAKER)
                return
            self._follow_tries(breaker, start + timeout, end, timeout)

        if start + timeout < end:
            self.at(start + timeout, failed)
        elif breaker.reset:
            self.at(end, breaker.forget)

    def _roll_stream(self, rules: Rules, law: StartLaw) -> Script:
        """Many instances through a window: where single starts decide, each is drawn."""
        if not self._decided_by_single_starts(rules, law):
            yield from super()._roll_stream(rules, law)
            return
        yield from self._wait_for_turn(rules)
        env, fleet, begun = self.env, self.fleet, self.now
        first = self.starts[NEW]
        self.starts[NEW] += rules.todo
        window = Window(rules.todo, rules.flight, rules.pause, 1.0 / rules.rate)
        drawn = Starts(law, self.luck, (rules.purpose, first), window)
        self._follow_starts(drawn)
        before, lead = fleet.up[NEW], min(rules.unavailable, rules.flight)
        most = fleet.up[OLD] - rules.keep

        def stopped() -> float:
            return self.detected_at - begun if self.holding else math.inf

        def joined(t: Array) -> Array:
            return drawn.serve(np.asarray(t - begun), stopped())

        def left(t: Array) -> Array:
            room = np.minimum(t - begun, stopped()) - rules.pause
            return np.minimum(lead + drawn.serve(room, math.inf), most)

        def asked(t: Array) -> Array:
            return drawn.begun(np.minimum(t - begun, stopped()))

        bill = self._billed_along(rules, lead)
        drift = Drift(NEW, begun, joined, left, False, bill, drawn.last)
        drift.asked, drift.drain = asked, self.plan.drain
        fleet.begin(drift)
        self._lose_along(drift, most)
        yield env.timeout(drawn.last)
        fleet.settle(self.now)
        if self.holding:
            yield env.event()
        fleet.join(NEW, rules.todo - (fleet.up[NEW] - before), self.now)

    def _decided_by_single_starts(self, rules: Rules, law: StartLaw) -> bool:
        """Whether the controller may see a start that fails or that takes too long."""
        deadline = self.progress_deadline
        if rules.version == OLD or rules.in_place or rules.todo > MOST_FOLLOWED:
            return False
        if self.breaker is None and deadline == math.inf:
            return False
        late = 0.0 if deadline == math.inf else 1 - float(law.cdf(np.array([deadline]))[0])
        return rules.todo * max(law.lost, late) > _NEVER

    def _follow_starts(self, drawn: Starts) -> None:
        """What the controller, or health, will see of these starts, unless it is over before."""
        now, breaker = self.now, self.breaker
        if self.fault.crash and (failed := drawn.failed(1)) < math.inf:
            self.at(now + failed, lambda: None if self.holding else self._failed_start())
        if breaker is not None:
            broken = drawn.breaks(breaker.failures, breaker.reset)
            if broken < math.inf:
                self.at(now + broken, partial(self._fail, BREAKER))
        elif self.plan.scenario.detection.health == "on":
            self.trip("health", now + drawn.failed(2))
        for since, until in drawn.gaps(self.progress_deadline):
            said = now + since + self.progress_deadline
            self.at(said, partial(self._without_progress, now + until))

    def _fail(self, by: str) -> None:
        """The controller takes the deployment for failed, and begins nothing more."""
        if self.watching and not self.caught_by:
            self.abort(by)
            self.holding = True

    def recreate(self) -> Script:
        """Let all old instances go, wait until they are gone, then start all new ones: an outage.

        Each serves as soon as it is ready.
        """
        yield from self._gate()
        self.router.began = True
        self.phase = "recreate"
        yield from self._recreate(NEW)

    def recreate_old(self) -> Script:
        """The same with the old version."""
        yield from self._recreate(OLD)

    def _recreate(self, version: int) -> Script:
        fleet = self.fleet
        missing = fleet.size - fleet.up[version]
        self._join_pool()
        if not missing:
            return
        self.note("recreate", (version, missing))
        self.announced = True
        yield from self._retire(1 - version, fleet.up[1 - version])
        if version == NEW:
            yield from self._before_traffic(stopped=True)
            self._fill_cache(self.now)
        law = self._law(version)
        slowest = self._start(version, law, missing)
        if slowest == math.inf:
            self._expect(math.inf)
            yield from self._forever()
        yield from self._joining(version, law, missing, slowest)
        self.announced = False
        if version == NEW:
            self.last_watch = self.now

    def replace(self, limits: Limits, pause: float, tolerated: int | None) -> Script:
        """Replace instances in batches as if whoever was started served already.

        `limits`: instances of a batch, of which so many leave before and so many are added before
        others leave. The next batch begins `pause` seconds after the one before (times the pace).
        Unless `tolerated` is None a batch waits for the signals of its instances, for `pause`
        seconds at most; with more than `tolerated` missing the update has failed.
        """
        yield from self._begin_replacing("rolling")
        yield from self._replace(NEW, limits, pause, tolerated)
        self.last_watch = self.now

    def replace_old(self, limits: Limits, pause: float, tolerated: int | None) -> Script:
        """The same with the old version."""
        yield from self._replace(OLD, limits, pause, tolerated)

    def _replace(self, version: int, limits: Limits, pause: float, tolerated: int | None) -> Script:
        fleet, target = self.fleet, self.fleet.size
        self._join_pool()
        if version == NEW:
            target = math.ceil((self.base + self.span) * fleet.size - 1e-9)
        rules = Rules(version, target - fleet.up[version], fleet.size - target, False)
        rules.flight, rules.unavailable, rules.surge = limits
        if rules.todo > 0:
            self.note("replace", (version, rules.todo, rules.flight, tolerated is not None))
        law, coming, silent = self._law(version), Coming(), 0
        while rules.started < rules.todo:
            yield from self._gate()
            if version == NEW and rules.started:
                yield from self._before_starts()
            ends = self._replace_some(rules, law, coming)
            if tolerated is None:
                yield self.env.timeout(pause * self.pace)
            else:
                silent += yield from self._wait_for_signals(ends, pause)
                if silent > tolerated and self.watching:
                    self.abort(SIGNALS)
                    self.holding = True
                    yield from self._gate()
        self._drain(1 - version, self._spare(rules, coming, 0))
        if coming.ever_missing:
            yield from self._forever()
        if coming.count:
            coming.all_here = self.env.event()
            yield coming.all_here

    def _spare(self, rules: Rules, coming: Coming, missing: int) -> int:
        """Instances of the other version that may leave so that no more than `missing` are."""
        fleet, other = self.fleet, 1 - rules.version
        seen = fleet.up[OLD] + fleet.up[NEW] + coming.count
        return min(seen - fleet.size + missing, fleet.up[other] - rules.keep)

    def _replace_some(self, rules: Rules, law: StartLaw, coming: Coming) -> list[float]:
        """Let a batch leave and start as many; when each will be in service (seconds)."""
        fleet = self.fleet
        self._drain(1 - rules.version, self._spare(rules, coming, rules.unavailable))
        seen = fleet.up[OLD] + fleet.up[NEW] + coming.count
        room = min(rules.flight, rules.todo - rules.started, fleet.size + rules.surge - seen)
        ends = [self._start_one(rules, law, False) for _ in range(room)]
        for end in ends:
            coming.count += 1
            if end < math.inf:
                self.at(end, partial(self._arrive, rules.version, coming))
            else:
                coming.ever_missing = True
        return ends

    def _arrive(self, version: int, coming: Coming) -> None:
        """One that was started serves, unless it was given back meanwhile."""
        if version == OLD or self.decided_at != self.decided_at:
            self.fleet.join(version, 1, self.now)
            coming.arrive()

    def _wait_for_signals(self, ends: list[float], within: float) -> Generator[Event, Any, int]:
        """Wait until all have signalled, or so many seconds; how many have not."""
        now = self.now
        yield self.env.timeout(min(max(ends, default=now) - now, within))
        return sum(end - now > within for end in ends)

    def deploy_to_hosts(self, hosts: int, minimum: int, zone_minimum: int) -> Script:
        """Drain, reinstall and register again so many hosts, those of one zone.

        As many at once as leave `minimum` in service of all and `zone_minimum` of these. A host
        whose new version does not start stays out; when none may be taken any more the deployment
        has failed.
        """
        yield from self._begin_replacing("hosts")
        fleet, env = self.fleet, self.env
        target = math.ceil((self.base + self.span) * fleet.size - 1e-9)
        left = min(hosts, target - fleet.up[NEW] - self.failed_hosts, fleet.up[OLD])
        group = math.ceil(fleet.size / MOST_GROUPS)
        healthy, ends = left, list[tuple[float, int]]()
        self.note("run on targets", (left, min(fleet.size - minimum, left - zone_minimum)))
        while left or ends:
            while left and not self.holding:
                serving = fleet.up[OLD] + fleet.up[NEW]
                count = min(group, left, serving - minimum, healthy - zone_minimum)
                if count <= 0:
                    break
                left, healthy = left - count, healthy - count
                took = self._run_one(count, self.plan.scenario.service.install)
                heapq.heappush(ends, (self.now + took, count))
            if not ends:
                yield from self._fail_deployment()
            end, count = heapq.heappop(ends)
            yield env.timeout(max(end - self.now, 0.0))
            good = count - self._failed_of(count)
            fleet.join(NEW, good, self.now)
            healthy += good
            if not self.holding:
                yield from self._gate()
        if self.watching:
            yield from self._gate()

    def _failed_of(self, count: int) -> int:
        """On how many of `count` hosts the new version does not start, drawn one by one."""
        if not self.watching:
            return 0
        chance, failed = self._failing(), 0
        for _ in range(count):
            failed += self.luck.uniform(Purpose.TARGET_FAILS, self.ended_hosts) < chance
            self.ended_hosts += 1
        self.failed_hosts += failed
        if failed and self.fault.crash:
            self._failed_start()
        return failed

    def _fail_deployment(self) -> Script:
        """The controller stops here for good: no host may be taken, or none has succeeded."""
        self.abort(HOSTS)
        self.holding = True
        yield self.env.event()

    def accept_failed_hosts(self) -> Script:
        """End a deployment to hosts: one has to have succeeded; the failed ones are repaired."""
        yield from self._gate()
        if not self.fleet.up[NEW]:
            yield from self._fail_deployment()
        yield from self._repair_failed(self.failed_hosts, self.plan.scenario.service.install)
        self.last_watch = self.now

    def reinstall_beside(self, batch: Portion, pause: float) -> Script:
        """Drain and reinstall all old instances in batches, while surplus new ones serve, too.

        Never fewer than the fleet's size serve; the next batch begins `pause` seconds after the
        one before serves (times the pace).
        """
        yield from self._gate()
        yield from self._reinstall_beside(NEW, batch, pause)

    def reinstall_old_beside(self, batch: Portion, pause: float) -> Script:
        """The same back: an additional batch of old instances first, unless one is there."""
        fleet = self.fleet
        surplus = fleet.up[OLD] + fleet.up[NEW] + fleet.out - fleet.size
        if fleet.up[NEW] + fleet.out <= surplus:
            yield from self._retire(NEW, fleet.up[NEW])
            return
        if surplus <= 0:
            count, law = batch.of(fleet.size), self._law(OLD)
            self.note("provision", (OLD, count))
            slowest = self._start(OLD, law, count)
            yield from self._joining(OLD, law, count, slowest)
            yield self.env.timeout(pause * self.pace)
        yield from self._reinstall_beside(OLD, batch, pause)
        yield from self._retire(OLD, fleet.up[OLD] - fleet.size)

    def _reinstall_beside(self, version: int, batch: Portion, pause: float) -> Script:
        fleet = self.fleet
        rules = Rules(version, fleet.up[1 - version] + fleet.out, 0, True)
        rules.flight, rules.pause = batch.of(fleet.size), pause * self.pace
        self.note("roll", (version, rules.todo, rules.flight))
        yield from self._roll_batches(rules, self._law(version, in_place=True))
        self.note("rolled", version)

    def provision_beside(self, canaries: int, baseline: int) -> Script:
        """Start so many new instances and so many old ones more to compare them with; wait for all.

        An elastic service has none to start.
        """
        yield from self._gate()
        if self.plan.elastic:
            raise NoInstances
        yield from self._before_starts()
        self.note("provision", (NEW, canaries))
        if baseline:
            self.note("provision", (OLD, baseline))
        fleet = self.fleet
        slowest = max(
            self._start(NEW, self._law(NEW), canaries),
            self._start(OLD, self._law(OLD), baseline),
        )
        if slowest == math.inf:
            yield from self._forever()
        yield self.env.timeout(slowest)
        fleet.join(NEW, canaries, self.now)
        fleet.join(OLD, baseline, self.now)

    def delete_canary(self) -> Script:
        """Take all traffic off the new instances; they and the baseline's go."""
        yield from self._gate()
        self.phase = "canary deleted"
        yield from self.delete_baseline()
        yield from self.return_to_old()

    def delete_baseline(self) -> Script:
        """Old instances above the size go; they drain while the script goes on."""
        beside = self.fleet.up[OLD] - self.fleet.size
        if beside > 0:
            self.note("retire", (OLD, beside))
            self._drain(OLD, beside)
        yield from ()

    def retire_surplus(self) -> Script:
        """All old instances and whatever is above the size go."""
        yield from self.retire_old()
        yield from self._retire(NEW, self.fleet.up[NEW] - self.fleet.size)
