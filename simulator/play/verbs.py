"""The verbs of a release: what a strategy's script can say, and what each does to fleet and router.

Every verb is a generator; a script says `yield from rollout.verb(...)`. A verb that begins a step
forward first passes the gate: after a detection, with `hold`, no further step starts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulator.play.fault import GOOD, Fault
from simulator.play.fleet import NEW, OLD, Fleet, StartLaw
from simulator.play.lead import geometric
from simulator.play.luck import Purpose
from simulator.play.respond import LOOKS
from simulator.play.router import Router
from simulator.play.waits import Script, Waits

if TYPE_CHECKING:
    from simulator.play.counts import Counts
    from simulator.play.judging import JudgeWatch
    from simulator.play.situation import Situation
    from simulator.play.stretch import Stretch
    from simulator.play.watch import Watch
    from simulator.strategies.parallel_adoption import Reconcile
    from simulator.words.detection import Judge
    from simulator.words.router import Dns
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Smoke, Strategy
    from simulator.words.waves import Part

NO_TRAFFIC: Final = 0.001
_FEW: Final = 1e-4


class NoInstances(Exception):
    """A script would replace instances of a service that has none."""


class Verbs(Waits):
    """The verbs that strategies are written in; `Rollout` adds the life around them.

    Weights and shares are 0..1 of the traffic or fleet that the current strategy moves: inside
    `hand_over` they are mapped to its part of the whole. Durations are seconds, multiplied by the
    strategy's pace where a person or a policy chose them.
    """

    __deletable__ = ("fleet", "stretch", "watch")  # what leads back to the rollout

    fault: Fault
    fleet: Fleet
    router: Router
    counts: Counts
    stretch: Stretch | None
    watch: Watch
    watching: bool
    strategy: Strategy
    situation: Situation
    handed: list[Strategy]
    slips: int
    releases: int
    pace: float
    phase: str
    wave: str
    group: int
    announced: bool
    base: float
    span: float
    starts: list[int]
    parallel_since: float
    double_work: float
    double_work_price: float
    judging: Judge | None
    seen: JudgeWatch | None
    baseline: int

    def trip(self, by: str, when: float) -> None:
        """A detector will have something to say at the moment `when` (seconds)."""
        raise AssertionError

    def abort(self, by: str) -> None:
        """Something was detected now."""
        raise AssertionError

    def weight(self) -> float:
        """The share of the traffic on the new version now."""
        raise AssertionError

    def _first_harm(self, now: float) -> None:
        raise AssertionError

    def _forever(self) -> Script:
        """The script can never go on by itself: somebody looks, if nothing else notices."""
        self.note("stuck")
        scenario = self.plan.scenario
        overdue = scenario.response.overdue
        if scenario.detection.health == "on":
            overdue = max(overdue, 2 * scenario.service.start_failure.timeout + 1.0)
        if self.watching:
            self.at(self.now + overdue, lambda: self.abort(LOOKS))
        yield self.env.event()

    def _before_traffic(self, stopped: bool = False) -> Script:
        raise AssertionError

    def _before_starts(self) -> Script:
        raise AssertionError

    def lose_sessions(
        self, version: int, leaving: float, drained: bool, of: float = 0.0, idle: bool = False
    ) -> None:
        """Lose the sessions of instances that leave now."""
        raise AssertionError

    def _law(self, version: int, in_place: bool = False) -> StartLaw:
        fault = self.fault if version == NEW else None
        return self.plan.install_law(fault) if in_place else self.plan.start_law(fault)

    def _draw_start(self, version: int, law: StartLaw, count: int, in_place: bool) -> float:
        """The slowest of `count` starts from now, seconds; health sees one that fails twice."""
        first = self.starts[version]
        self.starts[version] += count
        if version == NEW:
            purpose = Purpose.INSTALL if in_place else Purpose.START
        else:
            purpose = Purpose.OLD_INSTALL if in_place else Purpose.OLD_START
        slowest = law.slowest(count, self.luck.uniform(purpose, first))
        if version == NEW:
            self._watch_health(law, slowest, 0.0)
        return slowest

    def _start(self, version: int, law: StartLaw, count: int) -> float:
        """Ask for instances: the slowest serves in so many seconds (infinite: never)."""
        self.fleet.request(count, self.now)
        return self._draw_start(version, law, count, False)

    def _watch_health(self, law: StartLaw, slowest: float, later: float) -> None:
        now, timeout = self.now + later, law.timeout
        if slowest > timeout and self.fault.crash:
            self.at(now + timeout, self._failed_start)
        if slowest > 2 * timeout and self.plan.scenario.detection.health == "on":
            self.trip("health", now + 2 * timeout)

    def _failed_start(self) -> None:
        counts = self.counts
        if counts.first_harm != counts.first_harm:
            counts.first_harm = counts.last_harm = self.now
            self.router.changed = True
            self._first_harm(self.now)

    def provision(self, share: float, version: int = NEW) -> Script:
        """Have instances for this share of the fleet ready: ask for what is missing and wait.

        An elastic service is always ready.
        """
        yield from self._gate()
        if self.plan.elastic:
            return
        wanted = math.ceil((self.base + share * self.span) * self.fleet.size - 1e-9)
        count = wanted - self.fleet.up[version]
        if count <= 0:
            return
        if version == NEW:
            yield from self._before_starts()
        self.note("provision", (version, count))
        slowest = self._start(version, self._law(version), count)
        if slowest == math.inf:
            yield from self._forever()
        yield self.env.timeout(slowest)
        self.fleet.join(version, count, self.now)

    def shift(self, weight: float, by_hand: bool = False) -> Script:
        """Publish a weight for the new version and wait until it is in effect.

        By hand (or after an approval) a slip may publish it for everyone.
        """
        yield from self._gate()
        whole = self.base + weight * self.span
        if whole > 0:
            yield from self._before_traffic()
        self.phase = f"{100 * whole:.3g}%"
        if (by_hand or self.by_hand) and self._slips():
            yield from self._slip()
        self.by_hand = False
        self.note("shift", whole)
        yield from self._publish(whole)

    @property
    def scenario(self) -> Scenario:
        """The scenario that is played."""
        return self.plan.scenario

    def begin_wave(self, part: Part) -> None:
        """From now on this part of a wave is moved; within one that has a name, shares of a
        rolling update are shares of its own `group` of instances.
        """
        self.wave = part.name
        if part.name:
            self.group = max(math.ceil(part.wave * self.fleet.size - 1e-9), 1)
            self.note("wave", (part.name, part.share))

    def cut_over(self, dns: Dns | None, weight: float = 1.0) -> Script:
        """Move this share to the new version by the router's weight, or by a DNS record."""
        if dns is not None:
            self.router.follow(dns)
        yield from self.shift(weight)

    def _slips(self) -> bool:
        """Whether the operator slips at this manual step."""
        chance = self.plan.scenario.failures.slip
        if not chance or not self.watching:
            return False
        self.slips += 1
        return self.luck.uniform(Purpose.SLIP, self.slips) < chance

    def _slip(self) -> Script:
        """All traffic goes to the new version until somebody has noticed."""
        noticing = self.plan.response.page.decide
        self.note("slip", 1.0)
        yield from self._publish(1.0)
        yield self.env.timeout(noticing.sample(self.luck.uniform(Purpose.SLIP_NOTICED, self.slips)))

    def _publish(self, weight: float) -> Script:
        router, env = self.router, self.env
        router.publish(weight)
        if weight > 0:
            router.began = True
            self._fill_cache(self.now + router.propagation)
        if router.propagation > 0:
            when = self.now + router.propagation
            self.at(when, lambda: router.take_effect(weight, when))
            yield env.timeout(router.propagation)
        else:
            router.take_effect(weight, self.now)

    def _fill_cache(self, when: float) -> None:
        """A cache of the new version's own begins to fill with its first traffic."""
        if self.situation.cache_since is None:
            self.situation.cache_since = when
        self._begin_age(when)

    def _begin_age(self, when: float) -> None:
        """What runs on no instance of its own is as old as its first traffic."""
        if self.plan.elastic and self.situation.on_since is None:
            self.situation.on_since = when

    def bake(self, seconds: float, judge: Judge | None = None, lookback: float = 0.0) -> Script:
        """Wait and watch for this long (times the pace), for a judge if there is one.

        With a `lookback` it also looks at the bakes just before, over so many seconds in all.
        """
        yield from self._gate(False)
        if seconds > 0:
            self.note("bake", seconds * self.pace)
            judge = judge or self.plan.scenario.detection.judge
            if judge in self.plan.judges and judge is not None and self.watch.active:
                self._compare(judge, lookback * self.pace)
            yield self.env.timeout(seconds * self.pace)
            self.last_watch = self.now

    def _compare(self, judge: Judge, lookback: float) -> None:
        """Begin to count for a judge; an equal baseline is as many old instances more, unless the
        script has started one.
        """
        now = self.now
        if lookback and self.judging is not None:
            self.seen = self.watch.end_window(now)
        if lookback and self.seen is not None and self.seen.until == now:
            self.seen.go_on(judge, lookback)
            self.watch.open_window(judge, now, self.seen)
        else:
            self.watch.open_window(judge, now)
        self.judging = judge
        started = self.baseline or self.fleet.up[OLD] > self.fleet.size
        if judge.against == "baseline" and not started and not self.plan.elastic:
            self.baseline = self.fleet.up[NEW]
            self.fleet.ask(self.baseline, self.now)

    def judge(self, again: float = 0.0) -> Script:
        """Let the judge decide on the step that was just watched; failing aborts the rollout.

        Without a verdict its policy decides: pass, fail, or wait `again` seconds once more.
        """
        judge = self.judging
        if judge is None or not self.watch.active:
            return
        yield from self._gate(False)
        verdict = self._verdict()
        if verdict == "none" and judge.no_verdict == "wait" and again > 0:
            self.note("judge", "nothing yet: wait")
            yield from self.bake(again, judge)
            verdict = self._verdict()
        self.judging = None
        self._dismiss_baseline()
        self.note("judge", verdict)
        if verdict == "fail" or (verdict == "none" and judge.no_verdict == "fail"):
            self.abort("judge")
            yield from self._gate()

    def _verdict(self) -> str:
        """What the judge says of the window that ends now."""
        self.seen = self.watch.end_window(self.now)
        return self.seen.verdict(self.now, self.watch.noise)

    def _dismiss_baseline(self) -> None:
        if self.baseline:
            self.fleet.ask(-self.baseline, self.now)
            self.baseline = 0

    def promote(self, how: str) -> Script:
        """Bring the rest over: all at once beside the old fleet, or by rolling the pool."""
        if how == "at_once":
            yield from self.provision(1)
            yield from self.shift(1)
            yield from self.retire_old()
        else:
            yield from self._gate()
            fleet = self.fleet
            rest = fleet.size - fleet.up[NEW]
            yield from self._retire(OLD, fleet.up[OLD] - rest)
            yield from self._roll_rest()

    def _roll_rest(self) -> Script:
        raise AssertionError

    def retire_old(self) -> Script:
        """Take the old version's instances of this part out of service and give them back."""
        yield from self._gate()
        fleet = self.fleet
        keep = math.floor((1 - self.base - self.span) * fleet.size + 1e-9)
        if keep == 0 and self.router.moving(self.now):
            stale = 1.0 - self.router.followed(self.now)
            if stale > _FEW:
                kept = self.plan.lingers and self.router.dns is None
                self.note("cut connections" if kept else "stale clients", stale)
        yield from self._retire(OLD, fleet.up[OLD] - keep)

    def _retire(self, version: int, count: int) -> Script:
        """Instances leave the router at once and are given back after draining."""
        if count <= 0 or self.plan.elastic:
            return
        self.note("retire", (version, count))
        self._drain(version, count)
        yield self.env.timeout(self.plan.drain)

    def _drain(self, version: int, count: int, idle: bool = False) -> None:
        """Instances leave the router now, and are given back when they have drained; none if
        `count` is below 1. No requests are sent to them any more if they are `idle`.
        """
        if count <= 0:
            return
        plan, ask = self.plan, self.fleet.ask
        if plan.sessions is not None or plan.ungraceful or plan.lingers:
            self.lose_sessions(version, count, True, idle=idle)
        self.fleet.leave(version, count)
        if not plan.drain:
            ask(-count, self.now)
        elif self.billed or not self.router.prompt:
            self.at(self.now + plan.drain, lambda: ask(-count, self.now))

    def keep_old(self, seconds: float) -> Script:
        """Keep the old version's instances for this long (times the pace), then go on."""
        yield from self._gate()
        if seconds > 0:
            self.note("keep old", seconds * self.pace)
            yield self.env.timeout(seconds * self.pace)

    def smoke_test(self, smoke: Smoke | None) -> Script:
        """Test the new version without traffic: may find a defect before anyone meets it."""
        if smoke is None:
            return
        yield from self._gate()
        self.phase = "smoke test"
        self.note("smoke test", smoke.duration)
        if smoke.duration > 0:
            yield self.env.timeout(smoke.duration)
        if self.fault is not GOOD and self.luck.uniform(Purpose.SMOKE) < smoke.catches:
            self.abort("smoke test")
            yield from self._gate()

    def run_in_parallel(
        self, overlap: float, reconcile: Reconcile | None, sync_error: float, double_work: float
    ) -> Script:
        """Let both versions do all the work for `overlap` seconds; the old answers count.

        Each reconciliation finds wrong answers with probability `coverage`; a share `sync_error`
        of the requests is spoilt because the two disagree; `double_work` is a price per hour.
        """
        yield from self._gate()
        yield from self._before_traffic()
        start, length = self.now, overlap * self.pace
        self.phase = "overlap"
        self.note("run in parallel", length)
        self._begin_age(start)
        self.router.mirror = 1.0
        self.router.began = self.router.changed = True
        self.counts.sync_error = sync_error
        self.parallel_since, self.double_work_price = start, double_work
        wrong = self.fault.fail > 0 or self.fault.corrupt > 0
        if reconcile is not None and reconcile.coverage > 0 and wrong:
            rounds = geometric(reconcile.coverage, self.luck.uniform(Purpose.RECONCILE))
            if rounds * reconcile.every <= length:
                self.trip("reconciliation", start + rounds * reconcile.every)
        yield self.env.timeout(length)
        self.last_watch = self.now
        yield from self._gate()
        self._end_parallel()

    def _end_parallel(self) -> None:
        if self.parallel_since == self.parallel_since:
            hours = (self.now - self.parallel_since) / 3600
            self.double_work += hours * self.double_work_price
            self.parallel_since = math.nan
        self.router.mirror = 0.0
        self.router.changed = True
        self.counts.sync_error = 0.0

    def hand_over(self, strategy: Strategy, share: float = 1.0, moved: float = 0.0) -> Script:
        """Let another strategy move a `share` of fleet and traffic on top of what has `moved`."""
        base, span, pace, wave = self.base, self.span, self.pace, (self.wave, self.group)
        if strategy not in self.handed:
            self.handed.append(strategy)
        self.base, self.span = base + moved * span, share * span
        self.pace = pace * strategy.pace
        self.note("hand over", (strategy.kind, share))
        yield from strategy.release(self)  # type: ignore[arg-type]
        self.base, self.span, self.pace, (self.wave, self.group) = base, span, pace, wave

    def undo_handed_over(self) -> Script:
        """Roll back what was handed over to other strategies, the last one first."""
        while self.handed:
            strategy = self.handed.pop()
            yield from strategy.roll_back(self)  # type: ignore[arg-type]

    def _answer_the_rest(self) -> None:
        """The new version leaves before its last clients: they are counted as if it had stayed."""
        seconds, stretch = self.router.let_go(self.now), self.stretch
        if seconds > 0 and stretch is not None and self.fleet.up[NEW]:
            self.counts.answer_the_rest(stretch, seconds, self.now)

    def return_to_old(self, keep_new: float = 0.0) -> Script:
        """Roll back by weight: bring back what is missing of old, weight 0, retire new.

        Open connections on new instances are cut when these have drained; whatever else may still
        ask for the new version is waited for.
        New instances stay `keep_new` seconds without traffic before they go, for good if infinite.
        """
        fleet, router = self.fleet, self.router
        self._dismiss_baseline()
        missing = fleet.size - fleet.up[OLD]
        if missing > 0:
            yield from self.provision(1.0, OLD)
        self._end_parallel()
        if router.published or router.weight or router.coming:
            self.note("shift", 0.0)
            yield from self._publish(0.0)
        cut = self.plan.lingers and router.dns is None and not fleet.elastic
        if not cut or keep_new == math.inf:
            gone = router.gone(NO_TRAFFIC * router.kept, self.now)
            if gone > self.now and self.fleet.up[NEW]:
                yield self.env.timeout(gone - self.now)
            self._answer_the_rest()
        if keep_new and fleet.up[NEW]:
            self.note("keep new", keep_new)
        if keep_new < math.inf:
            yield self.env.timeout(keep_new if fleet.up[NEW] else 0.0)
            yield from self._retire(NEW, fleet.up[NEW])
        if router.pool:
            router.leave_pool(self.now)
