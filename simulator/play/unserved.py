"""Requests that reach no version: a cache answers them, or they are refused on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.play.shares import Aside

if TYPE_CHECKING:
    from simulator.play.state import State


def reaching(state: State, now: float) -> tuple[Any, Any]:
    """The shares of the requests for (old, new) that no cache answers and nobody refuses."""
    plan, situation = state.plan, state.situation
    cache, let = plan.cached, 1.0
    if situation.blocked:
        let = 1.0 - plan.writes
    if cache is None:
        return let, let
    old = new = let * plan.misses
    since = situation.cache_since
    if not cache.shared and since is not None and now < since + cache.ttl:
        state.varying = True
        state.until = min(state.until, since + cache.ttl)
        new = let
    return old, new


def hits(state: State, t: Any) -> Any:
    """The share of the new version's requests that its cache answers at t seconds."""
    cache, since = state.plan.cached, state.situation.cache_since
    assert cache is not None
    if cache.shared or since is None:
        return cache.hits
    return cache.hits * np.clip((t - since) / cache.ttl, 0.0, 1.0)


def aside(
    state: State, weight: Any, trailing: Any, leak: Any, own: Any = None
) -> tuple[Aside, ...]:
    """What reaches no version; `trailing` is the new version's part of the cached answers."""
    plan, found = state.plan, list[Aside]()
    if state.situation.blocked:
        writes = plan.writes * state.clear
        found.append(Aside(plan.writes, state.clear, True, (writes, writes), (0.0, 0.0)))
    cache, fault = plan.cached, state.fault
    if cache is None:
        return tuple(found)
    wrong = (fault.fail + leak + (fault.load if state.loaded else 0.0)) * state.clear
    if cache.shared:
        seen = cache.hits * trailing * wrong
        failing = fault.users * trailing * wrong
        found.append(Aside(cache.hits, failing, False, (0.0, 0.0), (seen, seen)))
    else:
        own = cache.hits if own is None else own
        failing = fault.users * wrong
        found.append(Aside(weight * own, failing, False, (0.0, 0.0), (0.0, own * wrong)))
    return tuple(found)
