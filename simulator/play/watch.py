"""Watching: detectors look ahead to the next control event instead of being polled.

Nothing can change before the next control event, so the cells of all periods up to it are drawn
in one go (in chunks), the first period that trips a detector is found, and it becomes an urgent
event. Cells after a trip are never looked at: they are drawn afresh under the state they meet.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.play.alarm import AlarmWatch
from simulator.play.burn import BurnWatch
from simulator.play.calm import calm_until
from simulator.play.cells import Cells, Closed, Part
from simulator.play.counts import Counts
from simulator.play.fleet import MIRROR, NEW, NOBODY, OLD
from simulator.play.judging import JudgeWatch
from simulator.play.noise import Noise
from simulator.play.quiet import quiet
from simulator.play.users import Reports

if TYPE_CHECKING:
    from simulator.play.analysing import AnalysisWatch
    from simulator.play.rollout import Rollout
    from simulator.play.stretch import Stretch
    from simulator.words.detection import Judge

    _Watching: TypeAlias = "AlarmWatch | BurnWatch | JudgeWatch | AnalysisWatch"

Array = NDArray[np.float64]

_FIRST_CHUNK, _LARGEST_CHUNK = 32, 1024
_SINGLY = 3
_NO_ENDS = np.empty(0)
SCOPES = {"new": (NEW, MIRROR), "old": (OLD,), "service": (OLD, NEW, NOBODY)}


class Watch:
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
        "_open",
        "_reports",
        "_rollout",
        "_seen",
        "active",
        "noise",
    )

    def __init__(self, rollout: Rollout, counts: Counts, active: bool) -> None:
        self._rollout = rollout
        self._counts = counts
        self._open: list[Part] = []
        if not active:
            self.close()
            return
        self.active = True
        plan, luck = rollout.plan, rollout.luck
        self.noise = Noise(plan, luck)
        self._reports: Reports | None = None
        detection = plan.scenario.detection
        self._alarms = [AlarmWatch(a, SCOPES[a.watch], luck) for a in plan.alarms]
        self._burns = [
            BurnWatch(rows, SCOPES[rows[0].watch], plan, luck) for rows in detection.burn_groups
        ]
        self._judge: JudgeWatch | None = None
        self._gather()
        scopes = tuple(watching.versions for watching in self._all)
        self._seen = _seen((*scopes, JudgeWatch.versions) if plan.judges else scopes)
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

    def _remember_normal_operation(self) -> None:
        """The first period began before the deployment: the old version served it alone."""
        start = min(alarm.origin for alarm in self._all)
        if start < 0:
            requests = self._rollout.plan.requests_between(start, 0.0)
            self._open.append(Part(start, requests, 0.0, {OLD: (requests, 0, 0, 1.0)}))

    def observe(self, stretch: Stretch, a: float, b: float) -> float:
        """Count the stretch from a to b, or to the first trip; returns the moment reached."""
        excused = self._rollout.announced
        report = self._next_report(stretch, a, b, excused)
        end = b if b < report else report
        if self._all:
            reached = self._through_alarms(stretch, a, end, excused)
        else:
            self._counts.add(stretch, a, end, None, excused)
            reached = end
        if report <= reached and self._reports is not None:
            self._rollout.trip("people", report + self._reports.triage)
            self._reports.share = math.inf
        return reached

    def _next_report(self, stretch: Stretch, a: float, b: float, excused: bool) -> float:
        """When enough people have reported, if that is in (a, b] with nothing else happening."""
        plan, users = self._rollout.plan, self._counts.users
        harmed = stretch.harm > 0 or (stretch.varying and stretch.harmful)
        if not (harmed or users.history or self._counts.sync_error > 0) or plan.people is None:
            return math.inf
        if self._reports is None:
            self._reports = Reports(plan.people, plan.users, self._rollout.luck)
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

    def _through_alarms(self, stretch: Stretch, a: float, b: float, excused: bool) -> float:
        now, chunk = a, _FIRST_CHUNK
        harmless = stretch.harm == 0 and not stretch.varying
        plain = self._alone and len(self._all) == len(self._alarms)
        singly = _SINGLY if plain and not stretch.varying else 0
        while now < b:
            calm = self._coast(stretch, now, b) if harmless else self._skip(stretch, now, b)
            if calm > now:
                now = calm
                continue
            if singly and self._alarms[0].count_to(b) > 0:
                now, tripped = self._close_one(stretch, now, excused)
                singly -= 1
                if tripped:
                    return now
                continue
            ends = self._closing(b, chunk)
            if not len(ends):
                self._leave_open(stretch, now, b, excused)
                return b
            closed, tripped = self._close(stretch, now, ends, excused)
            now = float(ends[closed - 1])
            if tripped:
                return now
            chunk = min(2 * chunk, _LARGEST_CHUNK)
        return b

    def _coast(self, stretch: Stretch, a: float, b: float) -> float:
        """Count a harmless stretch at once as far as no alarm can breach; returns how far."""
        rollout = self._rollout
        plan = rollout.plan
        old, new = stretch.versions
        if not self._alone or self._judge is not None or rollout.incident > 0:
            return a
        if stretch.mirror and new.failing + new.late > 0:
            return a
        first = self._all[0]
        shares = (old.share, new.share, stretch.mirror, 0.0)
        count = first.count_to(b)
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
        else:
            a_open = a
        self._counts.add(stretch, a, b)
        if b > a_open:
            many = plan.requests_between(a_open, b)
            rows: dict[int, tuple[float, int, int, float]] = {}
            for version in self._seen:
                share = shares[version]
                if share > 0:
                    rows[version] = (many * share, 0, 0, share)
            self._open.append(Part(a_open, many, 0.0, rows))
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

    def _skip(self, stretch: Stretch, a: float, b: float) -> float:
        """Where calm ends: a period end up to b before which no alarm can breach, or a."""
        rollout = self._rollout
        if self._open or not self._alone or self._burns or self._judge is not None:
            return a
        if stretch.nobody or stretch.varying or rollout.incident > 0:
            return a
        first = self._alarms[0]
        count = first.count_to(b)
        if count <= 0:
            return a
        multiplier = math.inf
        for alarm in self._alarms:
            if not alarm.done:
                calm = alarm.calm and quiet(rollout.plan, stretch, alarm.words, a, b)
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

    def _draw(self, stretch: Stretch, a: float, ends: Array, excused: bool) -> Cells:
        """Draw the cells up to `ends`; the first one takes over the open period's parts."""
        rollout = self._rollout
        generator = rollout.luck.counts()
        cells = Cells(generator, rollout.router.began)
        edges = np.empty(len(ends) + 1)
        edges[0], edges[1:] = a, ends
        base = rollout.plan.requests(edges)
        before, noise = self._baseline(edges, base)
        rows = self._rows(stretch, edges, base, excused)
        for version in self._seen:
            row = rows.get(version)
            if row is None:
                if not any(version in part.rows for part in self._open):
                    continue
                row = (0.0 * base,) * 3
            requests, failing, late = row
            own = noise * (requests / base)
            expected = requests - own
            failed, slow = np.zeros(len(base), np.int64), np.zeros(len(base), np.int64)
            if np.count_nonzero(failing) or np.count_nonzero(late):
                expected = requests - failing - late - own
                failed, slow = _drawn(generator, failing), _drawn(generator, late)
                cells.harm[version] = failed + slow
            for part, old_noise in zip(self._open, before, strict=True):
                if version in part.rows:
                    count, part_failing, part_late, share = part.rows[version]
                    expected[0] += count - old_noise * share
                    failed[0] += part_failing
                    slow[0] += part_late
                    own[0] += old_noise * share
            if np.count_nonzero(own):
                failed = failed + generator.poisson(own)
            cells.expected[version] = np.maximum(expected, 0.0)
            cells.failed[version] = failed
            cells.late[version] = slow
        self._open.clear()
        return cells

    def _rows(
        self, stretch: Stretch, edges: Array, base: Array, excused: bool
    ) -> dict[int, tuple[Array, Array, Array]]:
        """Expected (requests, failing, late) per cell of each version watched that has traffic."""
        if stretch.nobody:
            if excused or NOBODY not in self._seen:
                return {}
            return {NOBODY: (base, base * stretch.clear, 0.0 * base)}
        return {
            version: (requests, failing, late)
            for version, requests, failing, late in stretch.cells(edges, self._seen)
            if requests.any()
        }

    def _baseline(self, edges: Array, base: Array) -> tuple[list[float], Array]:
        """Expected baseline errors of the open parts and of each cell, were there one version."""
        plan, incident = self._rollout.plan, self._rollout.incident
        if not plan.noise:
            before = [part.incident * part.base for part in self._open]
            return before, incident * base if incident else np.zeros(len(base))
        if not self._open:
            noise = self.noise.expected(edges, base)
            return [], noise + incident * base if incident else noise
        starts = [part.start for part in self._open]
        all_base = np.concatenate(([part.base for part in self._open], base))
        noise = self.noise.expected(np.concatenate((starts, edges)), all_base)
        count = len(starts)
        before = [
            float(n) + part.incident * part.base
            for n, part in zip(noise[:count], self._open, strict=True)
        ]
        after = noise[count:]
        return before, after + incident * base if incident else after

    def _leave_open(self, stretch: Stretch, a: float, b: float, excused: bool) -> None:
        """Count [a, b], which no period end closes, and keep it for the period that is open."""
        rollout = self._rollout
        many, rows, drawn = self._draw_one(stretch, a, b, excused)
        self._open.append(Part(a, many, rollout.incident, rows))
        self._counts.add(stretch, a, b, drawn, excused)

    def _draw_one(
        self, stretch: Stretch, a: float, b: float, excused: bool
    ) -> tuple[float, dict[int, tuple[float, int, int, float]], dict[int, int]]:
        """Requests in [a, b]; per version (expected good, failing, late); drawn bad ones."""
        plan = self._rollout.plan
        poisson = self._rollout.luck.counts().poisson
        rows: dict[int, tuple[float, int, int, float]] = {}
        drawn: dict[int, int] = {}
        if stretch.nobody or stretch.varying:
            edges = np.array([a, b])
            base = plan.requests(edges)
            many = float(base[0])
            found = [
                (v, float(r[0]), float(f[0]), float(s[0]))
                for v, (r, f, s) in self._rows(stretch, edges, base, excused).items()
            ]
        else:
            many, found = plan.requests_between(a, b), []
            for version, s in enumerate(stretch.versions):
                if s.share > 0 and version in self._seen:
                    part = many * s.share
                    found.append((version, part, part * s.failing, part * s.late))
            if stretch.mirror and MIRROR in self._seen:
                part, s = many * stretch.mirror, stretch.versions[NEW]
                found.append((MIRROR, part, part * s.failing, part * s.late))
        for version, requests, failing, late in found:
            bad = int(poisson(failing)) if failing > 0 else 0
            slow = int(poisson(late)) if late > 0 else 0
            drawn[version] = bad + slow
            share = requests / many if many > 0 else 0.0
            rows[version] = (requests - failing - late, bad, slow, share)
        return many, rows, drawn

    def _close_one(self, stretch: Stretch, a: float, excused: bool) -> tuple[float, bool]:
        """Close the period that is open; returns its end, and whether an alarm tripped."""
        rollout, first = self._rollout, self._alarms[0]
        end = first.end(first.next)
        many, parts, drawn = self._draw_one(stretch, a, end, excused)
        self._open.append(Part(a, many, rollout.incident, parts))
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
            if not rows and alarm.words.watch == "new" and not rollout.router.began:
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

    def _settle_open(self, end: float) -> dict[int, Closed]:
        """What each version comes to in the open period, baseline errors drawn as well."""
        rollout, parts = self._rollout, self._open
        noisy = rollout.plan.noise > 0
        counts: dict[int, Closed] = {}
        for index, part in enumerate(parts, 1):
            if not part.rows:
                continue
            own = part.incident * part.base
            if noisy:
                until = parts[index].start if index < len(parts) else end
                own += self.noise.between(part.start, until, part.base)
            for version, (good, failing, late, share) in part.rows.items():
                row = counts.get(version)
                if row is None:
                    row = counts[version] = Closed()
                bad = own * share
                row.baseline += bad
                row.good += good - bad
                row.failed += failing
                row.late += late
        poisson = rollout.luck.counts().poisson
        for row in counts.values():
            if row.baseline > 0:
                row.failed += int(poisson(row.baseline))
        return counts


@cache
def _seen(scopes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The versions that anybody looks at, in order."""
    return tuple(sorted({version for versions in scopes for version in versions}))


def _drawn(generator: np.random.Generator, expected: Array) -> NDArray[np.int64]:
    """Poisson counts; nothing is drawn where nothing is expected in any cell."""
    if np.count_nonzero(expected):
        return generator.poisson(expected)
    return np.zeros(len(expected), np.int64)
