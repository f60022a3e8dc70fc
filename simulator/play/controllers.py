"""Verbs of the controllers of real platforms: what they wait for, and when they give up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from simulator.play.flags import HiddenVerbs
from simulator.play.fleet import NEW, OLD
from simulator.play.respond import delay_to_decision
from simulator.play.verbs import Script

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

PROGRESS = "progress deadline"


class ControllerVerbs(HiddenVerbs):
    """Verbs of controllers that replace instances by rules of their own.

    `progress_deadline` is how long nothing may happen in a rolling update until its controller
    says so (seconds).
    """

    progress_deadline: float = math.inf
    decided_at: float

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
