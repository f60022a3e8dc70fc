"""Trouble that is not the change: incidents, instances and zones that fail, a tool that stalls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from simulator.play.fleet import NEW, OLD, Failed
from simulator.play.luck import Luck, Purpose
from simulator.words.distributions import Constant

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.failures import Breakdown

_MOST_EVENTS: Final = 30
_MANY_DOWN: Final = 10.0  # of a normal law with this mean hardly anything lies below none
_MOST: Final = 10_000


def gaps(words: Breakdown, luck: Luck, purpose: int, many: float = 1.0) -> Iterator[float]:
    """Times between failures of `many` alike, seconds; a plain mtbf is the mean of an exponential.

    Many that fail by themselves are together a Poisson process (Palm and Khinchin).
    """
    for index in range(_MOST):
        uniform = luck.uniform(purpose, index)
        if isinstance(words.mtbf, Constant) or many > 1:
            yield -words.mtbf.mean() / many * math.log(uniform)
        else:
            yield words.mtbf.sample(uniform)


def bring_trouble(rollout: Rollout) -> None:
    """Have everything fail that fails by itself during this replication."""
    failures = rollout.plan.scenario.failures
    _incidents(rollout)
    if failures.instance is not None and not rollout.plan.elastic:
        _instances(rollout, failures.instance)
    if failures.zone is not None:
        _zones(rollout, failures.zone)


def _incidents(rollout: Rollout) -> None:
    """Unrelated incidents hit both versions alike: a Poisson process from t = 0 on."""
    words = rollout.plan.scenario.service.incidents
    if words is None:
        return
    luck, start, index = rollout.luck, 0.0, 0
    while index <= _MOST:
        start -= words.every * math.log(luck.uniform(Purpose.INCIDENT_GAP, index))
        if start > rollout.plan.limit:
            return
        length = words.lasts.sample(luck.uniform(Purpose.INCIDENT_LENGTH, index))
        rollout.at(start, _change_incident(rollout, words.errors))
        rollout.at(start + length, _change_incident(rollout, -words.errors))
        index += 1


def _change_incident(rollout: Rollout, by: float) -> Callable[[], None]:
    def change() -> None:
        left = rollout.incident + by
        rollout.incident = left if left > 1e-12 else 0.0
        rollout.situation.incident = rollout.incident
        rollout.router.changed = True

    return change


def _instances(rollout: Rollout, words: Breakdown) -> None:
    """Instances fail one by one; where that is too often to follow, a constant number is down."""
    size, luck, limit = rollout.plan.size, rollout.luck, rollout.plan.limit
    mean, repair = words.mtbf.mean(), words.repair
    chance, often = repair.mean() / (mean + repair.mean()), size * limit / mean > _MOST_EVENTS
    if often and size * chance >= _MANY_DOWN:
        down = size * chance
        spread = math.sqrt(down) * NormalDist().inv_cdf(luck.uniform(Purpose.FAILURE_VERSION))
        rollout.fleet.worn = min(max(down + spread, 0.0), size) / size
        return

    def fail(index: int) -> None:
        """One that happens to be hit fails, or they are followed no longer."""
        which = luck.uniform(Purpose.FAILURE_VERSION, index)
        if often and index == _MOST_EVENTS:
            rollout.fleet.wear(_successes(size, chance, which))
            return
        _break_one(rollout, which, repair.sample(luck.uniform(Purpose.FAILURE_REPAIR, index)))

    waits = gaps(words, luck, Purpose.FAILURE_GAP, size)
    _one_after_the_other(rollout, islice(waits, _MOST_EVENTS + 1) if often else waits, fail)


def _successes(tries: int, chance: float, luck: float) -> int:
    """A binomial number, by inverse transform of a uniform one."""
    found, term = 0, (1.0 - chance) ** tries
    below = term
    while luck > below and found < tries:
        term *= (tries - found) / (found + 1) * chance / (1.0 - chance)
        found += 1
        below += term
    return found


def _one_after_the_other(
    rollout: Rollout, waits: Iterator[float], happen: Callable[[int], None], index: int = 0
) -> None:
    """Let something happen again and again; the next is put on the calendar when one is over."""
    when = rollout.now + next(waits, math.inf)

    def once() -> None:
        """It happens now, and the next one is awaited."""
        happen(index)
        _one_after_the_other(rollout, waits, happen, index + 1)

    if when <= rollout.plan.limit:
        rollout.at(when, once)


def _break_one(rollout: Rollout, chance: float, length: float) -> None:
    """One of those in service carries nothing until it is mended, `length` seconds later.

    Where fewer are in service than with nothing deployed, the place that is hit may be empty.
    """
    fleet = rollout.fleet
    old, new = fleet.healthy(OLD), fleet.healthy(NEW)
    place = chance * max(old + new, fleet.size - fleet.down)
    if fleet.down >= fleet.size:
        return
    failed: Failed | None = None
    if place < new:
        failed = fleet.fail(NEW, int(place))
    elif place < old + new:
        failed = fleet.fail(OLD, int(place) - new)
    fleet.down += 1
    fleet.changed = True
    if failed is not None:
        rollout.note("instance fails", failed.version)

    def mend() -> None:
        """It carries its part again, unless it has been replaced."""
        if not fleet.down:
            return
        fleet.down -= 1
        if failed in fleet.broken:
            fleet.broken.remove(failed)
        fleet.changed = True

    rollout.at(rollout.now + length, mend)


def _zones(rollout: Rollout, words: Breakdown) -> None:
    """Each zone is lost now and then, with its part of both versions."""
    zones = rollout.plan.scenario.service.zones or 1
    luck = rollout.luck

    def lose(index: int) -> None:
        """One zone goes dark, and comes back."""
        length = words.repair.sample(luck.uniform(Purpose.ZONE_REPAIR, index))
        _light(rollout, -1.0 / zones, "zone lost")
        rollout.at(rollout.now + length, lambda: _light(rollout, 1.0 / zones, "zone back"))

    _one_after_the_other(rollout, gaps(words, luck, Purpose.ZONE_GAP, zones), lose)


def _light(rollout: Rollout, by: float, what: str) -> None:
    """So much of the zones is lost, or comes back."""
    rollout.dim += by
    rollout.fleet.lit = min(max(1.0 + rollout.dim, 0.0), 1.0)
    if rollout.fleet.lit > 1.0 - 1e-9:
        rollout.fleet.lit = 1.0
    rollout.fleet.changed = True
    rollout.note(what)


class Stalls:
    """When the tool that rolls out stalls, and until when: drawn as far as they are needed."""

    __slots__ = ("_gaps", "_index", "_luck", "_words", "end", "start")

    def __init__(self, words: Breakdown, luck: Luck) -> None:
        self._words, self._luck = words, luck
        self._gaps = gaps(words, luck, Purpose.STALL_GAP)
        self._index = 0
        self.start = self.end = 0.0
        self._next()

    def _next(self) -> None:
        self.start = self.end + next(self._gaps, math.inf)
        uniform = self._luck.uniform(Purpose.STALL_REPAIR, self._index)
        self.end = self.start + self._words.repair.sample(uniform)
        self._index += 1

    def until(self, now: float) -> float:
        """The moment from which a step can begin: now, or the end of the stall, seconds."""
        while self.end <= now:
            self._next()
        return self.end if self.start <= now else now
