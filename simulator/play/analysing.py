"""Analyses: measurements at equal intervals that end a release when too many of them have failed.

A measurement looks back over a window of requests; those of a cell that is only partly in it are
its share of the time, drawn once. Like alarms they are found by looking ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.play.alarm import Periods
from simulator.play.watch import SCOPES, Watch

if TYPE_CHECKING:
    from simulator.play.alarm import Array
    from simulator.play.cells import Cells
    from simulator.play.counts import Counts
    from simulator.play.plan import Plan
    from simulator.play.rollout import Rollout
    from simulator.play.stretch import Stretch
    from simulator.words.analysis import Analysis

RETRY: Final = 10.0
_ON, _AGAIN, _OVER, _FAILED, _BLIND = range(5)


class Tally:
    """What an analysis has seen and counted.

    `cells` are (start, end, bad, other) requests, seconds; `made` measurements had a value, of
    which `failed`, and `errors` in a row had none.
    """

    __slots__ = ("cells", "errors", "failed", "made")

    def __init__(self) -> None:
        self.cells: list[tuple[float, float, int, int]] = []
        self.made = self.failed = self.errors = 0

    def copy(self) -> Tally:
        """The same, to go on from without touching this one."""
        other = Tally()
        other.cells, other.made = self.cells[:], self.made
        other.failed, other.errors = self.failed, self.errors
        return other

    def measure(self, now: float, words: Analysis, generator: np.random.Generator) -> int:
        """Make a measurement now; whether it goes on, again soon, or how it is over."""
        newest = now - words.delay
        self._cut(newest, generator)
        self._cut(newest - words.window, generator)
        self.forget(newest - words.window)
        seen = [cell for cell in self.cells if cell[1] <= newest]
        bad = sum(cell[2] for cell in seen)
        requests = bad + sum(cell[3] for cell in seen)
        without = requests < words.minimum_requests
        if without and words.no_data == "error":
            self.errors += 1
            return _BLIND if self.errors > words.error_limit else _AGAIN
        self.errors = 0
        self.made += 1
        self.failed += words.no_data == "fail" if without else bad / requests > words.above
        if self.failed > words.failure_limit:
            return _FAILED
        return _OVER if words.most is not None and self.made >= words.most else _ON

    def forget(self, before: float) -> None:
        """Cells that ended by then (seconds) are not needed any more."""
        self.cells = [cell for cell in self.cells if cell[1] > before]

    def _cut(self, at: float, generator: np.random.Generator) -> None:
        """Make two of the cell that goes on over this moment."""
        for place, (start, end, bad, other) in enumerate(self.cells):
            if start < at < end:
                part = (at - start) / (end - start)
                early, fine = generator.binomial((bad, other), part).tolist()
                self.cells[place : place + 1] = [
                    (start, at, early, fine),
                    (at, end, bad - early, other - fine),
                ]
                return


class AnalysisWatch(Periods):
    """The state of one analysis: what it has seen, and, while it is `running`, its measurements.

    They are made at origin + k x period; without a value one is made again ten seconds later, and
    the others follow from there; if each has a value it is over at `until` (seconds). What came
    before it was started is remembered as far as a window reaches; of the old version also what
    came before the deployment.
    """

    __slots__ = (
        "_after",
        "_done",
        "_ends",
        "_generator",
        "_since",
        "_tally",
        "_verdict",
        "running",
        "until",
        "versions",
        "words",
    )

    words: Analysis

    def __init__(self, words: Analysis, plan: Plan, generator: np.random.Generator) -> None:
        self.words, self.versions, self._generator = words, SCOPES[words.watch], generator
        self.origin, self.period, self.next = 0.0, words.interval or RETRY, 0
        self.done = self.running = False
        self._own = np.empty(0, np.intp)
        self._tally, self._since, self._verdict = Tally(), 0.0, _ON
        self._after: list[tuple[int, Tally]] = []
        self._ends = np.empty(0)
        self._done: Callable[[], None] | None = None
        self.until = 0.0
        if words.watch != "new":
            start = -words.window - words.delay
            many = plan.requests_between(start, 0.0)
            bad = int(generator.poisson(plan.noise * many)) if words.metric != "late" else 0
            if words.metric != "errors" and plan.latency is not None:
                bad += int(generator.poisson(plan.latency.usually(np.array([start, 0.0]))[0]))
            self._tally.cells.append((start, 0.0, bad, round(many) - bad))

    def _left(self, count: int) -> int:
        """How many of `count` further measurements it will make."""
        if not self.running:
            return 0
        most = self.words.most
        return count if most is None else min(count, most - self._tally.made)

    def count_to(self, b: float) -> int:
        """How many measurements it makes up to and including b."""
        return self._left(super().count_to(b))

    def closing(self, count: int) -> Array:
        """When it makes the next `count` measurements, seconds."""
        return super().closing(self._left(count))

    def first_trip(self, cells: Cells, ends: Array, alone: bool) -> int | None:
        """The index of the first cell at whose end it has more to say than to go on, or None."""
        self._find_own(ends, False)
        self._after, self._ends = [], ends
        if not len(self._own):
            return None
        tally, own = self._tally.copy(), set(self._own.tolist())
        for place, cell in enumerate(self._cells(cells, 0, int(self._own[-1]) + 1)):
            tally.cells.append(cell)
            if place in own:
                verdict = tally.measure(float(ends[place]), self.words, self._generator)
                self._after.append((place, tally.copy()))
                if verdict != _ON:
                    self._verdict = verdict
                    return place
        return None

    def advance(self, cells: Cells, closed: int) -> None:
        """Take over the first `closed` cells."""
        taken, rest = int(self._own.searchsorted(closed)), 0
        if taken:
            last, self._tally = self._after[taken - 1]
            self.next += taken
            rest = last + 1
        self._tally.cells += self._cells(cells, rest, closed)
        self._since = float(self._ends[closed - 1])
        if not self.running:
            self._tally.forget(self._since - self.words.delay - self.words.window)

    def _cells(self, cells: Cells, first: int, stop: int) -> list[tuple[float, float, int, int]]:
        """These cells as a tally keeps them."""
        starts = [self._since, *self._ends[: stop - 1].tolist()][first:]
        ends = self._ends[first:stop].tolist()
        if not cells.has(self.versions):
            return [(start, end, 0, 0) for start, end in zip(starts, ends, strict=True)]
        bad = cells.bad(self.versions, self.words.metric)[first:stop]
        other = cells.requests(self.versions)[first:stop] - bad
        return list(zip(starts, ends, bad.tolist(), other.tolist(), strict=True))

    def begin(self, rollout: Rollout, done: Callable[[], None] | None) -> None:
        """Start a run of it now; `done` is called when it has passed."""
        tally, now = self._tally, rollout.now
        tally.made = tally.failed = tally.errors = 0
        self.running, self.done, self._done = True, False, done
        self.origin, self.next = now + self.words.initial_delay, 0
        self.until = now + self.words.lasts
        if not self.words.initial_delay:
            self.next = 1
            self._verdict = tally.measure(now, self.words, self._generator)
            self.speak(rollout, now)

    def speak(self, rollout: Rollout, when: float) -> None:
        """What the last measurement, made at this moment (seconds), leads to."""
        if self._verdict == _AGAIN:
            self.origin, self.next = when + RETRY, 0
        elif self._verdict == _OVER:
            self.stop()
            if self._done is not None:
                rollout.at(when, self._done)
        elif self._verdict != _ON:
            self.stop()
            words, blind = self.words, self._verdict == _BLIND
            rollout.trip(words.label_without_data if blind else words.label, when)

    def give_up(self, rollout: Rollout) -> None:
        """Nobody watches any more: whoever waits for it goes on when it would have been over."""
        if self.running and self._done is not None:
            rollout.at(self.until, self._done)
        self.stop()

    def stop(self) -> None:
        """It measures no more, but remembers."""
        self.running = False


class AnalysingWatch(Watch):
    """Watching with the analyses of the strategy among the detectors."""

    __slots__ = ("_analyses",)

    def __init__(self, rollout: Rollout, counts: Counts, active: bool) -> None:
        plan, generator = rollout.plan, rollout.luck.counts()
        words = plan.analyses if active else ()
        self._analyses = [AnalysisWatch(one, plan, generator) for one in words]
        super().__init__(rollout, counts, active)

    def close(self) -> None:
        """Nobody looks any longer."""
        super().close()
        for one in self._analyses:
            one.give_up(self._rollout)

    def _gather(self) -> None:
        super()._gather()
        self._all += self._analyses
        self._alone, self._plain = len(self._all) == 1, False

    def _coast(self, stretch: Stretch, a: float, b: float, count: int) -> float:
        return a

    def _skip(self, stretch: Stretch, a: float, b: float, count: int) -> float:
        return a

    def begin(self, words: Analysis, done: Callable[[], None] | None) -> AnalysisWatch:
        """Start a run of one of the strategy's analyses now."""
        self._cut(self._rollout.now)
        found = next(one for one in self._analyses if one.words == words and not one.running)
        found.begin(self._rollout, done)
        return found
