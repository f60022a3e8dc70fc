"""The request-level model's queue: every message waits for its turn, and is as old as it is.

Part of `request_level`: plain SimPy, nothing is a fluid.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import simpy

from simulator.play.request_level_limits import LimitedService
from simulator.play.request_level_service import NEW, OLD, Process

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario


class Message(NamedTuple):
    """A message of a user: when it came (seconds), how often it has failed, and whether the
    deployment had a part in that.
    """

    user: int
    came: float
    failed: int = 0
    spoilt: bool = False


class QueueService(LimitedService):
    """Consumers that pull one message after the other, the oldest first, as fast as they can.

    Whoever is in service pulls: an instance at random does the next message. One that fails is
    pulled again at once, `retries` times.
    """

    _wake: simpy.Event | None = None

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        super().__init__(env, rng, scenario, sticky)
        self._queue = deque[Message]()
        self._deadline = scenario.traffic.deadline or 0.0
        env.process(self._work())

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._queue)

    def refresh(self) -> None:
        """Note what was, and let whoever serves now go on."""
        super().refresh()
        self._go_on()

    def _go_on(self) -> None:
        if self._wake is not None and not self._wake.triggered:
            self._wake.succeed()

    def _arrive(self, rate: float) -> None:
        """A message comes, and waits."""
        self._queue.append(Message(int(self.rng.random() * self.users), self.env.now))
        self._go_on()

    def _pulling(self) -> tuple[float, float]:
        """Messages/s that instances of (old, new) can do, of those that pull."""
        old, new = self.capacity
        if self.pool or 0 < self.set_weight < 1:
            return old, new
        return (0.0, new) if self.set_weight else (old, 0.0)

    def _usual_tries(self) -> float:
        """Tries of a message with nothing deployed: capacity is messages/s with these in it."""
        usual = min(self.noise + self.incident, 1.0)
        return sum(usual**power for power in range(self.scenario.traffic.retries + 1))

    def _work(self) -> Process:
        while True:
            carried = sum(self._pulling())
            if not self._queue or not carried:
                self._wake = self.env.event()
                yield self._wake
                continue
            yield self.env.timeout(1 / (carried * self._usual_tries()))
            if sum(self._pulling()) and self._queue:
                self._do(self._queue.popleft())

    def _do(self, one: Message) -> None:
        """A message is done now: by whom, whether well, and whether in time."""
        numbers = [len(group) for group in self.serving]
        if not self.pool and not 0 < self.set_weight < 1:
            numbers[OLD if self.set_weight else NEW] = 0
        version = NEW if self.rng.random() * sum(numbers) < numbers[NEW] else OLD
        if version == NEW and not one.failed and self.defect.kind != "none":
            self.exposed += 1
        fate = self._fate(version, one.user, 0.0)
        if fate == "fine" and self.env.now - one.came > self._deadline:
            fate = "late"
        self._tell(version, fate)
        spoilt = one.spoilt or fate == "failed"
        if fate in ("error", "failed") and one.failed < self.scenario.traffic.retries:
            self._queue.appendleft(one._replace(failed=one.failed + 1, spoilt=spoilt))
        elif fate in ("late", "corrupt", "failed") or (fate == "error" and spoilt):
            self._harm(one.user, "failed" if fate == "error" else fate)

    def _overloaded(self, version: int, rate: float) -> str:
        """What comes waits; nothing is too much."""
        return ""
