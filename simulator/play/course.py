"""The course of a weight that clients follow with a lag: a sum of responses to its changes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.words.distributions import Constant

if TYPE_CHECKING:
    from simulator.words.router import Dns

Array = NDArray[np.float64]

_MINUTE: Final = 60.0
_SETTLED: Final = 1e-9
_POINTS: Final = 33
_ROUNDS: Final = 12
_LONG_AGO: Final = 1e6
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def _late(x: Any, mean: float) -> Any:
    """The share of exponential times below x: 1 - e^(-x / mean)."""
    return -np.expm1(-np.maximum(x, 0.0) / mean)


def _late_twice(x: Any, first: float, second: float) -> Any:
    """The share of sums of two exponential times of these means below x."""
    x = np.maximum(x, 0.0)
    d = (first - second) / (first * second)
    both = -np.expm1(-x * d) / d if d else x
    return -np.expm1(-x / first) - np.exp(-x / first) * both / first


def _even_and_late(x: Any, ttl: float, mean: float) -> Any:
    """The share of sums of an even time of at most `ttl` and an exponential one below x."""
    x = np.maximum(x, 0.0)
    inside = np.minimum(x, ttl)
    rest = np.exp(-(x - inside) / mean) - np.exp(-x / mean)
    return inside / ttl - mean / ttl * rest


class AtOnce:
    """A change that is in effect everywhere at once; the simplest response."""

    __slots__ = ()
    lasts = 0.0

    @property
    def without(self) -> AtOnce | None:
        """The same response of clients that keep to nothing; None if nothing is left of it."""
        return self

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return _MINUTE

    def share(self, x: Array) -> Array:
        """The share of the clients that have followed x seconds after a change."""
        return np.where(x >= 0, 1.0, 0.0)

    def over(self, x: float) -> bool:
        """Whether that share is exactly 1 from x seconds after a change on."""
        return x >= self.lasts

    def area(self, x: Array) -> Array:
        """The integral of that share from the change on, seconds."""
        return np.maximum(x, 0.0)

    def kept(self, x: Array, mean: float) -> Array:
        """The share that has followed x seconds after a change when each keeps to what it has for
        an exponential time more, of this mean (seconds).
        """
        followed: Array = _late(x, mean)
        return followed

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return (0.0,)


class Answers(AtOnce):
    """Clients that follow as their cached DNS answers expire.

    With v the share that ignores the time to live T, x seconds after a change
    (1 - v) min(x / T, 1) + v (1 - e^(-x / tau)) of them have followed, tau the mean of their
    exponential delay; with a fixed delay h the last term is v for x >= h. It `lasts` until all
    but 1e-9 have.
    """

    __slots__ = ("fixed", "ignore", "lasts", "ttl", "wait")

    def __init__(self, dns: Dns) -> None:
        self.ttl, self.ignore = dns.ttl, dns.ignore
        self.fixed = isinstance(dns.ignore_for, Constant)
        self.wait = dns.ignore_for.mean()
        slow = 0.0
        if self.ignore > 0:
            tail = 1.0 if self.fixed else max(math.log(self.ignore / _SETTLED), 0.0)
            slow = self.wait * tail
        self.lasts = max(self.ttl, slow)

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return min(_MINUTE, self.ttl / 10) if x < self.ttl else max(_MINUTE, self.wait / 10)

    def share(self, x: Array) -> Array:
        """The share of the clients that have followed x seconds after a change."""
        x = np.maximum(x, 0.0)
        prompt = np.minimum(x / self.ttl, 1.0)
        if not self.ignore:
            return prompt
        if self.fixed:
            late: Any = np.where(x >= self.wait, 1.0, 0.0)
        else:
            late = -np.expm1(-x / self.wait)
        followed: Array = (1 - self.ignore) * prompt + self.ignore * late
        return followed

    def over(self, x: float) -> bool:
        """Whether that share is exactly 1 from x seconds after a change on; with a tail never."""
        return not self.ignore and x >= self.lasts

    def area(self, x: Array) -> Array:
        """The integral of that share from the change on, seconds."""
        x = np.maximum(x, 0.0)
        inside = np.minimum(x, self.ttl)
        prompt = inside * inside / (2 * self.ttl) + (x - inside)
        if not self.ignore:
            return prompt
        if self.fixed:
            late: Any = np.maximum(x - self.wait, 0.0)
        else:
            late = x + self.wait * np.expm1(-x / self.wait)
        area: Array = (1 - self.ignore) * prompt + self.ignore * late
        return area

    def kept(self, x: Array, mean: float) -> Array:
        """The same when each keeps to what it has for an exponential time more (seconds)."""
        prompt: Array = _even_and_late(x, self.ttl, mean)
        if not self.ignore:
            return prompt
        late = _late(x - self.wait, mean) if self.fixed else _late_twice(x, self.wait, mean)
        followed: Array = (1 - self.ignore) * prompt + self.ignore * late
        return followed

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return (0.0, self.ttl, self.wait) if self.fixed and self.ignore else (0.0, self.ttl)


class Asking(AtOnce):
    """Clients that ask again every T seconds, each at a moment of its own: min(x / T, 1) of them
    have followed x seconds after a change, T/2 seconds late on average.
    """

    __slots__ = ("lasts",)

    def __init__(self, every: float) -> None:
        self.lasts = every

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return max(self.lasts / 10, 1.0)

    def share(self, x: Array) -> Array:
        """The share of the clients that have followed x seconds after a change."""
        return np.minimum(np.maximum(x / self.lasts, 0.0), 1.0)

    def area(self, x: Array) -> Array:
        """The integral of that share from the change on, seconds."""
        x = np.maximum(x, 0.0)
        inside = np.minimum(x, self.lasts)
        return np.asarray(inside * inside / (2 * self.lasts) + (x - inside))

    def kept(self, x: Array, mean: float) -> Array:
        """The same when each keeps to what it has for an exponential time more (seconds)."""
        followed: Array = _even_and_late(x, self.lasts, mean)
        return followed

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return (0.0, self.lasts)


class Registering(AtOnce):
    """A second group of equal size that registers with a load balancer over T seconds.

    A part u = min(x / T, 1) of its targets takes part x seconds after the change; with `favour` f
    requests to each of them for every one to the others they get the share f u / (1 + f u), which
    is (1 + f) u / (1 + f u) of what they get in the end.
    """

    __slots__ = ("favour", "lasts")

    def __init__(self, lasts: float, favour: float) -> None:
        self.lasts, self.favour = lasts, favour

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return max(self.lasts / 10, 1.0)

    def share(self, x: Array) -> Array:
        """The part of what they get in the end, x seconds after the change."""
        u, f = np.clip(x / self.lasts, 0.0, 1.0), self.favour
        part: Array = (1 + f) * u / (1 + f * u)
        return part

    def area(self, x: Array) -> Array:
        """The integral of that part from the change on, seconds.

        Up to T it is T (1 + f) (u - ln(1 + f u) / f) / f.
        """
        x = np.maximum(x, 0.0)
        u, f = np.minimum(x / self.lasts, 1.0), self.favour
        area: Array = self.lasts * (1 + f) * (u - np.log1p(f * u) / f) / f
        return area + np.maximum(x - self.lasts, 0.0)

    def kept(self, x: Array, mean: float) -> Array:
        """The same when each keeps to what it has for an exponential time more (seconds).

        By quadrature of the density (1 + f) / (T (1 + f s / T)^2) at s seconds.
        """
        x = np.maximum(np.asarray(x, dtype=float), 0.0)[..., None]
        half, f = np.minimum(x, self.lasts) / 2, self.favour
        s = half * (1 + _NODES)
        density = (1 + f) / (self.lasts * (1 + f * s / self.lasts) ** 2)
        followed: Array = np.sum(half * _WEIGHTS * density * _late(x - s, mean), axis=-1)
        return followed

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return (0.0, self.lasts)


class Overtaken(AtOnce):
    """A response that another change has put an end to, `lasts` seconds after its own: from then on
    all have followed.
    """

    __slots__ = ("_how", "lasts")

    def __init__(self, how: AtOnce, lasts: float) -> None:
        self._how, self.lasts = how, lasts

    def share(self, x: Array) -> Array:
        """The share that has followed x seconds after the change."""
        return np.where(x < self.lasts, self._how.share(x), 1.0)

    def area(self, x: Array) -> Array:
        """The integral of that share from the change on, seconds."""
        inside = self._how.area(np.minimum(x, self.lasts))
        return np.asarray(inside + np.maximum(x - self.lasts, 0.0))

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return (*(x for x in self._how.bends() if x < self.lasts), self.lasts)


class Course:
    """A share as the sum of the responses to all changes so far.

    `change` adds one; `at` and `trailing` (the mean over a window that ends there) take and return
    arrays. A response is linear in the published weight, so that every sequence of changes,
    partial ones and a way back during an unfinished drain, is a sum. `response` is that of changes
    that do not bring their own.
    """

    __slots__ = ("_changes", "_end", "_last", "final", "response")

    def __init__(self, response: AtOnce) -> None:
        self.response = response
        self._changes: list[tuple[float, float, AtOnce]] = []
        self.final = 0.0
        self._last, self._end = -math.inf, -math.inf

    def change(self, now: float, weight: float, response: AtOnce | None = None) -> None:
        """From now on this weight is what clients are told.

        A change that is in effect at once leaves nobody who still follows another one.
        """
        response = response or self.response
        if not response.lasts and now < self._end:
            self._overtake(now)
        if weight != self.final:
            self._changes.append((now, weight - self.final, response))
            self.final, self._last = weight, now
            self._end = max(self._end, now + response.lasts)

    def _overtake(self, now: float) -> None:
        self._changes = [
            (when, by, how if when + how.lasts <= now else Overtaken(how, now - when))
            for when, by, how in self._changes
        ]
        self._end = now

    def scale(self, now: float) -> float:
        """Seconds in which the share changes by about a tenth of what it still has to change."""
        response = self._changes[-1][2] if self._changes else self.response
        return response.scale(now - self._last)

    def moving(self, now: float, window: float = 0.0) -> bool:
        """Whether clients (or answers kept for `window` seconds) still follow a change."""
        return now < self.settled(window)

    def settled(self, window: float = 0.0) -> float:
        """When all have followed, seconds."""
        return self._end + window

    def at(self, t: Any) -> Any:
        """The share in effect at t seconds."""
        first = float(t.min())
        total = sum(
            (
                by if how.over(first - when) else by * how.share(t - when)
                for when, by, how in self._changes
            ),
            0.0 * t,
        )
        return np.minimum(np.maximum(total, 0.0), 1.0)

    def trailing(self, t: Any, window: float) -> Any:
        """The mean share over the last `window` seconds before t."""
        total = sum(
            (
                by * (how.area(t - when) - how.area(t - window - when))
                for when, by, how in self._changes
            ),
            0.0 * t,
        )
        return np.clip(total / window, 0.0, 1.0)

    def rest(self, now: float) -> float:
        """The integral of the share from now on, once the last change is to nobody, seconds."""
        end = np.array([self.settled()])
        begin = np.array([now])
        rest = [
            by * (how.area(end - when) - how.area(begin - when)) for when, by, how in self._changes
        ]
        return float(np.sum(rest))

    def restart(self, now: float, weight: float, by: float = 0.0) -> None:
        """From now on this weight is what clients are told, and what went before is forgotten.

        The share that has followed by now, and `by` more of all, is where it begins: right where
        the response is exponential, which has no memory.
        """
        begin = min(max(float(self.at(np.array([now]))[0]) + by, 0.0), 1.0)
        if abs(begin - weight) < _SETTLED:
            begin = weight
        self._changes = [(now - _LONG_AGO, begin, AtOnce())] if begin else []
        self.final, self._end = begin, -math.inf
        self.change(now, weight)

    def jump(self, now: float, by: float, fading: AtOnce) -> None:
        """This part of the share changes now, and fades again as the response says."""
        self._changes.append((now, by, fading))
        self._end = max(self._end, now + fading.lasts)

    def let_go(self) -> None:
        """Nobody keeps to what he had: clients follow as they would without that."""
        plain = [(when, by, how.without) for when, by, how in self._changes]
        self._changes = [(when, by, how) for when, by, how in plain if how is not None]
        ends = [when + how.lasts for when, _, how in self._changes if how.lasts]
        self._end = max(ends, default=-math.inf)

    def settle(self) -> None:
        """All have followed, as if they had in no time."""
        self._changes = [(-1e12, self.final, self.response)] if self.final else []
        self._last = self._end = -math.inf

    def bends(self, a: float, b: float, window: float = 0.0) -> list[float]:
        """The moments in (a, b) at which the course, or its trailing mean, is not smooth."""
        windows = (0.0, window) if window else (0.0,)
        found = {
            when + offset + extra
            for when, _, how in self._changes
            for offset in how.bends()
            for extra in windows
        }
        return sorted(t for t in found if a < t < b)

    def crosses(self, levels: tuple[float, ...], now: float, until: float = math.inf) -> float:
        """The first moment after now at which the share passes one of these levels, seconds."""
        until = min(until, self.settled())
        edges = [now, *self.bends(now, until), until]
        for a, b in pairwise(edges):
            grid = np.linspace(a, b, _POINTS)
            grid[0] += 1e-6
            shares = self.at(grid)
            turns = [
                index
                for level in levels
                for index in np.flatnonzero(np.diff(shares >= level))[:1].tolist()
            ]
            if not turns:
                continue
            first = min(turns)
            return min(
                self._pass(level, grid[first], grid[first + 1])
                for level in levels
                if (shares[first] >= level) != (shares[first + 1] >= level)
            )
        return math.inf

    def _pass(self, level: float, a: float, b: float) -> float:
        above = bool(self.at(np.array([a]))[0] >= level)
        for _ in range(_ROUNDS):  # each time 32 times as close
            grid = np.linspace(a, b, _POINTS)
            same = (self.at(grid[1:-1]) >= level) == above
            before = len(same) if same.all() else int(np.argmin(same))
            a, b = float(grid[before]), float(grid[before + 1])
            if (a + b) / 2 in (a, b):
                break
        return b

    def below(self, level: float, now: float) -> float:
        """From when on the share stays below a level, if nothing is changed any more, seconds."""
        last = self.settled()
        edges = [now, *self.bends(now, last), last] if last > now else [now]
        for a, b in pairwise(reversed(edges)):
            grid = np.linspace(b, a, _POINTS)
            above = np.flatnonzero(self.at(grid) >= level)
            if len(above):
                index = int(above[-1])
                if index == _POINTS - 1:
                    return a
                return self._pass(level, float(grid[index]), float(grid[index + 1]))
        return now
