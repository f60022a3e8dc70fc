"""Clients of the request-level model: who holds an answer, a DNS record, and who is busy when.

Part of `request_level`: every client resolves again at moments of its own, every cached answer has
an age of its own; nothing is integrated.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import simpy

from simulator.play.request_level_traffic import INSTANT
from simulator.words.clock import DAY, clock_seconds
from simulator.words.distributions import Constant

if TYPE_CHECKING:
    from simulator.play.request_level_service import Instance
    from simulator.words.router import Dns
    from simulator.words.service import Cell
    from simulator.words.traffic import Daily


def bucket(user: int, users: int, audience: int, rng: Random, sticky: bool) -> float:
    """Where in [0, 1) a request of this user falls: below the weight it goes to the new version.

    Sticky users stay where they are; the first ones, the audience, are always among the first.
    """
    if sticky:
        return (user + 0.5) / users
    first = audience / users
    return 0.0 if user < audience else first + (1.0 - first) * rng.random()


class History:
    """What was published when: the value in force at any moment since the beginning."""

    def __init__(self, value: float) -> None:
        self._times: list[float] = [float("-inf")]
        self._values: list[float] = [value]

    def note(self, now: float, value: float) -> None:
        """From now on it is this value."""
        if value != self._values[-1]:
            self._times.append(now)
            self._values.append(value)

    def at(self, when: float) -> float:
        """The value in force at that moment, seconds."""
        return self._values[bisect_right(self._times, when) - 1]


class Resolvers:
    """One cached answer per user, renewed when it expires.

    Most renew it each time to live, at a phase of their own. A share `ignore` keeps it for an
    exponential time, or (a fixed hold) answers with what was published that long ago.
    """

    def __init__(self, dns: Dns, users: int, rng: Random) -> None:
        self.dns, self.rng = dns, rng
        self.published = History(0.0)
        self.slow = [rng.random() < dns.ignore for _ in range(users)]
        self.phases = [rng.random() * dns.ttl for _ in range(users)]
        self.hold = hold = dns.ignore_for.mean()
        self.fixed = isinstance(dns.ignore_for, Constant)
        self.resolved = [0.0] * users
        self.expires = [rng.expovariate(1 / hold) if hold else 0.0 for _ in range(users)]

    def weight(self, user: int, now: float) -> float:
        """The weight that this user's answer was drawn with."""
        if not self.slow[user]:
            return self.published.at(now - (now - self.phases[user]) % self.dns.ttl)
        if self.fixed:
            return self.published.at(now - self.hold)
        while self.expires[user] <= now:
            self.resolved[user] = self.expires[user]
            self.expires[user] += self.rng.expovariate(1 / self.hold)
        return self.published.at(self.resolved[user])

    def share(self, now: float) -> float:
        """The mean weight over all users."""
        users = len(self.slow)
        return sum(self.weight(user, now) for user in range(users)) / users


class BusyHours:
    """Cells whose users are busy at different hours; users are numbered cell by cell, in the order
    of the file.
    """

    def __init__(self, cells: Sequence[Cell], daily: Daily, began: float) -> None:
        self.shares = [cell.share for cell in cells]
        self.peaks = [clock_seconds(cell.peak_at or daily.peak_at) for cell in cells]
        self.daily, self.began = daily, began

    def rates(self, t: float) -> list[float]:
        """Requests/s of each cell, t seconds after the start."""
        daily, found = self.daily, []
        for share, peak in zip(self.shares, self.peaks, strict=True):
            wave = math.cos(2 * math.pi * (t + self.began - peak) / DAY)
            found.append(share * (daily.mean + (daily.peak - daily.mean) * wave))
        return found

    def user(self, t: float, users: int, rng: Random) -> int:
        """Who sends a request at t: a cell by its rate, then anybody in it."""
        rates = self.rates(t)
        cell = rng.choices(range(len(rates)), rates)[0]
        bucket = sum(self.shares[:cell]) + self.shares[cell] * rng.random()
        return min(int(bucket * users), users - 1)


class Connected:
    """One long connection per user, to one instance; a new one is begun whenever it ends.

    It lasts exponentially, `mean` seconds, or until the instance is gone; `pick` chooses the
    instance of a new one, and `closing` instances that leave still have some.
    """

    def __init__(
        self,
        env: simpy.Environment,
        mean: float,
        users: int,
        rng: Random,
        pick: Callable[[int], Instance],
    ) -> None:
        self._env, self._mean, self._rng, self._pick = env, mean, rng, pick
        self.to = [pick(user) for user in range(users)]
        self.closing = 0
        for user in range(users):
            env.process(self._live(user))

    def _live(self, user: int) -> Generator[simpy.Event, Any, None]:
        while True:
            yield self._env.timeout(self._rng.expovariate(1 / self._mean))
            self.to[user] = self._pick(user)

    def cut(self, instance: Instance, drain: float) -> None:
        """This instance leaves: what is still open after `drain` seconds begins anew elsewhere."""
        self._env.process(self._cut(instance, drain))

    def _cut(self, instance: Instance, drain: float) -> Generator[simpy.Event, Any, None]:
        self.closing += 1
        yield self._env.timeout(drain + INSTANT)
        self.closing -= 1
        for user, to in enumerate(self.to):
            if to is instance:
                self.to[user] = self._pick(user)
