"""Verbs of the controllers of real platforms: what they wait for, and when they give up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from simulator.play.flags import HiddenVerbs
from simulator.play.fleet import NEW, OLD, StartLaw
from simulator.play.pool import Rules
from simulator.play.respond import delay_to_decision
from simulator.play.verbs import Script

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

PROGRESS, BREAKER = "progress deadline", "circuit breaker"


class ControllerVerbs(HiddenVerbs):
    """Verbs of controllers that replace instances by rules of their own.

    `progress_deadline` is how long nothing may happen in a rolling update until its controller
    says so (seconds); `breaker` counts starts that failed.
    """

    progress_deadline: float = math.inf
    breaker: Breaker | None = None
    decided_at: float
    caught_by: str

    def expect_progress(self, deadline: float) -> Script:
        """From now on say so when nothing has happened in a rolling update for so long (seconds).

        The controller goes on. A person is called; one who still finds that nothing moves rolls
        back.
        """
        yield from self._gate()
        self.progress_deadline = deadline

    def _expect(self, when: float) -> None:
        now, deadline = self.env.now, self.progress_deadline
        if when - now > deadline:
            self.at(now + deadline, lambda: self._without_progress(when))

    def _without_progress(self, until: float) -> None:
        if self.decided_at == self.decided_at:
            return
        self.note("no progress", self.progress_deadline)
        looking = delay_to_decision(cast("Rollout", self), PROGRESS)
        if self.watching and until > self.env.now + looking:
            self.abort(PROGRESS)

    def break_circuit(self, failures: int, reset: bool) -> Script:
        """From now on stop the deployment at this many failed starts, of all that are under way.

        With `reset` an instance that comes into service sets the count back to 0.
        """
        yield from self._gate()
        self.breaker = Breaker(failures, reset)

    def _forever(self) -> Script:
        if self.breaker is not None and self.watching and self.fleet.starting:
            yield self.env.event()  # one failure after the other: the breaker will have its say
        yield from super()._forever()

    def _start_one(self, rules: Rules, law: StartLaw, drained: bool) -> float:
        end = super()._start_one(rules, law, drained)
        if self.breaker is not None and rules.version == NEW:
            self._follow_tries(self.breaker, self.env.now, end, law.timeout)
        return end

    def _follow_tries(self, breaker: Breaker, start: float, end: float, timeout: float) -> None:
        """One try begins at `start`; the instance will be in service at `end` (seconds)."""

        def failed() -> None:
            """The try is over without success; the next begins."""
            if self.caught_by or not self.watching:
                return
            breaker.count += 1
            if breaker.count >= breaker.failures:
                self.abort(BREAKER)
                self.holding = True
                return
            self._follow_tries(breaker, start + timeout, end, timeout)

        if start + timeout < end:
            self.at(start + timeout, failed)
        elif breaker.reset:
            self.at(end, breaker.forget)

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
        fleet, env = self.fleet, self.env
        missing = fleet.size - fleet.up[version]
        self._join_pool()
        if not missing:
            return
        self.note("recreate", (version, missing))
        self.announced = True
        yield from self._retire(1 - version, fleet.up[1 - version])
        if version == NEW:
            yield from self._before_traffic(stopped=True)
            self._fill_cache(env.now)
        fleet.request(missing, env.now)
        law = self._law(version)
        slowest = self._draw_start(version, law, missing, False)
        if slowest == math.inf:
            self._expect(math.inf)
            yield from self._forever()
        yield from self._joining(version, law, missing, slowest)
        self.announced = False
        if version == NEW:
            self.last_watch = env.now


class Breaker:
    """Failed starts so far against the number at which a deployment has failed."""

    __slots__ = ("count", "failures", "reset")

    def __init__(self, failures: int, reset: bool) -> None:
        self.failures, self.reset = failures, reset
        self.count = 0

    def forget(self) -> None:
        """An instance is in service: count anew."""
        self.count = 0
