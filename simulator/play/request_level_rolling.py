"""One rolling update of the request-level model: slots, batches, and instances that come and go."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import simpy

from simulator.play.request_level_service import Instance, Process

if TYPE_CHECKING:
    from simulator.play.request_level_script import PlainScript, Start


class Rolling:
    """One rolling update of a pool to `version`, until `target` instances of it serve.

    At most `at_once` starts are under way; never more than `most` instances serve or start, never
    fewer than `least` serve because of it (not counting those in their pause); `pause` is in
    seconds.
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
        self.pausing = 0

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
            if not self.in_place:
                self._let_go(self.service.size)
            if self.pause and self.todo > 0:
                yield self.env.timeout(self.pause)

    def _serving(self) -> int:
        return sum(map(len, self.service.serving))

    def _available(self) -> int:
        """Who serves, without those that have to do so for a while before they count."""
        return self._serving() - self.pausing

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
            elif self._available() + len(self.flying) < self.most:
                process = self._start_another()
            else:
                return
            self.todo -= 1
            self.flying.append(self.script._begin(process))

    def _let_go(self, least: int) -> None:
        """Instances of the other version leave as long as more than `least` serve."""
        others = self.service.serving[1 - self.version]
        while self._available() > least and len(others) > self.keep:
            self.service.leave(1 - self.version)

    def _one_to_reinstall(self) -> Instance | None:
        """One that is already out of service, or else one that may be taken out."""
        others = self.service.serving[1 - self.version]
        if self.script.out:
            return self.script.out.pop(0)
        if self._available() > self.least and len(others) > self.keep:
            return self.service.leave(1 - self.version)
        return None

    def _start_another(self) -> Process:
        law = self.script.scenario.service.startup
        yield from self._then_pause(self.script._start(self.version, law, True, 0.0))

    def _reinstall(self, instance: Instance) -> Process:
        law = self.script.scenario.service.install
        drained, drifts = instance.drained_at, self.script._drifts(self.version)
        start = self.script._start(self.version, law, True, drained, drifts)
        ready = yield from self._then_pause(start)
        if not ready:
            self.script.out.append(instance)

    def _then_pause(self, start: Start) -> Start:
        ready = yield from start
        if ready and self.slot_pause:
            self.pausing += 1
            with suppress(simpy.Interrupt):
                yield self.env.timeout(self.slot_pause)
            self.pausing -= 1
        return ready
