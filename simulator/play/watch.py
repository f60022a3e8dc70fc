"""Watching: detectors look ahead to the next control event instead of being polled.

Nothing can change before the next control event, so the cells of all periods up to it are drawn
in one go (in chunks), the first period that trips a detector is found, and it becomes an urgent
event. Cells after a trip are never looked at: they are drawn afresh under the state they meet.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.play.alarm import AlarmWatch
from simulator.play.burn import BurnWatch
from simulator.play.calm import calm_until
from simulator.play.cells import Cells, Part
from simulator.play.counts import Counts
from simulator.play.drawing import Drawing, seen_by
from simulator.play.fleet import MIRROR, NEW, NOBODY, OLD
from simulator.play.judging import JudgeWatch
from simulator.play.noise import Noise
from simulator.play.quiet import quiet
from simulator.play.users import Reports

if TYPE_CHECKING:
    from simulator.play.analysing import AnalysisWatch
    from simulator.play.plan import Plan
    from simulator.play.rollout import Rollout
    from simulator.play.stretch import Stretch
    from simulator.words.detection import Judge

    _Watching: TypeAlias = "AlarmWatch | BurnWatch | JudgeWatch | AnalysisWatch"

Array = NDArray[np.float64]

_FIRST_CHUNK: Final = 32
_LARGEST_CHUNK: Final = 1024
_SINGLY: Final = 3
_new: Final = tuple.__new__  # a named tuple at half the cost of calling its class
_NO_ENDS: Final = np.empty(0)
SCOPES: Final = {"new": (NEW, MIRROR), "old": (OLD,), "service": (OLD, NEW, NOBODY)}


class Watch(Drawing):
    """All detectors of one replication, until the first detection.

    `observe` counts a part of a stretch while looking for trips; `active` is false once something
    was detected, or from the beginning when nobody watches. `noise` are the baseline errors.
    """

    __slots__ = (
        "_alarms",
        "_all",
        "_alone",
        "_burns",
        "_counts",
        "_judge",
        "_plain",
        "_reports",
        "active",
    )

    def __init__(self, rollout: Rollout, counts: Counts, active: bool) -> None:
        self._rollout = rollout
        self._counts = counts
        self._open, self._lates = [], False
        if not active:
            self.close()
            return
        self.active = True
        plan, luck = rollout.plan, rollout.luck
        self.noise = Noise(plan, luck)
        self._reports: Reports | None = None
        self._alarms = [AlarmWatch(a, SCOPES[a.watch], luck) for a in plan.alarms]
        self._burns = [BurnWatch(rows, SCOPES[rows[0].watch], plan, luck) for rows in plan.burns]
        self._judge: JudgeWatch | None = None
        self._lates = _looks_at_late(plan)
        self._gather()
        scopes = tuple(watching.versions for watching in self._all)
        self._seen = seen_by((*scopes, JudgeWatch.versions) if plan.judges else scopes)
        if OLD in self._seen and self._all:
            self._remember_normal_operation()

    def close(self) -> None:
        """Nobody looks any longer, and nobody hears what users report."""
        self.active = self._counts.users.heard = False

    def _gather(self) -> None:
        """Who looks at the cells now, and whether all of them share their periods."""
        self._all: list[_Watching] = [*self._alarms, *self._burns]
        if self._judge is not None:
            self._all.append(self._judge)
        self._alone = len(self._all) == 1 or (
            len({(watching.origin, watching.period) for watching in self._all}) == 1
        )
        self._plain = self._alone and len(self._all) == len(self._alarms) > 0

    def _remember_normal_operation(self) -> None:
        """The first period began before the deployment: the old version served it alone."""
        start = min(alarm.origin for alarm in self._all)
        if start < 0:
            plan, late = self._rollout.plan, 0
            requests = good = plan.requests_between(start, 0.0)
            if self._lates and plan.latency is not None:
                anyway = float(plan.latency.usually(np.array([start, 0.0]))[0])
                good, late = good - anyway, int(self._rollout.luck.counts().poisson(anyway))
            self._open.append(Part(start, requests, 0.0, {OLD: (good, 0, late, 1.0)}))

    def observe(self, stretch: Stretch, a: float, b: float) -> float:
        """Count the stretch from a to b, or to the first trip; returns the moment reached."""
        excused = self._rollout.announced
        report = self._next_report(stretch, a, b, excused)
        end = b if b < report else report
        if not self._all:
            self._counts.add(stretch, a, end, None, excused)
            reached = end
        elif stretch.harm or stretch.varying:
            reached = self._through_harm(stretch, a, end, excused)
        else:
            reached = self._through_calm(stretch, a, end, excused)
        if report <= reached and self._reports is not None:
            self._rollout.trip("people", report + self._reports.triage)
            self._reports.share = math.inf
        return reached

    def _next_report(self, stretch: Stretch, a: float, b: float, excused: bool) -> float:
        """When enough people have reported, if that is in (a, b] with nothing else happening."""
        users = self._counts.users
        harmed = stretch.harm > 0 or (stretch.varying and stretch.harmful)
        if not (harmed or users.history or self._counts.sync_error > 0):
            return math.inf
        plan = self._rollout.plan
        if plan.people is None:
            return math.inf
        if self._reports is None:
            self._reports = Reports(plan.people, plan.arrivals, plan.users, self._rollout.luck)
        reports = self._reports
        if reports.share == math.inf:
            users.heard = False
            return math.inf
        if not stretch.varying and not self._counts.sync_error:
            bad = plan.requests_between(a, b) * stretch.harm / plan.users
            if reports.too_few(users, bad, a, b):
                return math.inf
        ahead = users.copy()
        self._counts.expose(ahead, stretch, a, b, excused)
        return self._reports.by(ahead, len(users.history), a, b)

    def _through_harm(self, stretch: Stretch, a: float, b: float, excused: bool) -> float:
        """Look at a stretch in which anything may happen."""
        now, chunk = a, _FIRST_CHUNK
        singly = _SINGLY if self._plain and not stretch.varying else 0
        while now < b:
            count = self._all[0].count_to(b)
            calm = self._skip(stretch, now, b, count) if count > 0 else now
            if calm > now:
                now = calm
                continue
            if singly and count > 0:
                now, tripped = self._close_one(stretch, now, excused)
                singly -= 1
            else:
                now, tripped = self._close_some(stretch, now, b, chunk, excused)
                chunk = min(2 * chunk, _LARGEST_CHUNK)
            if tripped:
                return now
        return b

    def _through_calm(self, stretch: Stretch, a: float, b: float, excused: bool) -> float:
        """Look at a stretch without harm, of which most is counted at once."""
        now, chunk, restless = a, _FIRST_CHUNK, False
        singly = _SINGLY if self._plain else 0
        while now < b:
            count = self._all[0].count_to(b)
            calm = now if restless else self._coast(stretch, now, b, count)
            if calm > now:
                now = calm
                continue
            if singly and count > 0:
                now, tripped = self._close_one(stretch, now, excused)
                singly -= 1
            else:
                now, tripped = self._close_some(stretch, now, b, chunk, excused)
                chunk = min(2 * chunk, _LARGEST_CHUNK)
            if tripped:
                return now
            restless = restless or (self._plain and self._never_calm(stretch))
        return b

    def _never_calm(self, stretch: Stretch) -> bool:
        """Whether a whole period of this stretch has too few requests to be calm."""
        plan, (old, new) = self._rollout.plan, stretch.seen
        shares = (old.share, new.share, stretch.copies, 0.0)
        if not plan.steady or self._rollout.incident > 0:
            return False
        for alarm, levels in zip(self._alarms, plan.quiet_from, strict=True):
            share = sum(shares[version] for version in alarm.versions)
            requests = plan.rate * share * alarm.period * (1.0 + 1e-6)
            if share > 0 and not alarm.done and all(requests < level[1] for level in levels):
                return True
        return False

    def _coast(self, stretch: Stretch, a: float, b: float, count: int) -> float:
        """Count a harmless stretch, in which so many periods end, at once as far as no alarm can
        breach; returns how far.
        """
        rollout = self._rollout
        plan = rollout.plan
        old, new = stretch.seen
        if not self._alone or self._judge is not None or rollout.incident > 0 or self._lates:
            return a
        if stretch.mirror and new.failing + new.late > 0:
            return a
        first, a_open = self._all[0], a
        shares = (old.share, new.share, stretch.copies, 0.0)
        if count > 0:
            if self._alarms:
                span = (a, b)
                b = calm_until(plan, self.noise, self._alarms, self._open, shares, span, count)
                if b < span[1]:
                    count = first.count_to(b)
            if self._burns and count > 0:
                safe = self._safe_minutes(shares, a, b)
                b, count = (b, count) if safe == count else (first.end(first.next + safe - 1), safe)
            if b <= a or (count <= 0 and b < first.end(first.next)):
                return a
            for alarm in self._alarms:
                alarm.skip(count)
            for burn in self._burns:
                burn.skip(count)
            a_open = first.end(first.next - 1)
            self._open.clear()
        self._counts.add(stretch, a, b)
        if b > a_open:
            many = plan.requests_between(a_open, b)
            rows: dict[int, tuple[float, int, int, float]] = {}
            for version in self._seen:
                share = shares[version]
                if share > 0:
                    rows[version] = (many * share, 0, 0, share)
            self._open.append(_new(Part, (a_open, many, 0.0, rows)))
        return b

    def _safe_minutes(self, shares: tuple[float, ...], a: float, b: float) -> int:
        """How many minutes up to b pass without any chance of a burn-rate alarm."""
        safe = self._burns[0].count_to(b)
        for burn in self._burns:
            share = sum(shares[version] for version in burn.versions)
            until = burn.end(burn.next + safe - 1)
            safe = min(safe, burn.calm(self.noise, self._open, share, (a, until)))
        return safe

    def _closing(self, b: float, most: int) -> Array:
        """The next period ends of any alarm up to b, at most `most`."""
        if self._alone:
            alarm = self._all[0]
            count = alarm.count_to(b)
            return alarm.closing(min(count, most)) if count > 0 else _NO_ENDS
        ends = [alarm.closing(min(alarm.count_to(b), most)) for alarm in self._all]
        return np.unique(np.concatenate(ends))[:most]

    def _skip(self, stretch: Stretch, a: float, b: float, count: int) -> float:
        """Where calm ends: a period end up to b before which no alarm can breach, or a."""
        rollout = self._rollout
        if self._open or not self._alone or self._burns or self._judge is not None:
            return a
        if self._lates:
            return a
        if stretch.nobody or stretch.varying or rollout.incident > 0:
            return a
        first = self._alarms[0]
        multiplier = math.inf
        for alarm in self._alarms:
            if not alarm.done:
                calm = alarm.calm and quiet(rollout.plan, stretch, alarm.rule, a, b)
                multiplier = min(multiplier, calm)
        if multiplier < math.inf:
            b = self.noise.calm_until(a, b, multiplier) if multiplier > 0 else a
            count = first.count_to(b)
            if count <= 0:
                return a
        until = min(first.end(first.next + count - 1), b)
        self._counts.add(stretch, a, until)
        self._open.clear()
        for alarm in self._alarms:
            alarm.skip(count)
        return until

    def _close_some(
        self, stretch: Stretch, a: float, b: float, most: int, excused: bool
    ) -> tuple[float, bool]:
        """Close at most so many periods that end up to b, or leave one open that does not; returns
        the moment reached, and whether a detector tripped.
        """
        ends = self._closing(b, most)
        if not len(ends):
            self._leave_open(stretch, a, b, excused)
            return b, False
        closed, tripped = self._close(stretch, a, ends, excused)
        return float(ends[closed - 1]), tripped

    def _close(self, stretch: Stretch, a: float, ends: Array, excused: bool) -> tuple[int, bool]:
        """Draw the cells up to `ends`; returns how many are closed, and whether one tripped."""
        cells = self._draw(stretch, a, ends, excused)
        closed = len(ends)
        tripped: list[_Watching] = []
        for watching in self._all:
            if isinstance(watching, BurnWatch):
                first = watching.first_trip(cells, ends, self._alone, self.noise)
            else:
                first = watching.first_trip(cells, ends, self._alone)
            if first is not None and not watching.done and first < closed:
                closed, tripped = first + 1, [watching]
            elif first is not None and not watching.done and first + 1 == closed:
                tripped.append(watching)
        for watching in self._all:
            watching.advance(cells, closed)
        drawn = {v: int(harm[:closed].sum()) for v, harm in cells.harm.items()}
        end = float(ends[closed - 1])
        self._counts.add(stretch, a, end, drawn, excused)
        for watching in tripped:
            watching.speak(self._rollout, end)
        return closed, bool(tripped)

    def _leave_open(self, stretch: Stretch, a: float, b: float, excused: bool) -> None:
        """Count [a, b], which no period end closes, and keep it for the period that is open."""
        rollout = self._rollout
        many, rows, drawn = self._draw_one(stretch, a, b, excused)
        self._open.append(_new(Part, (a, many, rollout.incident, rows)))
        self._counts.add(stretch, a, b, drawn, excused)

    def _close_one(self, stretch: Stretch, a: float, excused: bool) -> tuple[float, bool]:
        """Close the period that is open; returns its end, and whether an alarm tripped."""
        rollout, first = self._rollout, self._alarms[0]
        end = first.end(first.next)
        many, parts, drawn = self._draw_one(stretch, a, end, excused)
        self._open.append(_new(Part, (a, many, rollout.incident, parts)))
        counts = self._settle_open(end)
        self._open.clear()
        self._counts.add(stretch, a, end, drawn, excused)
        tripped: list[AlarmWatch] = []
        poisson = rollout.luck.counts().poisson
        for alarm in self._alarms:
            rows = [counts[version] for version in alarm.versions if version in counts]
            bad = requests = 0
            for row in rows:
                bad += alarm.errors * row.failed + alarm.late * row.late
                if row.requests is None:
                    row.requests = int(poisson(max(row.good, 0.0))) + row.failed + row.late
                requests += row.requests
            if not rows and alarm.rule.watch == "new" and not rollout.router.began:
                alarm.next += 1
                continue
            if alarm.close_one(bad, requests):
                tripped.append(alarm)
        for alarm in tripped:
            alarm.speak(rollout, end)
        return end, bool(tripped)

    def open_window(self, judge: Judge, now: float, seen: JudgeWatch | None = None) -> None:
        """A judge, which may have `seen` some already, will look at what comes from now on."""
        self._cut(now)
        rollout = self._rollout
        fresh = (judge, now, rollout.plan, rollout.luck, rollout.weight())
        self._judge = seen or JudgeWatch(*fresh)
        self._gather()

    def end_window(self, now: float) -> JudgeWatch:
        """What the judge has seen in the window that was opened, which ends here."""
        seen = self._judge
        assert seen is not None
        seen.until = now
        self._cut(now)
        self._judge = None
        self._gather()
        if not self._all:
            self._open.clear()
        return seen

    def _cut(self, now: float) -> None:
        """Close what the open period holds so far as a cell of its own, for everybody."""
        if not self._open or not self._all:
            self._open.clear()
            return
        cells = Cells(self._rollout.luck.counts(), self._rollout.router.began)
        for version, row in self._settle_open(now).items():
            cells.expected[version] = np.array([max(row.good, 0.0)])
            cells.failed[version] = np.array([row.failed])
            cells.late[version] = np.array([row.late])
        self._open.clear()
        ends = np.array([now])
        for watching in self._all:
            if isinstance(watching, BurnWatch):
                watching.first_trip(cells, ends, False, self.noise)
            else:
                watching.first_trip(cells, ends, False)
            watching.advance(cells, 1)


def _looks_at_late(plan: Plan) -> bool:
    """Whether answers may be late with nothing deployed, and a detector looks at late ones."""
    if plan.latency is None:
        return False
    metrics: set[str] = {alarm.metric for alarm in plan.alarms}
    metrics |= {rows[0].metric for rows in plan.burns}
    return bool(metrics - {"errors"} or plan.judges or plan.analyses)
