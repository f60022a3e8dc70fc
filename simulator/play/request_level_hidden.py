"""Releases of the request-level model that begin out of sight: copies, dark code, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from simulator.play.request_level_script import PlainScript
from simulator.play.request_level_service import NEW, OLD, DrawnDefect, Process, sample

if TYPE_CHECKING:
    from simulator.words.distributions import Distribution
    from simulator.words.strategy import Step, Strategy
    from simulator.words.units import Portion


class HiddenScript(PlainScript):
    """Verbs of strategies that run new code before, or without, sending it anybody's requests."""

    covered = True
    unseen: DrawnDefect | None = None

    def shadow(self, share: float, duration: float, comparable: float) -> Process:
        """Copy requests to the new version; some defects do not show in copies."""
        yield from self._gate()
        service = self.service
        plain = service.defect.kind in ("none", "crash", "slow", "load")
        service.quiet = not plain and self.rng.random() >= comparable
        service.mirror, service.began = share, True
        service.refresh()
        try:
            yield self.env.timeout(duration * self.pace)
            self.last_watch = self.env.now
            yield from self._gate()
        finally:
            service.mirror, service.quiet = 0.0, False
            service.refresh()

    def show_to(self, step: Step) -> None:
        """Users of an audience may not meet what is wrong; all later users do."""
        service = self.service
        service.audience = step.audience or service.audience
        if self.unseen is not None:
            service.carry(self.unseen)
            self.unseen = None
        sure = service.defect.kind == "crash" or not self.covered
        if step.audience is not None and not sure and self.rng.random() >= step.shows:
            self.unseen = service.defect
            service.carry(DrawnDefect())
        service.refresh()

    def ship_dark(self, ship: Strategy, covered: float) -> Process:
        """Let another strategy move the code; what the flag covers does nothing until it is on."""
        yield from self._gate()
        service, kind = self.service, self.service.defect.kind
        self.covered = kind == "none" or (kind != "crash" and self.rng.random() < covered)
        service.dark = self.covered
        yield from self.hand_over(ship)
        if self.covered:
            self.handed.remove(ship)
            for instance in service.serving[NEW]:
                instance.version = OLD
            service.serving = [service.serving[OLD] + service.serving[NEW], []]
            service.set_weight, service.pool = 0.0, False
            service.dark, service.shared = False, True
            service.refresh()

    def switch_flag(self, share: float, poll: float) -> Process:
        """Switch the flag on for a share of the users."""
        yield from self._gate()
        if not self.covered:
            yield self.env.timeout(poll)
            return
        self.poll = poll
        yield from self._publish(share)

    def switch_flag_off(self, poll: float) -> Process:
        """Switch it off for everybody."""
        if self.service.shared and (self.service.set_weight or self.publishing):
            self.poll = poll
            yield from self._publish(0.0)

    def run_on_targets(
        self, concurrency: Portion, max_errors: Portion, run_time: Distribution, doubling: bool
    ) -> Process:
        """Drain and reinstall targets in place, some at a time, up to too many errors."""
        yield from self._gate()
        yield from self._before_traffic()
        self._share_one_pool(NEW)
        self.errors, self.accepted = 0, max_errors.of(self.service.size)
        flight = concurrency.of(self.service.size)
        at_once, running = 1 if doubling else flight, list[simpy.Process]()
        while self._count(OLD) or running:
            while self._count(OLD) and len(running) < at_once and self.errors <= self.accepted:
                running.append(self._begin(self._run_one(run_time)))
            if not running:
                break
            yield self.env.all_of(running) if doubling else self.env.any_of(running)
            running = [] if doubling else [one for one in running if one.is_alive]
            at_once = min(2 * at_once, flight)
            if self.errors > self.accepted:
                self.abort("health")
                yield from self._gate()
                yield self.env.event()
            yield from self._gate()
        self.last_watch = self.env.now

    def _run_one(self, run_time: Distribution) -> Process:
        """Take a target out, drain it, run on it; it comes back, or is an error."""
        service, failure = self.service, self.scenario.service.start_failure.probability
        drained = service.leave(OLD).drained_at
        try:
            yield self.env.timeout(max(drained - self.env.now, 0.0))
            yield self.env.timeout(sample(run_time, self.rng))
        except simpy.Interrupt:
            return
        crashes = self.rng.random() < service.defect.crash
        if crashes:
            service.harm_began()
        if crashes or self._drifts(NEW) or self.rng.random() < failure:
            self.errors += 1
        else:
            service.join(NEW)

    def repair_targets(self, concurrency: Portion, run_time: Distribution) -> Process:
        """Reinstall the old version on whatever was touched, some at a time."""
        service, flight = self.service, concurrency.of(self.service.size)
        self._share_one_pool(OLD)
        running = list[simpy.Process]()
        while self._count(OLD) < service.size:
            while self._count(OLD) + len(running) < service.size and len(running) < flight:
                running.append(self.env.process(self._repair_one(run_time)))
            yield self.env.any_of(running)
            running = [one for one in running if one.is_alive]

    def _repair_one(self, run_time: Distribution) -> Process:
        down = self.service.size - self._count(OLD) - self._count(NEW) - self.under_repair
        self.under_repair += 1
        if down <= 0:
            drained = self.service.leave(NEW).drained_at
            yield self.env.timeout(max(drained - self.env.now, 0.0))
        yield self.env.timeout(sample(run_time, self.rng))
        self.under_repair -= 1
        self.service.join(OLD)
