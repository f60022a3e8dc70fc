"""Users: who has met something bad, and when enough of them will have said so."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.tides import Tides
    from simulator.words.detection import People
    from simulator.words.distributions import Distribution


LAG: Final = 0.25  # seconds
_MOST: Final = 255
_FAINT: Final = 1e-12
_NEARLY_ALL: Final = 5.0
_NEAR: Final = 0.05  # seconds
_EXACT: Final = 1e-9  # of a span
_PATIENCE: Final = 4
_FINE: Final = 4096
_RARE: Final = 1e-9
_AT_ONCE: Final = 1e-6  # seconds
_INSTANT: Final = 1e-3  # seconds; what is lost at once has no slope of its own
_new: Final = tuple.__new__  # a named tuple at half the cost of calling its class
LEAST: Final = 1e-300
Pair = tuple[float, float]
Added = list[tuple[list[float], float, float]]


class Rise(NamedTuple):
    """The share of users who met something unannounced rises `before` to `after` in a span.

    `at` gives it in between, `course` at `steps` equal distances, from `table`: for each class of
    users its width, the hazards and the part before, and the hazards that are added.
    """

    start: float
    end: float
    before: float
    after: float
    steps: int
    table: list[list[float]]
    reach: float

    def course(self) -> list[float]:
        """The share at the beginning, after each step but the last, and at the end."""
        steps = self.steps
        inside = [self.at(step / steps) for step in range(1, steps)]
        return [self.before, *inside, self.after]

    def at(self, part: float) -> float:
        """The share when so much of the span is over; in a single step it rises evenly."""
        if not self.table:
            return self.before + (self.after - self.before) * part
        share, reach = self.before, self.reach
        for width, common, segment, met, more, more_segment in self.table:
            spared = 1.0 - reach + reach * math.exp(-(segment + more_segment * part))
            share += width * (1.0 - math.exp(-(common + more * part)) * spared) - met
        return share


class Users:
    """The share of users harmed, from the hazard each bucket of users has gathered.

    A user's requests are Poisson, so a user who could have met `h` bad requests so far has met one
    with probability 1 - exp(-h). With sticky routing bucket u in [0, 1) is on the new version while
    the weight is above u; buckets between neighbouring weights share one class [low, high, common,
    segment, excused, met]: `met` is its part of the share that met something unannounced. With
    `tides` users of a wave make more or fewer requests than the mean user. Without stickiness there
    is one class. `reach` is the share of users that can meet the defect at all: only they gather
    `segment`. With `reporting` the course of the share is kept in `history`, until nobody is
    `heard` any longer.
    """

    __slots__ = (
        "_reported",
        "classes",
        "heard",
        "history",
        "reach",
        "reporting",
        "sticky",
        "tides",
    )

    def __init__(
        self, sticky: bool, reach: float, reporting: bool = True, tides: Tides | None = None
    ) -> None:
        self.sticky, self.tides = sticky, tides
        self.reporting = self.heard = reporting
        self.reach = reach
        self.classes: list[list[float]] = [[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
        self.history: list[Rise] = []
        self._reported = 0.0
        for edge in tides.edges[1:-1].tolist() if tides is not None else ():
            self._split(edge)

    def add(
        self,
        span: tuple[float, float],
        weight: float,
        old: tuple[float, float],
        new: tuple[float, float],
        excused: bool,
    ) -> None:
        """Add hazards (common, segment) for users on old and on new over span = (from, to)."""
        rows: Added = []
        if self.sticky:
            self._split(weight)
            for row in self.classes:
                common, segment = new if row[1] <= weight else old
                if common or segment:
                    rows.append((row, common, segment))
            if self.tides is not None:
                rows = self._paced(self.tides, span, rows)
        else:
            common = (1 - weight) * old[0] + weight * new[0]
            segment = (1 - weight) * old[1] + weight * new[1]
            if common or segment:
                rows.append((self.classes[0], common, segment))
        if rows:
            self._gather(span, rows, excused)

    def _gather(self, span: tuple[float, float], rows: Added, excused: bool) -> None:
        """Add these hazards, announced or not, and keep the course while somebody may report."""
        if self.reporting and not excused:
            self._report(span, rows)
            return
        for row, common, segment in rows:
            row[4 if excused else 2] += common
            row[3] += 0.0 if excused else segment

    @staticmethod
    def _paced(tides: Tides, span: tuple[float, float], rows: Added) -> Added:
        """The same where users of some waves make more requests in this span than others."""
        pace, ends = tides.pace(*span), tides.edges[1:].tolist()
        each = [(row, pace[bisect_left(ends, row[1] - _FAINT)], c, s) for row, c, s in rows]
        return [(row, part * c, part * s) for row, part, c, s in each]

    def _report(self, span: tuple[float, float], rows: Added) -> None:
        """Add hazards and keep the course, at moments so close that it is straight in between."""
        most = 0.0
        for _, common, segment in rows:
            if common + segment > most:
                most = common + segment
        if most > _NEARLY_ALL * 1.01:
            part = _NEARLY_ALL / most
            turn = span[0] + part * (span[1] - span[0])
            self._report((span[0], turn), [(row, part * c, part * s) for row, c, s in rows])
            rows = [(row, (1 - part) * c, (1 - part) * s) for row, c, s in rows]
            span, most = (turn, span[1]), most - _NEARLY_ALL
        if self.heard:
            self._rise(span, rows, most)
            return
        for row, common, segment in rows:
            row[2] += common
            row[3] += segment

    def _rise(self, span: tuple[float, float], rows: Added, most: float) -> None:
        # Between two steps a line lags behind the course by (hazard a second) (seconds)^2 / 8.
        steps = min(int(math.sqrt(most * (span[1] - span[0]) / (8 * LAG))), _MOST) + 1
        table = []
        if steps > 1:
            table = [
                [row[1] - row[0], row[2], row[3], row[5], common, segment]
                for row, common, segment in rows
            ]
        before, reach, gained = self._reported, self.reach, 0.0
        for row, common, segment in rows:
            row[2] += common
            row[3] += segment
            met = -math.expm1(-row[2])
            if row[3]:
                met -= reach * math.exp(-row[2]) * math.expm1(-row[3])
            met *= row[1] - row[0]
            gained += met - row[5]
            row[5] = met
        if gained > 0:
            self._reported = after = before + gained
            self.history.append(_new(Rise, (*span, before, after, steps, table, reach)))

    def copy(self) -> Users:
        """The same users, to look ahead with."""
        other = self._like()
        other.heard = self.heard
        other.classes = [row.copy() for row in self.classes]
        other.history = self.history.copy()
        other._reported = self._reported
        return other

    def _like(self) -> Users:
        """Users of the same kind, of whom nothing is known yet but what is theirs alone."""
        other = Users(self.sticky, self.reach, self.reporting)
        other.tides = self.tides
        return other

    def _split(self, weight: float) -> None:
        for index, row in enumerate(self.classes):
            if row[0] < weight < row[1]:
                rest = (row[1] - weight) / (row[1] - row[0])
                self.classes.insert(index + 1, [weight, *row[1:5], row[5] * rest])
                row[1], row[5] = weight, row[5] * (1 - rest)
                return

    @property
    def reported_so_far(self) -> float:
        """The share of users who met something unannounced, as of the last addition."""
        return self._reported

    def harmed(self) -> float:
        """The share of users with at least one bad request or corrupt write from the deployment."""
        total, reach = 0.0, self.reach
        for low, high, common, segment, excused, _ in self.classes:
            base = common + excused
            if base or segment:
                spared = (1 - reach) * math.exp(-base) + reach * math.exp(-base - segment)
                total += (high - low) * (1 - spared)
        return total


def blend(row: list[float], other: list[float], part: float) -> None:
    """Users of whom this part is like those of another class: the means of who is spared."""
    spared = []
    for one in (row, other):
        spared.append((one[2], one[2] + one[3], one[4]))
    common, whole, excused = (
        -math.log(max((1 - part) * math.exp(-x) + part * math.exp(-y), LEAST))
        for x, y in zip(*spared, strict=True)
    )
    row[2], row[3], row[4] = common, whole - common, excused


class Arrivals:
    """The integral of a delay's distribution function, tabled once for many replications.

    Somebody who is harmed at a moment that is even over a span of h seconds has reported t seconds
    after its beginning with probability (I(t) - I(t - h)) / h, I being this integral.
    """

    __slots__ = ("_area", "_times")

    def __init__(self, delay: Distribution) -> None:
        least, most = max(delay.quantile(_RARE), _AT_ONCE), delay.upper_quantile(_RARE)
        # What comes at the least time all together has not come a moment before.
        moments = [0.0, math.nextafter(least, 0.0)]
        self._times = np.unique(np.concatenate([moments, np.geomspace(least, most, _FINE)]))
        share = np.asarray(delay.cdf(self._times))
        steps = (self._times[1:] - self._times[:-1]) * (share[1:] + share[:-1]) / 2
        self._area = np.concatenate([[0.0], np.cumsum(steps)])

    def upto(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """The integral from 0 to t seconds, in seconds; 0 before."""
        area: NDArray[np.float64] = np.interp(t, self._times, self._area)
        area += np.maximum(t - self._times[-1], 0.0)
        return area


class Reports:
    """When the needed-th user report arrives: M ~ Binomial(U, r) of all users would report, once.

    Their harm times are independent with the harmed share as distribution function, so the
    needed-th report falls where the share of reports in reaches B ~ Beta(needed, M - needed + 1),
    the needed-th order statistic of M uniforms. A report comes a delay after the harm: the share
    in is the harmed share, a line between its edges, convolved with the delay's law.
    """

    __slots__ = ("_bends", "_edges", "_kept", "arrivals", "people", "share", "triage")

    def __init__(self, people: People, arrivals: Arrivals | None, users: int, luck: Luck) -> None:
        self.people, self.arrivals = people, arrivals
        generator = luck.people()
        reporters = int(generator.binomial(users, people.report_rate))
        needed = people.needed
        self.share = (
            float(generator.beta(needed, reporters - needed + 1))
            if reporters >= needed
            else math.inf
        )
        self._kept = 0
        self._edges = self._bends = np.empty(0)
        self.triage = people.triage.sample(luck.uniform(Purpose.TRIAGE))

    def too_few(self, users: Users, bad: float, a: float, b: float) -> bool:
        """Whether the reports cannot be in by b even if each of `bad` requests per user in (a, b]
        harmed another user at once, at the first moment possible.
        """
        most = users.reported_so_far + bad
        if most < self.share:
            return True
        first = users.history[0].start if users.history else a
        return most * self.people.delay.cdf(b - first) < self.share

    def by(self, users: Users, settled: int, a: float, b: float) -> float:
        """The time of the needed-th report if it falls in [a, b], seconds, else infinite.

        The first `settled` spans of the users' history will not change any more.
        """
        if not users.history or users.history[-1].after < self.share:
            return math.inf
        arrivals = self.arrivals
        if arrivals is None:
            moment = _inside(users.history, self.share) + self.people.delay.mean()
            return max(moment, a) if moment <= b else math.inf
        if settled > self._kept:
            edges, bends = _bent(users.history[self._kept : settled])
            self._edges = np.concatenate([self._edges, edges])
            self._bends = np.concatenate([self._bends, bends])
            self._kept = settled
        edges, bends = self._edges, self._bends
        if len(users.history) > settled:
            more, more_bends = _bent(users.history[settled:])
            edges, bends = np.concatenate([edges, more]), np.concatenate([bends, more_bends])

        def missing(t: float) -> float:
            """The share of reports that is not in yet, at most 0 once it is."""
            return self.share - float(np.dot(bends, arrivals.upto(t - edges)))

        last = missing(b)
        return math.inf if last > 0 else _crossed(missing, a, b, last)


def _crossed(
    missing: Callable[[float], float], a: float, b: float, last: float, near: float = _NEAR
) -> float:
    """Where a falling function, `last` at b, is no longer above 0 in [a, b], at most `near` late,
    by false position (Illinois: an end that stays counts half; one that stays long, the middle).
    """
    first, stays, least = missing(a), 0, near / 2
    if first <= 0:
        return a
    while b - a > near:
        guess = (a + b) / 2
        if abs(stays) < _PATIENCE:
            guess = a + (b - a) * first / (first - last)
            guess = min(max(guess, a + least), b - least)
        value = missing(guess)
        if value > 0:
            a, first = guess, value
            stays = max(stays, 0) + 1
            last = last / 2 if stays > 1 else last
        else:
            b, last = guess, value
            stays = min(stays, 0) - 1
            first = first / 2 if stays < -1 else first
    return b


def _bent(history: Sequence[Rise]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the course of the harmed share bends (s), and by how much more it rises a second."""
    edges, bends = list[float](), list[float]()
    for rise in history:
        step, before = max(rise.end - rise.start, _INSTANT) / rise.steps, 0.0
        for number, (low, high) in enumerate(pairwise(rise.course())):
            slope = (high - low) / step
            edges.append(rise.start + step * number)
            bends.append(slope - before)
            before = slope
        edges.append(rise.start + step * rise.steps)
        bends.append(-before)
    return np.array(edges), np.array(bends)


def _inside(history: Sequence[Rise], share: float) -> float:
    """The moment at which the harmed share reaches `share`; infinite if it never does."""
    rise = next((rise for rise in history if rise.after >= share), None)
    if rise is None:
        return math.inf
    length = rise.end - rise.start

    def missing(part: float) -> float:
        """What the share is short of it, at most 0 at the end."""
        return share - rise.at(part)

    return rise.start + length * _crossed(missing, 0.0, 1.0, share - rise.after, _EXACT)
