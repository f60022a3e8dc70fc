"""The counts of one replication: every cell drawn once, every total a sum of cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.play.audience import Audience
from simulator.play.fault import Fault
from simulator.play.fleet import NEW, NOBODY, OLD
from simulator.play.installing import Installing
from simulator.play.luck import Luck
from simulator.play.reconnecting import Reconnecting
from simulator.play.stretch import Beside, Stretch, Sums
from simulator.play.users import Pair, Users

if TYPE_CHECKING:
    from simulator.play.plan import Plan

_MITIGATED: Final = 0.01
_SERVING: Final = 1e-9
_PIECE, _MOST_PIECES, _HOUR, _LOOKS, _LITTLE = 60.0, 60, 3600.0, 61, 0.2


class Counts:
    """Totals of one replication so far.

    Requests and writes are drawn counts (`failed`, `corrupt`) beside their integrated intensities
    (`expected`, `exposed`); `exposure`, `mixed`, `mixing`, `outage`, `degraded` and `overload` (of
    a version that is offered more than it can carry) are seconds.
    `copied` are expected requests sent to the new version once more, `scaled` the instance-seconds
    that autoscaling holds beside those of the script.
    `first_harm` and `last_harm` are the first and last instants of harm by the defect.
    """

    __slots__ = (
        "_over",
        "_since",
        "copied",
        "corrupt",
        "degraded",
        "expected",
        "exposed",
        "exposure",
        "failed",
        "failed_before",
        "first_harm",
        "harm_left",
        "harming",
        "headroom",
        "last_harm",
        "look_at",
        "luck",
        "mixed",
        "mixing",
        "outage",
        "overload",
        "peak_harm",
        "peak_weight",
        "plan",
        "scaled",
        "sync_error",
        "track",
        "users",
    )

    def __init__(self, plan: Plan, fault: Fault, luck: Luck, sticky: bool) -> None:
        self.plan = plan
        self.luck = luck
        self.failed = self.corrupt = 0
        self.failed_before: int | None = None
        self.expected = self.exposed = self.exposure = self.copied = 0.0
        self.mixed = self.mixing = self.outage = self.degraded = self.overload = 0.0
        self._over, self._since = False, 0.0
        self.first_harm = self.last_harm = math.nan
        self.peak_harm = self.peak_weight = 0.0
        self.headroom = math.inf
        self.look_at, self.harm_left = math.nan, 0.0
        self.harming = False
        self.sync_error = self.scaled = 0.0
        reporting = plan.people is not None
        self.users: Users
        if plan.adoption is not None:
            self.users = Installing(fault.users, reporting)
        elif plan.audience and not plan.sticky:
            self.users = Audience(plan.audience, fault.users, reporting)
        elif plan.lingers and not plan.sticky:
            self.users = Reconnecting(plan.lingers, fault.users, reporting)
        else:
            self.users = Users(sticky, fault.users, reporting, plan.tides)
        self.track: list[tuple[float, ...]] | None = None

    def begin(self, stretch: Stretch, now: float) -> bool:
        """Note the state of a new stretch; true when harm by the defect begins now."""
        weight = stretch.weight
        if weight > self.peak_weight and not stretch.situation.dark:
            self.peak_weight = weight
        if self._headroom(stretch) < -_SERVING:
            self.end_overload(now)
            self._over = True
        elif self._over:
            self.end_overload(now)
            self._over = False
        harm = stretch.defect
        none_yet = self.first_harm != self.first_harm
        if none_yet and (stretch.nobody or stretch.fleet.arrives(now) < math.inf):
            harm = 0.0
        self.harming = harm >= _MITIGATED * self.peak_harm and harm > 0
        if harm > self.peak_harm:
            self.peak_harm = harm
        if harm > 0 and self.first_harm != self.first_harm:
            self.first_harm = now
            return True
        return False

    def end_overload(self, now: float) -> None:
        """Count an overload that has lasted until now."""
        if self._over:
            self.overload += now - self._since
        self._since = now

    def _headroom(self, stretch: Stretch) -> float:
        """The least part of its load that a version can carry beyond it now; infinite if none can
        be overloaded. Where the traffic varies: at its highest in the hour to come.
        """
        plan, least = self.plan, math.inf
        if stretch.nobody:
            self.headroom = -1.0
            return least
        if plan.capacity == math.inf:
            return least
        if plan.deadline:
            self._waiting(stretch)
            return least
        rate = plan.rate if plan.steady else plan.load.greatest(stretch.start, stretch.start)
        old, new = stretch.capacity
        weight, (reached_old, reached_new) = stretch.weight, stretch.reached
        if 1.0 - weight > _SERVING:
            least = old / (rate * (1.0 - weight) * reached_old * stretch.more[OLD]) - 1.0
        if weight > _SERVING:
            least = min(least, new / (rate * weight * reached_new * stretch.more[NEW]) - 1.0)
        if least < self.headroom:
            self.headroom = least
        if not plan.steady and stretch.varying and least < math.inf:
            start = stretch.start
            if plan.scaling is not None and stretch.fleet.drift is None:
                soon = np.linspace(start, min(stretch.until, start + _HOUR), _LOOKS)
                return min(least, plan.scaling.headroom(stretch, soon))
            most = plan.load.greatest(start, min(stretch.until, start + _HOUR))
            least = (least + 1.0) * rate / most - 1.0
        return least

    def _waiting(self, stretch: Stretch) -> None:
        """The same for consumers that share a queue: together, and nothing is rejected."""
        old, new = stretch.capacity
        rate = self.plan.requests_between(stretch.start, stretch.start + 1.0)
        both = old * (stretch.weight < 1.0) + new * (stretch.weight > 0.0)
        self.headroom = min(self.headroom, both / rate - 1.0) if rate > 0 else self.headroom

    def add(
        self,
        stretch: Stretch,
        a: float,
        b: float,
        drawn: dict[int, int] | None = None,
        excused: bool = False,
    ) -> None:
        """Count [a, b] of a stretch; versions in `drawn` had their bad requests drawn already."""
        length = b - a
        if length <= 0:
            return
        if self.plan.scaling is not None:
            self.scaled += self.plan.scaling.above(stretch, a, b)
        unusual = self.sync_error or self.track is not None or a <= self.look_at < b
        if unusual or stretch.harm or stretch.varying or stretch.mirror or stretch.nobody:
            self._add(stretch, a, b, drawn, excused)
            return
        if self.plan.usual_bad > self.plan.tolerated:
            self.degraded += length
        self._met(stretch, stretch.weight, a, b)

    def _met(
        self, stretch: Stretch, weight: float, a: float, b: float, requests: float | None = None
    ) -> None:
        """Count who met the new version in [a, b], its weight being so much in the mean; with so
        many requests if they do not follow from that.
        """
        if weight > _SERVING:
            length = b - a
            if not stretch.situation.dark:
                self.exposure += weight * length
                if requests is None:
                    requests = weight * self.plan.requests_between(a, b)
                    if self.plan.deadline:
                        requests *= stretch.reached[NEW]
                self.exposed += requests
            if weight < 1 - _SERVING:
                self.mixed += length
                if not stretch.varying:
                    self.mixing += 2 * weight * (1 - weight) * length

    def _add(
        self, stretch: Stretch, a: float, b: float, drawn: dict[int, int] | None, excused: bool
    ) -> None:
        length = b - a
        if self.track is not None:
            self._record(stretch, a, b)
        if a <= self.look_at < b:
            self.harm_left = (
                stretch.harm if stretch.nobody else self._harm_at(stretch, self.look_at)
            )
        if stretch.nobody:
            self._nobody(stretch, a, b, drawn, excused)
            return
        if stretch.mirror:
            self.copied += stretch.copies * self.plan.requests_between(a, b)
        weight = stretch.weight
        moves = stretch.moving or stretch.fleet.drift is not None or self.plan.tides is not None
        if moves and not stretch.situation.dark:
            self.peak_weight = max(self.peak_weight, stretch.weight_at(b))
        requests = None
        if stretch.harm > 0 and not (stretch.varying or stretch.asides):
            self._steady_harm(stretch, a, b, drawn)
        elif stretch.varying or stretch.harm > 0:
            sums = self._harm(stretch, a, b, drawn)
            weight = sums.seconds / length
            requests = None if sums.moved is None else sums.rows[NEW][0]
        elif self.plan.usual_bad > self.plan.tolerated:
            self.degraded += length
        self._met(stretch, weight, a, b, requests)
        if stretch.harm > 0 and self.harming:
            self.last_harm = b
            if stretch.moving and stretch.situation.rolling_back:
                self.last_harm = stretch.falls_below(_MITIGATED * self.peak_harm, a, b)
        if self.sync_error:
            self._out_of_step(a, b, stretch.clear)

    def _harm_at(self, stretch: Stretch, t: float) -> float:
        """Harm by the defect at a moment as a share of its peak so far."""
        return min(stretch.defect_at(t) / self.peak_harm, 1.0) if self.peak_harm > 0 else 0.0

    def _harm(self, stretch: Stretch, a: float, b: float, drawn: dict[int, int] | None) -> Sums:
        """Draw what nobody watched, and add the hazards."""
        sums = stretch.sums(a, b)
        if stretch.varying:
            self.mixing += sums.mixing
        self.degraded += sums.degraded
        poisson = self.luck.counts().poisson
        for version, row in enumerate(sums.rows):
            bad = row[1] + row[2]
            if bad > 0:
                self.expected += bad
                if drawn is None or version not in drawn:
                    self.failed += int(poisson(bad))
                elif self.plan.retries:
                    self.failed += self._left_of(stretch, a, b, version, drawn[version], bad)
                else:
                    self.failed += drawn[version]
            if row[3] > 0:
                self.corrupt += int(poisson(row[3]))
        for beside in sums.beside:
            if beside.failing > 0:
                self.expected += beside.failing
                self.failed += int(poisson(beside.failing))
        if not stretch.varying:
            self._expose(self.users, (a, b), sums)
        elif stretch.harmful:
            self._exposed(self.users, stretch, (a, b), sums)
        return sums

    def _steady_harm(
        self, stretch: Stretch, a: float, b: float, drawn: dict[int, int] | None
    ) -> None:
        """The same where nothing depends on time and every request reaches a version."""
        plan = self.plan
        base, share = plan.requests_between(a, b), 1.0 - stretch.clear
        poisson = self.luck.counts().poisson
        for version, s in enumerate(stretch.versions):
            own: float = s.share
            corrupt: float = s.corrupt
            failing: float = s.failing
            late: float = s.late
            part, bad = base * own, failing + late
            share += own * (bad + s.anyway)
            if bad > 0:
                bad = part * failing + part * late
            if bad > 0:
                self.expected += bad
                if drawn is None or version not in drawn:
                    self.failed += int(poisson(bad))
                elif self.plan.retries:
                    self.failed += self._left_of(stretch, a, b, version, drawn[version], bad)
                else:
                    self.failed += drawn[version]
            if corrupt > 0 and part > 0:
                self.corrupt += int(poisson(part * corrupt))
        if share > plan.tolerated:
            self.degraded += b - a
        each, (old, new) = 1.0 / plan.users, stretch.versions
        self.users.add(
            (a, b),
            stretch.weight,
            (base * old.common * each, base * old.segment * each),
            (base * new.common * each, base * new.segment * each),
            False,
        )

    def _left_of(
        self, stretch: Stretch, a: float, b: float, version: int, many: int, bad: float
    ) -> int:
        """How many requests are bad in the end (`bad` are expected) when `many` tries were drawn
        that were: each of these is the first of such a request with the same chance.
        """
        seen = sum(
            float(failing[0] + late[0])
            for _, _, failing, late, _ in stretch.cells(np.array([a, b]), (version,))
        )
        luck = self.luck.counts()
        left = int(luck.binomial(many, min(bad / seen, 1.0))) if seen > 0 else 0
        return left + int(luck.poisson(max(bad - seen, 0.0)))

    def _exposed(self, users: Users, stretch: Stretch, span: Pair, sums: Sums) -> None:
        """Add the hazards of a span in which they change; in pieces where somebody may report."""
        a, b = span
        pieces = 1
        moves = users.sticky and (stretch.moving or stretch.fleet.drift is not None)
        moves = moves or users.tides is not None
        if users.reporting or moves:
            scale = stretch.router.scale(a) if stretch.moving else _PIECE
            pieces = math.ceil((b - a) / scale)
            late = self.plan.lingers or self.plan.adoption
            if late and moves:  # who comes late in a piece meets less of it
                met = sum(sums.rows[1][4:6]) / self.plan.users
                pieces = max(pieces, math.ceil(met / _LITTLE))
            pieces = min(pieces, _MOST_PIECES)
        fine = stretch.leak.edges(a, b) if stretch.leak is not None and users.heard else []
        edges = fine
        if not (fine and stretch.straight):
            even = np.linspace(a, b, pieces + 1).tolist() if pieces > 1 else [a, b]
            edges = sorted({*even, *fine}) if fine else even
        if len(edges) == 2:
            self._expose(users, span, sums)
            return
        spans = pairwise(edges)
        if not stretch.straight:
            for span, own in zip(spans, stretch.pieces(np.array(edges)), strict=True):
                self._expose(users, span, own)
            return
        growth = stretch.growth(edges)
        if not sums.beside:
            self._expose_evenly(users, spans, sums, growth, b - a)
            return
        for span, part in zip(spans, growth, strict=True):
            even = (span[1] - span[0]) / (b - a)
            rows = [(*row[:4], row[4] * even, row[5] * part) for row in sums.rows]
            beside = [
                Beside(0.0, x.excused, _scaled(x.common, even), _scaled(x.segment, even))
                for x in sums.beside
            ]
            self._expose(users, span, Sums(sums.seconds * even, 0.0, 0.0, rows, beside))

    def _expose_evenly(
        self,
        users: Users,
        spans: Iterable[Pair],
        sums: Sums,
        growth: Sequence[float],
        length: float,
    ) -> None:
        """Add hazards of which only what the defect adds, `growth`, is not even over the length."""
        each, (first, second) = 1.0 / self.plan.users, sums.rows
        for span, part in zip(spans, growth, strict=True):
            even = (span[1] - span[0]) / length * each
            old = (first[4] * even, first[5] * part * each)
            new = (second[4] * even, second[5] * part * each)
            users.add(span, sums.seconds / length, old, new, False)

    def _expose(self, users: Users, span: Pair, sums: Sums) -> None:
        each = 1.0 / self.plan.users
        seconds = sums.seconds if sums.moved is None else sums.moved
        weight = seconds / (span[1] - span[0])
        first, second = sums.rows
        old, new = [first[4] * each, first[5] * each], [second[4] * each, second[5] * each]
        for beside in sums.beside:
            for version, row in ((OLD, old), (NEW, new)):
                if not beside.excused:
                    row[0] += beside.common[version] * each
                    row[1] += beside.segment[version] * each
            if beside.excused:
                on_old, on_new = beside.common
                users.add(span, weight, (on_old * each, 0.0), (on_new * each, 0.0), True)
        users.add(span, weight, (old[0], old[1]), (new[0], new[1]), False)

    def expose(self, users: Users, stretch: Stretch, a: float, b: float, excused: bool) -> None:
        """Add to `users` (a copy, to look ahead) what [a, b] of this stretch does to them."""
        if stretch.nobody and not self.plan.deadline:
            each = self.plan.requests_between(a, b) * self._good(stretch) / self.plan.users
            users.add((a, b), 0.0, (each, 0.0), (each, 0.0), excused)
        elif stretch.varying and not stretch.nobody:
            if stretch.harmful:
                self._exposed(users, stretch, (a, b), stretch.sums(a, b))
        elif stretch.harm > 0:
            self._expose(users, (a, b), stretch.sums(a, b))
        if self.sync_error:
            each = self.plan.requests_between(a, b) * self.sync_error * stretch.clear
            each /= self.plan.users
            users.add((a, b), 0.0, (each, 0.0), (each, 0.0), False)

    def lose(self, now: float, requests: float, excused: bool) -> None:
        """So many requests (expected) are lost at this moment, whoever sent them."""
        self.expected += requests
        self.failed += int(self.luck.counts().poisson(requests))
        each = requests / self.plan.users
        self.users.add((now, now + 1e-6), 0.0, (each, 0.0), (each, 0.0), excused)

    def answer_the_rest(self, stretch: Stretch, seconds: float, now: float) -> None:
        """The last clients that still ask for the new version are counted at once.

        `seconds` is the integral of their share of the requests over all time to come; they meet
        what the others met.
        """
        rate = self.plan.requests_between(now, now + 1.0)
        new = stretch.versions[NEW]
        poisson = self.luck.counts().poisson
        bad = rate * seconds * (new.failing + new.late)
        self.expected += bad
        self.failed += int(poisson(bad))
        self.corrupt += int(poisson(rate * seconds * new.corrupt))
        self.exposure += seconds
        self.exposed += rate * seconds

    def lose_writes(self, writes: float) -> None:
        """So many writes (expected) are lost, as with a restore."""
        self.corrupt += int(self.luck.counts().poisson(writes))

    def _good(self, stretch: Stretch) -> float:
        """The share of the requests that would be good with nothing deployed."""
        retries = self.plan.retries
        return 1.0 - (1.0 - stretch.clear) ** (retries + 1) if retries else stretch.clear

    def _nobody(
        self, stretch: Stretch, a: float, b: float, drawn: dict[int, int] | None, excused: bool
    ) -> None:
        self.outage += b - a
        if self.plan.deadline:
            return
        requests = self.plan.requests_between(a, b)
        bad = requests * self._good(stretch)
        self.expected += bad
        if drawn is not None and NOBODY in drawn:
            self.failed += drawn[NOBODY]
        else:
            self.failed += int(self.luck.counts().poisson(bad))
        self.degraded += b - a
        each = bad / self.plan.users
        self.users.add((a, b), 0.0, (each, 0.0), (each, 0.0), excused)
        if self.harming:
            self.last_harm = b

    def _out_of_step(self, a: float, b: float, clear: float) -> None:
        """Requests spoilt because two systems that both do all the work disagree."""
        bad = self.plan.requests_between(a, b) * self.sync_error * clear
        self.expected += bad
        self.failed += int(self.luck.counts().poisson(bad))
        each = bad / self.plan.users
        self.users.add((a, b), 0.0, (each, 0.0), (each, 0.0), False)

    def _record(self, stretch: Stretch, a: float, b: float) -> None:
        assert self.track is not None
        kinks = {
            since + self.plan.warm_for
            for cohort in stretch.fleet.cohorts
            for _, since in cohort
            if a < since + self.plan.warm_for < b
        }
        if stretch.varying and not stretch.nobody:
            kinks.update(np.linspace(a, b, min(int((b - a) / 30.0) + 2, 40)).tolist()[1:-1])
        edges = [a, *sorted(kinks), b]
        for start, end in pairwise(edges):
            weight = 0.0 if stretch.nobody else stretch.weight
            harm = 1.0 if stretch.nobody else stretch.harm
            if stretch.varying and not stretch.nobody:
                old, new = stretch.at(np.array([(start + end) / 2]))
                weight = float(np.ravel(new.share)[0])
                bad = sum(s.share * (s.failing + s.late + s.corrupt) for s in (old, new))
                harm = float(np.ravel(bad)[0])
            fleet = stretch.fleet.census((start + end) / 2)
            self.track.append((start, end, weight, *stretch.capacity_at(start), harm, *fleet))


def _scaled(pair: tuple[float, float], by: float) -> tuple[float, float]:
    return pair[0] * by, pair[1] * by
