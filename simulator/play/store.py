"""What the data store demands: migrations, restores, a routine that runs once, and points of no
return.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulator.play.fleet import NEW, OLD
from simulator.play.luck import Purpose
from simulator.play.verbs import Verbs
from simulator.play.waits import Script

if TYPE_CHECKING:
    from simulator.words.change import Coupled


_HARDLY_ONE: Final = 1e-6


class StoreVerbs(Verbs):
    """Verbs on the data store that both versions share; `migrated_at` is NaN before (seconds)."""

    migrated_at: float
    routine_runs: int

    @property
    def past_return(self) -> bool:
        """Whether the old version can no longer work, and nothing brings its schema back."""
        coupled = self.plan.coupled
        migrated = self.migrated_at == self.migrated_at
        return coupled is not None and migrated and coupled.restore is None

    def prepare_store(self) -> Script:
        """What comes before the script: compatible releases, or a schema that goes first."""
        schema = self.plan.migration
        if schema is None:
            return
        steps, coupled = schema.expand_contract, schema.coupled
        if steps is not None and steps.releases > 1:
            self.releases = steps.releases
            earlier = (steps.releases - 1) * (self.plan.script + steps.apart)
            self.phase = "earlier releases"
            self.note("expand and contract", earlier)
            yield self.env.timeout(earlier)
            self.phase = "start"
        if coupled is not None and coupled.order == "schema_first":
            yield from self._migrate(coupled)

    def finish_store(self) -> Script:
        """What comes after the script: a schema that goes last."""
        coupled = self.plan.coupled
        if coupled is not None and coupled.order == "schema_last":
            yield from self._gate()
            yield from self._migrate(coupled)
            self.last_watch = self.now

    def _before_traffic(self, stopped: bool = False) -> Script:
        """What has to be done just before the new version gets its first traffic."""
        if self.plan.routine is not None and not self.routine_runs:
            yield from self._run_routine(stopped)
        coupled = self.plan.coupled
        yet = self.migrated_at != self.migrated_at
        if coupled is not None and coupled.order == "together" and yet:
            yield from self._migrate(coupled)

    def _before_starts(self) -> Script:
        """A further group of instances runs the upgrade routine again unless a lock stops it."""
        routine = self.plan.routine
        if routine is not None and self.routine_runs and not routine.lock:
            yield from self._run_routine(False)

    def _run_routine(self, stopped: bool) -> Script:
        routine = self.plan.routine
        assert routine is not None
        takes = routine.takes.sample(self.luck.uniform(Purpose.ROUTINE, self.routine_runs))
        self.routine_runs += 1
        self.note("upgrade routine", takes)
        if stopped:
            yield self.env.timeout(takes)
            return
        for version in (OLD, NEW):
            self.lose_sessions(version, self.fleet.up[version], False)
        self._stop(True)
        yield self.env.timeout(takes)
        self._stop(False)

    def _stop(self, stopped: bool) -> None:
        """Nobody serves, as announced, until everything goes on."""
        self.announced = self.situation.stopped = stopped
        self.router.changed = True

    def _migrate(self, coupled: Coupled) -> Script:
        takes = coupled.migrate.sample(self.luck.uniform(Purpose.MIGRATE))
        blocked = min(coupled.writes_blocked, takes)
        self.note("migrate", takes)
        yield self.env.timeout(takes - blocked)
        self._block(True)
        yield self.env.timeout(blocked)
        self._block(False)
        self.note("migrated")
        if coupled.order != "schema_first":
            self.migrated_at = self.now
            self.situation.misfit = OLD

    def _block(self, blocked: bool) -> None:
        if self.situation.blocked != blocked:
            self.situation.blocked = blocked
            self.router.changed = True

    def undo_store(self) -> Script:
        """Before a rollback: the old schema comes back beside the new one, without later writes."""
        coupled, now = self.plan.coupled, self.now
        self._block(False)
        self._stop(False)
        if self.router.began and self.plan.lag:
            behind = self.router.unreplicated(now)
            self.counts.lose_writes(
                self.plan.writes * self.plan.requests_between(now - behind, now)
            )
        if coupled is None or coupled.restore is None or self.migrated_at != self.migrated_at:
            return
        takes = coupled.restore.sample(self.luck.uniform(Purpose.RESTORE))
        self.note("restore", takes)
        yield self.env.timeout(takes)
        plan, now = self.plan, self.now
        self.counts.lose_writes(plan.writes * plan.requests_between(self.migrated_at, now))
        self.situation.misfit = None
        self.router.changed = True
        self.migrated_at = math.nan

    def lose_sessions(
        self, version: int, leaving: float, drained: bool, of: float = 0.0, idle: bool = False
    ) -> None:
        """What instances of this version lose that leave now, `leaving` of those in service (or
        `of` so many): sessions in their memory, unless they end while draining.

        Lost ones are failed requests, at the end of the drain. Stops that are not graceful lose a
        moment of their requests at once, unless they are `idle`.
        """
        plan, sessions, visits = self.plan, self.plan.sessions, self.router.visits
        if leaving <= 0 or plan.elastic:
            return
        part = min(leaving / max(of or self.fleet.up[version], 1), 1.0)
        cohorts = [] if of else self.fleet.cohorts[version]
        drain, served = plan.drain if drained else 0.0, part
        if plan.lingers:
            served = self._cut_connections(version, leaving, part, drain, cohorts)
        if plan.ungraceful and not idle:
            cut = plan.requests_between(self.now, self.now + plan.ungraceful)
            if self.fleet.drift is not None and self.router.pool and self.router.links is None:
                share = leaving / self.fleet.in_pool(self.now)
            else:
                share = served * (self.weight() if version == NEW else 1.0 - self.weight())
            self.counts.lose(self.now, share * cut * self._again(), not drained)
        if sessions is None or visits is None:
            return
        rate = self.plan.requests_between(self.now, self.now + 1.0)
        alive = rate * sessions.mean / sessions.requests
        lost = alive * visits.leave(version, part, self.now, drain, leaving, cohorts)[1]
        counts, when = self.counts, self.now + drain
        self.at(when, lambda: counts.lose(when, lost, not drained))

    def _again(self) -> float:
        """The part of the requests lost now that is still lost when they have been tried again."""
        stretch, retries = self.stretch, self.plan.retries
        if not retries or stretch is None:
            return 1.0
        harm = sum(one.share * one.failing for one in stretch.seen)
        return float(min(1.0 - stretch.clear + harm, 1.0) ** retries)

    def _cut_connections(
        self, version: int, leaving: float, part: float, drain: float, cohorts: list[list[float]]
    ) -> float:
        """Connections that are still open on instances that leave are cut at the end of the drain,
        and begin anew on whoever serves from that moment on: what they have of the version's now.
        """
        fleet, router = self.fleet, self.router
        links, held, cut = router.links, part, 0.0
        if links is not None:
            held, cut = links.leave(version, part, self.now, drain, leaving, cohorts)
        fleet.finishing[version] += leaving

        def reconnect() -> None:
            left = fleet.finishing[version] - leaving
            fleet.finishing[version] = left if left > _HARDLY_ONE else 0.0
            router.reconnect(version, cut)

        self.at(self.now + drain, reconnect)
        return held
