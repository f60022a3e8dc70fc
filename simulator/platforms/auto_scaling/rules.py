"""Which zone gets an instance, and which instance goes (AWS Auto Scaling user guide, 2023)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.words.units import exact


def spread(count: int, zones: int, skew: int = 0) -> tuple[int, ...]:
    """Instances by zone: `skew` more in the first one, the rest spread evenly, shape (zones,)."""
    skew = min(skew, count)
    each, over = divmod(count - skew, zones)
    even = [each + (zone < over) for zone in range(zones)]
    return (even[0] + skew, *even[1:])


def scale_out(old: Sequence[int], new: Sequence[int], count: int) -> tuple[int, ...]:
    """New instances by zone after `count` more were started, each where fewest instances are."""
    found = list(new)
    for _ in range(count):
        zone = min(range(len(found)), key=lambda z: (old[z] + found[z], z))
        found[zone] += 1
    return tuple(found)


def scale_in(
    old: Sequence[int], new: Sequence[int], count: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Old and new instances by zone after `count` were ended by the default termination policy.

    It takes one from the zone with most instances, of those the zone with the oldest launch
    configuration, and there the oldest launch configuration first: a new instance goes while old
    ones are left when its zone has more than theirs.
    """
    olds, news = list(old), list(new)
    for _ in range(count):
        zone = max(range(len(olds)), key=lambda z: (olds[z] + news[z], olds[z] > 0, -z))
        if olds[zone]:
            olds[zone] -= 1
        else:
            news[zone] -= 1
    return tuple(olds), tuple(news)


class Refresh(NamedTuple):
    """Instances that may be missing, and that may be added, while a refresh replaces them."""

    missing: int
    added: int


def refresh(size: int, minimum: float, maximum: float) -> Refresh:
    """The limits of an instance refresh: shares of the group that stay healthy, and are there most.

    `minimum` 100 % with `maximum` 100 % replaces one at a time, ended before its successor starts;
    0 % all at once. What must be healthy is rounded up, what may be there down; where both leave no
    room one instance is replaced at a time: added first if the maximum is above 100 %. Source: Auto
    Scaling API, RefreshPreferences (2026); the rounding is not documented (inference).
    """
    missing = size - math.ceil(size * exact(minimum))
    added = math.floor(size * exact(maximum)) - size
    if missing + added > 0:
        return Refresh(missing, max(added, 0))
    return Refresh(0, 1) if maximum > 1 else Refresh(1, 0)
