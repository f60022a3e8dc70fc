"""Controllers of platforms in the request-level model: what they wait for, when they give up.

Part of `request_level`: plain SimPy; deadlines and failed starts are counted one by one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import simpy

from simulator.play.request_level_hidden import HiddenScript
from simulator.play.request_level_rolling import Rolling
from simulator.play.request_level_service import NEW, OLD, Process, sample

if TYPE_CHECKING:
    from simulator.words.units import Portion

PROGRESS, BREAKER, SIGNALS = "progress deadline", "circuit breaker", "missing signals"


class Size(NamedTuple):
    """How many instances a script wants."""

    size: int


class ControllerScript(HiddenScript):
    """Verbs of controllers that replace instances by rules of their own.

    `failed` counts starts that did not succeed, against the `threshold` of a circuit breaker;
    `moved_at` is when something last happened in a rolling update (seconds).
    """

    threshold = math.inf
    reset = False
    failed = 0
    moved_at = 0.0
    decided_at: float

    @property
    def fleet(self) -> Size:
        """The fleet as far as a script may ask about it."""
        return Size(self.service.size)

    def expect_progress(self, deadline: float) -> Process:
        """Say so when nothing has happened for so long; whoever is called may roll back."""
        yield from self._gate()
        self.moved_at = self.env.now
        self.env.process(self._watch_progress(deadline))

    def _watch_progress(self, deadline: float) -> Process:
        """Look when the deadline is over; a person comes, and looks again."""
        env, page = self.env, self.scenario.response.page
        while math.isnan(self.script_end) and math.isnan(self.decided_at):
            moved = self.moved_at
            yield env.timeout(max(moved + deadline - env.now, 0.0))
            if moved != self.moved_at:
                continue
            said = env.now
            yield env.timeout(sample(page.acknowledge, self.rng) + sample(page.decide, self.rng))
            still = moved == self.moved_at and math.isnan(self.script_end)
            if still and math.isnan(self.decided_at):
                self.abort(PROGRESS, said)
                return
            while moved == self.moved_at and math.isnan(self.decided_at):
                yield env.timeout(1.0)

    def break_circuit(self, failures: int, reset: bool) -> Process:
        """Stop the deployment at so many failed starts; with `reset` a success sets them to 0."""
        yield from self._gate()
        self.threshold, self.reset = failures, reset

    def limit_commands(self, seconds: float) -> Process:
        """How long one instance may take is not looked at here."""
        yield from self._gate()

    def _failed_try(self, version: int, tries: int) -> None:
        if self.threshold == math.inf or version == OLD:
            super()._failed_try(version, tries)
            return
        self.failed += 1
        if self.failed == self.threshold:
            self.abort(BREAKER)
            self.holding = True

    def came_up(self, version: int) -> None:
        """An instance serves from now on."""
        self.moved_at = self.env.now
        if self.reset and version == NEW:
            self.failed = 0

    def replace(self, limits: tuple[int, int, int], pause: float, tolerated: int | None) -> Process:
        """Replace instances in batches as if whoever was started served already."""
        yield from self._gate()
        yield from self._before_traffic()
        yield from self._replace(NEW, limits, pause, tolerated)
        self.last_watch = self.env.now

    def replace_old(
        self, limits: tuple[int, int, int], pause: float, tolerated: int | None
    ) -> Process:
        """The same with the old version."""
        yield from self._replace(OLD, limits, pause, tolerated)

    def _replace(
        self, version: int, limits: tuple[int, int, int], pause: float, tolerated: int | None
    ) -> Process:
        """A batch leaves, as many start; the pause, or their signals, and the next one."""
        batch, missing, surplus = limits
        size, silent = self.service.size, 0
        self._share_one_pool(version)
        todo = size - self._count(version)
        coming = list[simpy.Process]()
        while todo > 0:
            yield from self._gate()
            self._spare(version, coming, size - missing)
            seen = self._count(OLD) + self._count(NEW) + self._alive(coming)
            started = [
                self._one_more(version) for _ in range(min(batch, todo, size + surplus - seen))
            ]
            coming += started
            todo -= len(started)
            if tolerated is None:
                yield self.env.timeout(pause * self.pace)
                continue
            yield self.env.all_of(started) | self.env.timeout(pause)
            silent += self._alive(started)
            if silent > tolerated:
                self.abort(SIGNALS)
                self.holding = True
                yield from self._gate()
        self._spare(version, coming, size)
        yield self.env.all_of(coming)

    def _one_more(self, version: int) -> simpy.Process:
        return self._begin(self._start(version, self.scenario.service.startup, True, 0.0))

    def _alive(self, coming: list[simpy.Process]) -> int:
        return sum(process.is_alive for process in coming)

    def _spare(self, version: int, coming: list[simpy.Process], least: int) -> None:
        """Instances of the other version leave while so many serve or were started."""
        other = 1 - version
        while self._count(other):
            if self._count(OLD) + self._count(NEW) + self._alive(coming) <= least:
                return
            self.service.leave(other)

    def reinstall_beside(self, batch: Portion, pause: float) -> Process:
        """Reinstall all old instances in batches while surplus new ones serve, too."""
        yield from self._gate()
        target = self._count(OLD) + self._count(NEW)
        rolling = Rolling(self, NEW, target, in_place=True)
        rolling.most = rolling.least = self.service.size
        rolling.at_once, rolling.pause = batch.of(self.service.size), pause * self.pace
        yield from rolling.batches()

    def retire_surplus(self) -> Process:
        """All old instances and whatever is above the size go."""
        yield from self.retire_old()
        yield from self._retire(NEW, self._count(NEW) - self.service.size)
