"""Calm: how far a harmless stretch goes on before any alarm could possibly breach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.play.alarm import AlarmWatch
from simulator.play.cells import Part
from simulator.play.noise import Noise

if TYPE_CHECKING:
    from simulator.play.plan import Plan

Levels = tuple[tuple[float, float], ...]


def calm_until(
    plan: Plan,
    noise: Noise,
    alarms: Sequence[AlarmWatch],
    parts: Sequence[Part],
    shares: Sequence[float],
    span: tuple[float, float],
    count: int,
) -> float:
    """How far in span = (a, b), seconds, no alarm can breach, but for one chance in 1e12.

    All alarms share their periods, of which `count` end in the span; `parts` are what the open
    period holds, `shares` the share of the requests that each version gets. The result is b, a
    period's end, or a if not at all.
    """
    a, b = span
    first = alarms[0]
    rest = plan.requests_between(a, first.end(first.next))
    rate, multiplier = 0.0, math.inf
    for alarm, levels in zip(alarms, plan.quiet_from, strict=True):
        if alarm.done:
            continue
        share = 0.0
        for version in alarm.versions:
            share += shares[version]
        if not alarm.calm or (share == 0 and alarm.rule.missing == "breaching"):
            return a
        if alarm.rule.missing == "breaching" and not _enough(alarm, rest * share):
            return a
        level = _level(alarm, parts, rest * share, levels)
        if level is None:
            return a
        if level[0] < multiplier:
            multiplier = level[0]
        if share > 0:
            rate = max(rate, level[1] / (share * alarm.period))
    until = plan.load.busy_until(a, b, rate) if count > 1 else b
    if multiplier < math.inf:
        start = min(parts[0].start, a) if parts else a
        until = min(until, noise.calm_until(start, b, multiplier))
    if until < b:
        count = first.count_to(until)
        return first.end(first.next + count - 1) if count > 0 else a
    return b


def _enough(alarm: AlarmWatch, requests: float) -> bool:
    """Whether a period with so many expected requests has the minimum, but for 1 chance in 1e16."""
    return requests - 8.3 * math.sqrt(requests) >= alarm.rule.fewest


def _level(
    alarm: AlarmWatch, parts: Sequence[Part], requests: float, levels: Levels
) -> tuple[float, float] | None:
    """The largest multiplier at which the open period, with so many to come, cannot breach."""
    for part in parts:
        if part.incident:
            return None
        for version in alarm.versions:
            if version in part.rows:
                expected, failing, late, _ = part.rows[version]
                if failing or late:
                    return None
                requests += expected
    for level in levels:
        if requests == 0 or requests >= level[1]:
            return level
    return None
