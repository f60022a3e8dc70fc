"""Which zone gets an instance, and which instance goes (AWS Auto Scaling user guide, 2023)."""

from __future__ import annotations

from collections.abc import Sequence


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
