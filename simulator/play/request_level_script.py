"""The verbs of a script in the request-level model, each start of an instance its own process.

Part of `request_level`: plain SimPy, written to be read.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from random import Random
from typing import TYPE_CHECKING, Any

import simpy

from simulator.play.request_level_rolling import Rolling
from simulator.play.request_level_service import (
    NEW,
    OLD,
    Instance,
    PlainService,
    Process,
    sample,
)
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.play.request_level_watch import PlainWatch
    from simulator.strategies.parallel_adoption import Reconcile
    from simulator.words.detection import Judge
    from simulator.words.distributions import Distribution
    from simulator.words.failures import Breakdown
    from simulator.words.router import Dns
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Smoke, Strategy
    from simulator.words.waves import Part

Start = Generator[simpy.Event, Any, bool]


_LOOK = 10.0


class PlainScript:
    """What a release script can say: the same verbs as a rollout of the engine has.

    Weights and shares are parts of what the current strategy moves: from `base` on, `span` wide.
    Before each step forward a script passes the gate, which stays shut once something was
    detected and the response holds.
    """

    env: simpy.Environment
    rng: Random
    scenario: Scenario
    service: PlainService
    watch: PlainWatch
    strategy: Strategy
    base: float
    span: float
    group: int
    pace: float
    holding: bool
    last_watch: float
    script_end: float

    def abort(self, by: str, said: float = math.nan) -> None:
        """Something was detected, `said` seconds after the start by somebody who has decided."""
        raise AssertionError

    def prepare(self) -> None:
        """Before the script begins: nothing starts, is out of service or judged."""
        self.starting: list[simpy.Process] = []
        self.out: list[Instance] = []
        self.judging: Judge | None = None
        self.handed: list[Strategy] = []
        self.group = self.service.size
        self.poll: float | None = None
        self.stalled_until = 0.0
        self.turns = simpy.Resource(self.env)
        if self.scenario.failures.tool_stall is not None:
            self.env.process(self._stalls(self.scenario.failures.tool_stall))
        self.publishing = self.under_repair = self.errors = self.accepted = 0

    def _gate(self) -> Process:
        while self.env.now < self.stalled_until:
            yield self.env.timeout(self.stalled_until - self.env.now)
        if self.holding:
            yield self.env.event()

    def _stalls(self, words: Breakdown) -> Process:
        """The tool stalls now and then; meanwhile no step begins."""
        yield self.env.timeout(-self.env.now)
        while True:
            yield self.env.timeout(self.rng.expovariate(1 / words.mtbf.mean()))
            length = sample(words.repair, self.rng)
            self.stalled_until = self.env.now + length
            yield self.env.timeout(length)

    def _count(self, version: int) -> int:
        return len(self.service.serving[version])

    # Instances -------------------------------------------------------------------------------

    def _begin(self, process: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        started = self.env.process(process)
        self.starting.append(started)
        return started

    def _turn(self) -> Process:
        """Wait until the next start may begin; whoever asked first is first."""
        rate = self.scenario.service.start_rate
        if rate is None:
            return
        turn = self.turns.request()
        try:
            yield turn
        except simpy.Interrupt:
            turn.cancel()
            if turn.triggered:
                self.turns.release(turn)
            raise
        self.env.process(self._let_pass(turn, 1 / rate))

    def _let_pass(self, turn: simpy.resources.resource.Request, gap: float) -> Process:
        """Nobody else begins for so long (seconds)."""
        yield self.env.timeout(gap)
        self.turns.release(turn)

    def give_up_starting(self) -> None:
        """Whatever is starting now never joins."""
        for process in self.starting:
            if process.is_alive:
                process.interrupt()
        self.starting.clear()

    def _drifts(self, version: int) -> bool:
        """Whether somebody changed this instance by hand, so that an update in place fails."""
        drifted = self.scenario.service.drifted or 0.0
        return version == NEW and drifted > 0 and self.rng.random() < drifted

    def _start(
        self,
        version: int,
        law: Distribution,
        joins: bool,
        drained_at: float,
        drifts: bool = False,
    ) -> Start:
        """Start one instance: drain what is there, then try until a try succeeds in time.

        The first try fails on what was changed by hand.

        A second failed try in a row of the new version is seen by the health checks. Returns
        whether it succeeded before it was given up.
        """
        env, failure, tries = self.env, self.scenario.service.start_failure, 0
        crash = self.service.defect.crash if version == NEW else 0.0
        try:
            if law is self.scenario.service.startup:
                yield from self._turn()
            yield env.timeout(max(drained_at - env.now, 0.0))
            while True:
                crashes = self.rng.random() < crash
                fails = self.rng.random() < failure.probability
                length = sample(law, self.rng)
                if not (crashes or fails or drifts) and length <= failure.timeout:
                    break
                drifts = False
                yield env.timeout(failure.timeout)
                tries += 1
                if crash:
                    self.service.harm_began()
                self._failed_try(version, tries)
            yield env.timeout(length)
        except simpy.Interrupt:
            return False
        self.came_up(version)
        if joins:
            self.service.join(version)
        return True

    def came_up(self, version: int) -> None:
        """An instance of this version has started."""

    def _failed_try(self, version: int, tries: int) -> None:
        """So many tries of one instance have failed: health sees the second one."""
        if version == NEW and tries == 2:
            self.abort("health")

    def provision(self, share: float, version: int = NEW) -> Process:
        """Have instances for this share ready; the group joins when its last one is ready."""
        yield from self._gate()
        wanted = math.ceil((self.base + share * self.span) * self.service.size - 1e-9)
        count = wanted - self._count(version)
        if count <= 0 or self.scenario.service.elastic:
            return
        law = self.scenario.service.startup
        starts = [self._begin(self._start(version, law, False, 0.0)) for _ in range(count)]
        yield self.env.all_of(starts)
        for _ in range(count):
            self.service.join(version)

    def retire_old(self) -> Process:
        """Take the old instances of this part out of service, and wait until they are drained."""
        yield from self._gate()
        keep = math.floor((1 - self.base - self.span) * self.service.size + 1e-9)
        yield from self._retire(OLD, self._count(OLD) - keep)

    def _retire(self, version: int, count: int) -> Process:
        if count <= 0 or self.scenario.service.elastic:
            return
        for _ in range(count):
            self.service.leave(version)
        yield self.env.timeout(self.scenario.service.drain)

    # Weights and waiting -----------------------------------------------------------------------

    def shift(self, weight: float, by_hand: bool = False) -> Process:
        """Publish a weight and wait until it is in effect."""
        yield from self._gate()
        if weight > 0:
            yield from self._before_traffic()
        yield from self._publish(self.base + weight * self.span)

    def cut_over(self, dns: Dns | None, weight: float = 1.0) -> Process:
        """Move this share, by the router's weight or by a DNS record."""
        self.service.follow(dns)
        yield from self.shift(weight)

    def _before_traffic(self) -> Process:
        """Migrate a schema of which only one version can be right, just before it is needed."""
        schema = self.scenario.change.migration
        coupled = schema.coupled if schema is not None else None
        service, env = self.service, self.env
        if coupled is None or coupled.order != "together" or service.writes_since is not None:
            return
        takes = sample(coupled.migrate, self.rng)
        blocked = min(coupled.writes_blocked, takes)
        yield env.timeout(takes - blocked)
        service.blocked = True
        yield env.timeout(blocked)
        service.blocked, service.misfit, service.writes_since = False, True, 0
        service.refresh()

    def undo_store(self) -> Process:
        """Restore the old schema beside the new one; what was written since is lost."""
        schema = self.scenario.change.migration
        coupled = schema.coupled if schema is not None else None
        service = self.service
        service.blocked = False
        service.lose_unreplicated()
        if coupled is None or coupled.restore is None or service.writes_since is None:
            return
        yield self.env.timeout(sample(coupled.restore, self.rng))
        service.corrupt += service.writes_since
        service.writes_since, service.misfit = None, False
        service.refresh()

    def _publish(self, weight: float) -> Process:
        self.service.began = self.service.began or weight > 0
        self.publishing += 1
        yield self.env.process(self._take_effect(weight))

    def _take_effect(self, weight: float) -> Process:
        """What was published arrives, whatever becomes of the script."""
        resolvers = self.service.resolvers
        propagation = self.scenario.router.propagation
        if resolvers is not None:
            propagation = resolvers.dns.propagation
        if self.poll is not None:
            propagation = self.poll
        if propagation > 0:
            yield self.env.timeout(propagation)
        if resolvers is not None:
            resolvers.published.note(self.env.now, weight)
        self.publishing -= 1
        self.service.set_weight = weight
        self.service.refresh()

    def bake(self, seconds: float, judge: Judge | None = None) -> Process:
        """Wait and watch, `seconds` times the pace; a judge will look at what comes."""
        yield from self._gate()
        if seconds > 0:
            self.judging = judge or self.scenario.detection.judge
            self.watch.open_window()
            yield self.env.timeout(seconds * self.pace)
            self.last_watch = self.env.now

    def keep_old(self, seconds: float) -> Process:
        """Keep the old instances for `seconds` times the pace."""
        yield from self._gate()
        yield self.env.timeout(seconds * self.pace)

    def approve(self, waiting: Distribution | None) -> Process:
        """Wait for a person's approval, if the step asks for one."""
        if waiting is None:
            return
        yield from self._gate()
        yield self.env.timeout(sample(waiting, self.rng))
        self.last_watch = self.env.now

    def judge(self, again: float = 0.0) -> Process:
        """Let the judge look at the bake that is over; without a verdict its policy decides."""
        judge = self.judging
        if judge is None:
            return
        yield from self._gate()
        verdict = self.watch.verdict(judge)
        if verdict == "none" and judge.no_verdict == "wait" and again > 0:
            yield from self.bake(again, judge)
            verdict = self.watch.verdict(judge)
        self.judging = None
        if verdict == "fail" or (verdict == "none" and judge.no_verdict == "fail"):
            self.abort("judge")
            yield from self._gate()

    def smoke_test(self, smoke: Smoke | None) -> Process:
        """Test the new version without traffic; a defect is found with probability `catches`."""
        if smoke is None:
            return
        yield from self._gate()
        yield self.env.timeout(smoke.duration)
        if self.service.defect.kind != "none" and self.rng.random() < smoke.catches:
            self.abort("smoke test")
            yield from self._gate()

    def promote(self, how: str) -> Process:
        """Bring the rest over: at once beside the old fleet, or by rolling the pool."""
        if how == "at_once":
            yield from self.provision(1)
            yield from self.shift(1)
            yield from self.retire_old()
            return
        yield from self._gate()
        rest = self.service.size - self._count(NEW)
        yield from self._retire(OLD, self._count(OLD) - rest)
        quarter = Portion.parse("25%")
        yield from self._roll(NEW, quarter, quarter, Portion.parse(0), "window", 0.0, False)

    def begin_wave(self, part: Part) -> None:
        """Shares of a rolling update are shares of the wave, if it has a name."""
        if part.name:
            self.group = math.ceil(part.wave * self.service.size - 1e-9)

    def hand_over(self, strategy: Strategy, share: float = 1.0, moved: float = 0.0) -> Process:
        """Let another strategy move a `share` of what this one moves, on top of `moved`."""
        base, span, pace, group = self.base, self.span, self.pace, self.group
        if strategy not in self.handed:
            self.handed.append(strategy)
        self.base, self.span = base + moved * span, share * span
        self.pace = pace * strategy.pace
        yield from strategy.release(self)  # type: ignore[arg-type]
        self.base, self.span, self.pace, self.group = base, span, pace, group

    def undo_handed_over(self) -> Process:
        """Roll back what was handed over, the last strategy first."""
        while self.handed:
            yield from self.handed.pop().roll_back(self)  # type: ignore[arg-type]

    def run_in_parallel(
        self, overlap: float, reconcile: Reconcile | None, sync_error: float, double_work: float
    ) -> Process:
        """Let both versions do all the work for `overlap`; the old answers count."""
        yield from self._gate()
        self.service.mirror, self.service.sync_error = 1.0, sync_error
        self.service.began = True
        end = self.env.now + overlap * self.pace
        if reconcile is not None:
            self.env.process(self._reconcile(reconcile, end))
        yield self.env.timeout(end - self.env.now)
        self.last_watch = self.env.now
        yield from self._gate()
        self.service.mirror = self.service.sync_error = 0.0

    def _reconcile(self, words: Reconcile, end: float) -> Process:
        """Compare the answers at regular times; each comparison finds wrong ones by chance."""
        defect = self.service.defect
        while self.env.now + words.every <= end and self.service.mirror:
            yield self.env.timeout(words.every)
            wrong = defect.fail > 0 or defect.corrupt > 0
            if wrong and self.service.mirror and self.rng.random() < words.coverage:
                self.abort("reconciliation")

    def return_to_old(self) -> Process:
        """Bring back what is missing of the old version, weight 0, then retire the new one."""
        yield from self.provision(1, OLD)
        self.service.mirror = self.service.sync_error = 0.0
        yield from self._publish(0.0)
        resolvers = self.service.resolvers
        while resolvers is not None and resolvers.share(self.env.now) > 0:
            yield self.env.timeout(_LOOK)
        yield from self._retire(NEW, self._count(NEW))
        self.service.pool = False
        self.service.refresh()

    # One pool --------------------------------------------------------------------------------

    def _share_one_pool(self, version: int) -> None:
        self.service.pool = True
        self.service.began = self.service.began or version == NEW
        self.service.refresh()

    def enter(self, upto: Portion) -> Process:
        """Start new instances up to this part of the fleet; each joins the pool when ready."""
        yield from self._gate()
        yield from self._before_traffic()
        count = upto.of(self.service.size) - self._count(NEW)
        if count <= 0:
            return
        self._share_one_pool(NEW)
        law = self.scenario.service.startup
        yield self.env.all_of([self._begin(self._start(NEW, law, True, 0.0)) for _ in range(count)])

    def reinstall(self) -> Process:
        """Stop everything, install the new version in place; open when the slowest is ready."""
        yield from self._gate()
        yield from self._reinstall(NEW)

    def reinstall_old(self) -> Process:
        """The same with the old version."""
        yield from self._reinstall(OLD)

    def _reinstall(self, version: int) -> Process:
        service, law = self.service, self.scenario.service.install
        self._share_one_pool(version)
        service.announced = True
        for running in (OLD, NEW):
            for _ in range(self._count(running)):
                service.leave(running)
        count = range(service.size)
        drifts = [self._drifts(version) for _ in count]
        starts = [self._begin(self._start(version, law, False, 0.0, by_hand)) for by_hand in drifts]
        yield self.env.all_of(starts)
        for _ in count:
            service.join(version)
        service.announced = False

    def roll(
        self,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str = "window",
        pause: float = 0.0,
        in_place: bool = False,
    ) -> Process:
        """Replace the old instances of this part a few at a time."""
        yield from self._gate()
        yield from self._before_traffic()
        yield from self._roll(NEW, batch, surge, unavailable, mode, pause, in_place)
        self.last_watch = self.env.now

    def roll_old(
        self,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str = "window",
        pause: float = 0.0,
        in_place: bool = False,
    ) -> Process:
        """Replace new and half-replaced instances by old ones."""
        yield from self._roll(OLD, batch, surge, unavailable, mode, pause, in_place)

    def _roll(
        self,
        version: int,
        batch: Portion,
        surge: Portion,
        unavailable: Portion,
        mode: str,
        pause: float,
        in_place: bool,
    ) -> Process:
        size = self.service.size
        self._share_one_pool(version)
        target = size
        if version == NEW:
            target = math.ceil((self.base + self.span) * size - 1e-9)
        rolling = Rolling(self, version, target, in_place)
        group = self.group
        rolling.most, rolling.least = size + surge.of(group), size - unavailable.of(group)
        rolling.at_once = min(batch.of(group), rolling.most - rolling.least)
        if in_place:
            rolling.at_once = min(batch.of(group), unavailable.of(group))
        rolling.pause = pause * self.pace
        yield from rolling.batches() if mode == "batch" else rolling.window()
