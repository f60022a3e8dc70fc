"""The verbs of a script in the request-level model, each start of an instance its own process.

Part of `request_level`: plain SimPy, written to be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import simpy

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
    from simulator.strategies.blue_green import Smoke
    from simulator.strategies.parallel_adoption import Reconcile
    from simulator.words.detection import Judge
    from simulator.words.distributions import Distribution
    from simulator.words.router import Dns
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Strategy

Start = Generator[simpy.Event, Any, bool]


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
    abort: Callable[[str], None]
    base: float
    span: float
    pace: float
    holding: bool
    last_watch: float

    def prepare(self) -> None:
        """Before the script begins: nothing starts, is out of service or judged."""
        self.starting: list[simpy.Process] = []
        self.out: list[Instance] = []
        self.judging: Judge | None = None
        self.handed: list[Strategy] = []

    def _gate(self) -> Process:
        if self.holding:
            yield self.env.event()

    def _count(self, version: int) -> int:
        return len(self.service.serving[version])

    # Instances -------------------------------------------------------------------------------

    def _begin(self, process: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        started = self.env.process(process)
        self.starting.append(started)
        return started

    def give_up_starting(self) -> None:
        """Whatever is starting now never joins."""
        for process in self.starting:
            if process.is_alive:
                process.interrupt()
        self.starting.clear()

    def _start(self, version: int, law: Distribution, joins: bool, drained_at: float) -> Start:
        """Start one instance: drain what is there, then try until a try succeeds in time.

        A second failed try in a row of the new version is seen by the health checks. Returns
        whether it succeeded before it was given up.
        """
        env, failure, tries = self.env, self.scenario.service.start_failure, 0
        crash = self.service.defect.crash if version == NEW else 0.0
        try:
            yield env.timeout(max(drained_at - env.now, 0.0))
            while True:
                crashes = self.rng.random() < crash
                fails = self.rng.random() < failure.probability
                length = sample(law, self.rng)
                if not crashes and not fails and length <= failure.timeout:
                    break
                yield env.timeout(failure.timeout)
                tries += 1
                if crash:
                    self.service.harm_began()
                if version == NEW and tries == 2:
                    self.abort("health")
            yield env.timeout(length)
        except simpy.Interrupt:
            return False
        if joins:
            self.service.join(version)
        return True

    def provision(self, share: float, version: int = NEW) -> Process:
        """Have instances for this share ready; the group joins when its last one is ready."""
        yield from self._gate()
        wanted = math.ceil((self.base + share * self.span) * self.service.size - 1e-9)
        count = wanted - self._count(version)
        if count <= 0:
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
        for _ in range(count):
            self.service.leave(version)
        if count > 0:
            yield self.env.timeout(self.scenario.service.drain)

    # Weights and waiting -----------------------------------------------------------------------

    def shift(self, weight: float, by_hand: bool = False) -> Process:
        """Publish a weight and wait until it is in effect."""
        yield from self._gate()
        yield from self._publish(self.base + weight * self.span)

    def cut_over(self, dns: Dns | None) -> Process:
        """Move everything by the router's weight; DNS is not played here."""
        if dns is not None:
            raise NotImplementedError("clients that follow DNS answers")
        yield from self.shift(1)

    def _publish(self, weight: float) -> Process:
        self.service.began = self.service.began or weight > 0
        yield self.env.process(self._take_effect(weight))

    def _take_effect(self, weight: float) -> Process:
        """What was published arrives, whatever becomes of the script."""
        if self.scenario.router.propagation > 0:
            yield self.env.timeout(self.scenario.router.propagation)
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

    def hand_over(self, strategy: Strategy, share: float = 1.0, moved: float = 0.0) -> Process:
        """Let another strategy move a `share` of what this one moves, on top of `moved`."""
        base, span, pace = self.base, self.span, self.pace
        if strategy not in self.handed:
            self.handed.append(strategy)
        self.base, self.span = base + moved * span, share * span
        self.pace = pace * strategy.pace
        yield from strategy.release(self)  # type: ignore[arg-type]
        self.base, self.span, self.pace = base, span, pace

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
        yield self.env.all_of([self._begin(self._start(version, law, False, 0.0)) for _ in count])
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
        rolling.most, rolling.least = size + surge.of(size), size - unavailable.of(size)
        rolling.at_once = min(batch.of(size), rolling.most - rolling.least)
        if in_place:
            rolling.at_once = min(batch.of(size), unavailable.of(size))
        rolling.pause = pause * self.pace
        yield from rolling.batches() if mode == "batch" else rolling.window()


