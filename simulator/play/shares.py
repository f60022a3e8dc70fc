"""What becomes of requests, as shares of them: by version, and of those that reach none."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np


class Shares(NamedTuple):
    """What becomes of the requests of one version (floats, or arrays over time).

    `share` of all requests reach it; of these `failing` are failed or rejected and `late` are late
    because of the deployment, `corrupt` are writes gone wrong. For a single user: `common` is the
    bad share that anyone on this version meets, `segment` what those within the defect's reach
    meet on top. `anyway` are late with nothing deployed as well: detectors see them, no harm.
    """

    share: Any
    failing: Any
    late: Any
    corrupt: Any
    common: Any
    segment: Any
    anyway: Any = 0.0


class Aside(NamedTuple):
    """Requests that reach no version, so that no detector counts them: answered or refused before.

    `share` of all requests, of which `failing` are bad; `excused` when that was announced. For a
    single user on (old, new): the bad shares `common` and `segment` as in Shares.
    """

    share: Any
    failing: Any
    excused: bool
    common: tuple[Any, Any]
    segment: tuple[Any, Any]


NOTHING: Final = Shares(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@lru_cache(maxsize=4096)
def well(share: float) -> Shares:
    """A version that gets this share of the requests, none of them bad."""
    return Shares(share, 0.0, 0.0, 0.0, 0.0, 0.0)


def both(weight: Any) -> Any:
    """1 where both versions get requests, else 0."""
    return np.where((weight > 0) & (weight < 1), 1.0, 0.0)


def from_one_limit(total: float, old: Any, new: Any, factor: float) -> tuple[Any, Any]:
    """What (old, new) carry, requests/s, when loads `old` and `new` share one limit `total`.

    Loads are shares of all requests; a slow version holds each of its requests `factor` times as
    long, so that it counts so many times: in flight = rate x service time.
    """
    if total == math.inf:
        return total, total
    each = total / (old + factor * new + 1e-300)
    return each * old, each * new


def divided(capacity: tuple[Any, Any], weight: Any, factor: float) -> tuple[Any, Any]:
    """The same instances, divided anew between (old, new) as their requests are: requests/s."""
    whole = capacity[0] + capacity[1] * factor
    return ((1 - weight) * whole, weight * whole / factor) if whole < math.inf else (whole, whole)


def last_of(shares: Shares) -> Shares:
    """The shares at the last of several times, as floats."""
    return Shares(*(float(np.ravel(np.asarray(x))[-1]) for x in shares))


def last_aside(aside: Aside) -> Aside:
    """The same of what reaches no version."""

    def last(value: Any) -> float:
        return float(np.ravel(np.asarray(value))[-1])

    (old, new), (first, second) = aside.common, aside.segment
    return Aside(
        last(aside.share),
        last(aside.failing),
        aside.excused,
        (last(old), last(new)),
        (last(first), last(second)),
    )
