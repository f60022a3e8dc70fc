"""Verbs of blue/green cut-overs: groups that register, grow and shrink, or stand by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.platforms.auto_scaling.rules import scale_in, scale_out, spread
from simulator.play.course import Registering
from simulator.play.fleet import NEW, OLD
from simulator.play.pool import PoolVerbs
from simulator.play.waits import Script
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.words.cutover import SwapGroup

_ALL: Final = Portion.parse("100%")


class CutoverVerbs(PoolVerbs):
    """Verbs that move traffic by who takes part, not by weights alone.

    `standing_by` old instances are paid for but take no traffic, `beside` instances of other
    layers are held as long as the release lasts.
    """

    standing_by: int
    beside: int

    def set_up(self, seconds: float) -> Script:
        """Wait until an environment is created, or recipes have run."""
        yield from self._gate()
        if seconds > 0:
            self.note("set up", seconds)
            yield self.env.timeout(seconds)

    def hold_more(self, count: Portion) -> Script:
        """Hold instances of other layers too, until the release is over."""
        yield from self._gate()
        self.beside = count.of(self.fleet.size)
        self.fleet.ask(self.beside, self.now)

    def rebuild_old(self, create: float, others: Portion, recipes: float) -> Script:
        """Build the old version's environment or stack again where it is gone: as long as at first.

        It takes `create` seconds, a start, and `recipes` seconds, with instances of other layers.
        """
        if self.fleet.up[OLD] >= self.fleet.size:
            return
        yield from self.set_up(create)
        if not self.beside:
            yield from self.hold_more(others)
        yield from self.provision(1.0, OLD)
        yield from self.set_up(recipes)

    def register(self, group: SwapGroup) -> Script:
        """Register green beside blue: each instance serves after one passed check.

        The checks fall at any moment of their interval, so that the part of the group that takes
        part grows evenly; with a slow start it goes on growing.
        """
        yield from self._gate()
        yield from self._before_traffic()
        favour = self._favour(group)
        weight = self.base + favour / (1 + favour) * self.span
        self.phase = "registration"
        self.note("register", (NEW, self.fleet.up[NEW]))
        self.note("shift", weight)
        now = self.now
        self.router.register(weight, now, Registering(group.check + group.slow_start, favour))
        self._fill_cache(now)
        yield self.env.timeout(group.check)

    def register_again(self, group: SwapGroup) -> Script:
        """Bring blue back from standby: it registers beside green, which leaves afterwards."""
        blue = self.fleet.up[OLD]
        if not blue or self.router.weight < self.base + self.span:
            return
        favour = self._favour(group)
        weight = self.base + favour / (1 + favour) * self.span
        self.note("register", (OLD, blue))
        self.router.register(
            weight, self.now, Registering(group.check + group.slow_start, 1 / favour)
        )
        yield self.env.timeout(group.check)

    def _favour(self, group: SwapGroup) -> float:
        """Requests to a new instance for each to an old one.

        With as many under way at every target, in inverse proportion to the time of a request.
        """
        if group.algorithm == "round_robin":
            return 1.0
        fault = self.situation.fault
        failing = fault.users * fault.fail
        return 1 / (fault.factor * (1 - failing * (1 - group.failing_takes)))

    def grow_and_shrink(self, skew: Portion, standby: bool) -> Script:
        """Start as many new instances as are old, which join at once; then the old ones leave.

        Without standby the group chooses who leaves: it repeats until no old one is left.
        """
        fleet, drain = self.fleet, self.plan.scenario.service.drain
        if standby:
            yield from self.enter(_ALL)
            yield from self._gate()
            self.standing_by = fleet.up[OLD]
            self.note("stand by", self.standing_by)
            self.lose_sessions(OLD, self.standing_by, True)
            fleet.leave(OLD, self.standing_by)
            return
        zones = self.plan.scenario.service.zones or 1
        old = spread(fleet.size, zones, skew.of(fleet.size))
        new: tuple[int, ...] = (0,) * zones
        while fleet.up[OLD]:
            yield from self.enter(_ALL)
            yield from self._gate()
            new = scale_out(old, new, fleet.up[NEW] - sum(new))
            old, new = scale_in(old, new, fleet.up[OLD])
            gone = fleet.up[OLD] - sum(old), fleet.up[NEW] - sum(new)
            self.note("shrink", gone)
            for version in (OLD, NEW):
                self._drain(version, gone[version])
            yield self.env.timeout(drain)

    def leave_standby(self, check: float) -> Script:
        """Bring the old instances back from standby: each serves after one passed check."""
        count, fleet = self.standing_by, self.fleet
        if count:
            self.note("register", (OLD, count))
            yield self.env.timeout(check)
            self.standing_by = 0
            fleet.join(OLD, count, self.now)

    def keep_old(self, seconds: float) -> Script:
        """Keep the old version's instances for this long (times the pace), if any are left."""
        if self.fleet.up[OLD] or self.standing_by:
            yield from super().keep_old(seconds)

    def retire_old(self) -> Script:
        """Take the old version's instances of this part out of service and give them back."""
        yield from super().retire_old()
        if self.standing_by:
            self.note("retire", (OLD, self.standing_by))
            self.fleet.ask(-self.standing_by, self.now)
            self.standing_by = 0
        self._give_back_others()

    def return_to_old(self, keep_new: float = 0.0) -> Script:
        """Roll back by weight: bring back what is missing of old, weight 0, retire new."""
        yield from super().return_to_old(keep_new)
        self._give_back_others()

    def _give_back_others(self) -> None:
        """Instances of other layers are given back with the stack that they belong to."""
        self.fleet.ask(-self.beside, self.now)
        self.beside = 0