class Rolling:
    """One rolling update of a pool to `version`, until `target` instances of it serve.

    At most `at_once` starts are under way; never more than `most` instances serve or start, never
    fewer than `least` serve because of it; `pause` is in seconds.
    """

    most: int
    least: int
    at_once: int
    pause: float

    def __init__(self, script: PlainScript, version: int, target: int, in_place: bool) -> None:
        self.script, self.env, self.service = script, script.env, script.service
        self.version, self.in_place = version, in_place
        self.todo = target - len(self.service.serving[version])
        self.keep = self.service.size - target
        self.flying: list[simpy.Process] = []
        self.slot_pause = 0.0

    def window(self) -> Process:
        """A slot is free again as soon as its instance serves and the pause after it is over."""
        self.slot_pause = self.pause
        while self.todo > 0 or self.flying:
            if not self.script.holding:
                self._start_what_may()
            if not self.flying:
                break
            yield self.env.any_of(self.flying)
            self.flying = [start for start in self.flying if start.is_alive]
        yield from self.script._gate()
        self._let_go(self.service.size)

    def batches(self) -> Process:
        """The next batch begins when the whole batch serves and the pause after it is over."""
        while self.todo > 0:
            yield from self.script._gate()
            self._start_what_may()
            yield self.env.all_of(self.flying)
            self.flying = []
            self._let_go(self.service.size)
            if self.pause and self.todo > 0:
                yield self.env.timeout(self.pause)

    def _serving(self) -> int:
        return sum(map(len, self.service.serving))

    def _start_what_may(self) -> None:
        """Let instances leave and start as the limits allow."""
        if not self.in_place:
            self._let_go(self.least)
        while self.todo > 0 and len(self.flying) < self.at_once:
            if self.in_place:
                instance = self._one_to_reinstall()
                if instance is None:
                    return
                process: Generator[simpy.Event, Any, Any] = self._reinstall(instance)
            elif self._serving() + len(self.flying) < self.most:
                process = self._start_another()
            else:
                return
            self.todo -= 1
            self.flying.append(self.script._begin(process))

    def _let_go(self, least: int) -> None:
        """Instances of the other version leave as long as more than `least` serve."""
        others = self.service.serving[1 - self.version]
        while self._serving() > least and len(others) > self.keep:
            self.service.leave(1 - self.version)

    def _one_to_reinstall(self) -> Instance | None:
        """One that is already out of service, or else one that may be taken out."""
        others = self.service.serving[1 - self.version]
        if self.script.out:
            return self.script.out.pop(0)
        if self._serving() > self.least and len(others) > self.keep:
            return self.service.leave(1 - self.version)
        return None

    def _start_another(self) -> Process:
        law = self.script.scenario.service.startup
        yield from self._then_pause(self.script._start(self.version, law, True, 0.0))

    def _reinstall(self, instance: Instance) -> Process:
        law = self.script.scenario.service.install
        start = self.script._start(self.version, law, True, instance.drained_at)
        ready = yield from self._then_pause(start)
        if not ready:
            self.script.out.append(instance)

    def _then_pause(self, start: Start) -> Start:
        ready = yield from start
        if ready and self.slot_pause:
            with suppress(simpy.Interrupt):
                yield self.env.timeout(self.slot_pause)
        return ready
