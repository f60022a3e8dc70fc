"""Consumers that pull from a queue: how much of what comes they work on, and whether it is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.play.fates import usual_capacity
from simulator.play.retrying import retried

if TYPE_CHECKING:
    from simulator.play.state import State

_STEPS = 32


def let_pull(state: State, now: float) -> None:
    """Consumers pull from a queue from now on; while instances join and leave, in small pieces."""
    drift, backlog = state.fleet.drift, state.situation.backlog
    if drift is not None and now < drift.start + drift.span:
        state.until = min(state.until, now + max(drift.span, 1.0) / _STEPS)
    if state.harmful or (backlog is not None and backlog.waiting(now)):
        state.harmful = True
        pull(state, now)


def pull(state: State, now: float) -> None:
    """Let the consumers of a state pull from now on: every version its part by who is in service.

    What is worked on is then `reached` of what arrives, and `overdue` when it is older than the
    deadline although it would not be with nothing deployed. Messages that failed are pulled again.
    """
    situation, backlog = state.situation, state.situation.backlog
    assert backlog is not None
    flow = backlog.flow(now, _carried(state, now) / _tries(state))
    usually = situation.usual_backlog
    late = flow.late
    if usually is not None:
        before = usually.flow(now, usual_capacity(state))
        late = late and not before.late
        state.until = min(state.until, before.until)
    state.until = min(state.until, flow.until)
    old, new = state.reached
    state.reached = (old * flow.served, new * flow.served)
    state.overdue = 1.0 if late else 0.0


def _carried(state: State, now: float) -> float:
    """Requests/s that all instances that pull can work on."""
    if state.nobody:
        return 0.0
    old, new = (float(capacity) for capacity in state.capacity)
    drift, plan = state.fleet.drift, state.plan
    if drift is not None and plan.capacity < np.inf:
        middle = (now + min(state.until, drift.start + drift.span)) / 2
        in_service = state.fleet.sound(state.in_service(np.array([middle])))
        each = plan.capacity * state.fleet.lit * (1.0 - state.fleet.worn)
        old, new = (float(count[0]) * each for count in in_service)
        new /= state.fault.factor
    if state.weight <= 0.0:
        return old
    return new if state.weight >= 1.0 else old + new


def _tries(state: State) -> float:
    """How often a message is worked on, compared with normal operation."""
    if not state.plan.retries or state.nobody:
        return 1.0
    found = retried(state, *state.moment(state.plan.rate), (1.0, 1.0))
    old, new = found.more
    return float((1.0 - state.weight) * old + state.weight * new)
