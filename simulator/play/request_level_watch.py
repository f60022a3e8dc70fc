"""Watching in the request-level model: alarms that are polled, users who report, audits.

Part of `request_level`: plain SimPy, written to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.play.request_level_service import (
    COPY,
    NEW,
    NOBODY,
    OLD,
    Process,
    sample,
)
from simulator.play.request_level_traffic import INSTANT

if TYPE_CHECKING:
    from simulator.play.request_level import PlainRollout
    from simulator.words.detection import Alarm, Judge

SCOPES = {"new": (NEW, COPY), "old": (OLD,), "service": (OLD, NEW, NOBODY)}


class PlainWatch:
    """Everything that may notice something, from the first period that reaches into the release.

    A detector calls `rollout.abort` with its name. A period is closed an instant before its end,
    so that at equal times alarms come before steps of the script.
    """

    def __init__(self, rollout: PlainRollout, phase: float) -> None:
        self.rollout, self.env, self.rng = rollout, rollout.env, rollout.rng
        self.service = rollout.service
        detection = rollout.scenario.detection
        self.people, self.audit, self.noticed = detection.people, detection.audit, detection.noticed
        self.reports = 0
        judges = rollout.strategy.judges(detection.judge)
        if detection.burn_rate or any(judge.test != "threshold" for judge in judges):
            raise ValueError("no burn rates and only threshold judges are known here")
        for alarm in detection.alarms:
            self.env.process(self._alarm(alarm, phase))
        if self.audit is not None:
            self.env.process(self._audits(self.audit.every, self.audit.coverage))
        self.service.when_complained = self._someone_was_harmed
        self.service.when_harming = self._harm_began

    def counted(self, versions: tuple[int, ...], metric: str) -> tuple[int, int]:
        """So far (requests, bad requests by this metric) of these versions."""
        rows = [self.service.seen[version] for version in versions]
        errors = sum(row[1] for row in rows) if metric != "late" else 0
        late = sum(row[2] for row in rows) if metric != "errors" else 0
        return sum(row[0] for row in rows), errors + late

    def _alarm(self, words: Alarm, phase: float) -> Process:
        """Look at each period when it is over, until m of the last n datapoints are breaches."""
        env, versions = self.env, SCOPES[words.watch]
        end = -phase * words.period if words.phase == "random" else 0.0
        yield env.timeout(end - env.now)
        requests, bad = self.counted(versions, words.metric)
        breaches: list[bool] = []
        while sum(breaches) < words.m:
            end += words.period
            yield env.timeout(end - INSTANT - env.now)
            requests_now, bad_now = self.counted(versions, words.metric)
            breach = self._datapoint(words, requests_now - requests, bad_now - bad)
            requests, bad = requests_now, bad_now
            if breach is not None:
                breaches = [*breaches, breach][-words.n :]
        yield env.timeout(words.delay)
        self.rollout.abort(words.label)

    def _datapoint(self, words: Alarm, requests: int, bad: int) -> bool | None:
        """Whether a period is a breach; None when it is no datapoint."""
        if words.watch == "new" and not self.service.began:
            return None
        if requests >= max(words.minimum_requests, 1):
            return bad / max(requests, 1) > words.above
        return {"breaching": True, "notBreaching": False}.get(words.missing)

    def open_window(self) -> None:
        """A judge will look at what the new version answers from now on."""
        self.window = [list(self.service.seen[version]) for version in (NEW, COPY)]

    def verdict(self, judge: Judge) -> str:
        """Pass, fail, or none with too few requests since the window was opened."""
        requests, bad = self.counted((NEW, COPY), judge.metric)
        for before in self.window:
            requests -= before[0]
            bad -= before[1] if judge.metric != "late" else 0
            bad -= before[2] if judge.metric != "errors" else 0
        if requests < max(judge.minimum_requests, 1):
            return "none"
        return "fail" if bad > judge.limit * requests else "pass"

    def _someone_was_harmed(self) -> None:
        """A user met something bad for the first time; some of them report it, a while later."""
        if self.people is not None and self.rng.random() < self.people.report_rate:
            self.env.process(self._report())

    def _report(self) -> Process:
        assert self.people is not None
        yield self.env.timeout(sample(self.people.delay, self.rng))
        self.reports += 1
        if self.reports == self.people.needed:
            yield self.env.timeout(sample(self.people.triage, self.rng))
            self.rollout.abort("people")

    def _harm_began(self) -> None:
        if self.noticed is not None:
            self.env.process(self._notice(sample(self.noticed.after, self.rng)))

    def _notice(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        self.rollout.abort("noticed")

    def _audits(self, every: float, coverage: float) -> Process:
        """Each audit finds corrupt data, if there is any, with probability `coverage`."""
        yield self.env.timeout(self.rng.random() * every - self.env.now)
        while True:
            if self.service.corrupt and self.rng.random() < coverage:
                self.rollout.abort("audit")
            yield self.env.timeout(every)
