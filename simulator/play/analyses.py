"""Verbs of scripts that measure: analyses beside further steps, or as a step of their own."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from simpy import Event

from simulator.play.analysing import RETRY, AnalysingWatch
from simulator.play.replicas import ReplicaVerbs

if TYPE_CHECKING:
    from simulator.play.analysing import AnalysisWatch
    from simulator.play.waits import Script
    from simulator.words.analysis import Analysis


class AnalysisVerbs(ReplicaVerbs):
    """Verbs that measure: beside further steps, or as a step. The analyses are the strategy's."""

    _beside: tuple[AnalysisWatch, ...]

    def begin_analysis(self, analyses: tuple[Analysis, ...]) -> Script:
        """From now on measure these, until `end_analysis`."""
        yield from self._gate()
        if analyses:
            self.note("begin analysis", len(analyses))
            watch = self.watch
            if isinstance(watch, AnalysingWatch) and watch.active:
                self._beside = tuple(watch.begin(one, None) for one in analyses)

    def end_analysis(self) -> Script:
        """Measure no more: what has not failed by now has passed."""
        yield from self._gate()
        if self._beside:
            self.note("end analysis")
            self.last_watch = self.now
        for one in self._beside:
            one.stop()
        self._beside = ()

    def analyse(self, analyses: tuple[Analysis, ...], least: float = 0.0) -> Script:
        """Measure these until all have passed, and for so many seconds at least; then go on."""
        yield from self._gate()
        if not analyses and not least:
            return
        start, takes = self.now, max(one.lasts for one in analyses) if analyses else 0.0
        if takes == math.inf:
            yield from self._forever()
        self.note("analyse", max(takes, least))
        if isinstance(self.watch, AnalysingWatch) and self.watch.active:
            over = [self.env.event() for _ in analyses]
            runs = [
                self.watch.begin(one, partial(_succeed, event))
                for one, event in zip(analyses, over, strict=True)
            ]
            for run, event in zip(runs, over, strict=True):
                yield from self._wait_for(run, event)
        else:
            yield self.env.timeout(takes)
        yield self.env.timeout(max(start + least - self.now, 0.0))
        self.last_watch = self.now
        yield from self._gate()

    def _wait_for(self, run: AnalysisWatch, over: Event) -> Script:
        """Wait until a run is over; once more for each time that it had to try again."""
        while not over.triggered:
            if run.running:
                more = max(run.until - self.now, RETRY)
                yield self.env.any_of((over, self.env.timeout(more)))
            else:
                yield over


def _succeed(event: Event) -> None:
    """Let whoever waits for it go on, once."""
    if not event.triggered:
        event.succeed()
