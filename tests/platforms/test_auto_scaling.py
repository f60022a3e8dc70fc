"""Which instance an auto scaling group starts and ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.auto_scaling.rules import scale_in, scale_out, spread


def test_a_balanced_group_ends_the_old_ones() -> None:
    old, new = spread(12, 3), scale_out((4, 4, 4), (0, 0, 0), 12)
    assert old == (4, 4, 4)
    assert new == (4, 4, 4)
    assert scale_in(old, new, 12) == ((0, 0, 0), (4, 4, 4))


def test_an_unbalanced_group_ends_new_ones_too() -> None:
    """All twelve in one zone: new ones start in the two others, and twelve leave evenly."""
    old = spread(12, 3, skew=12)
    assert old == (12, 0, 0)
    new = scale_out(old, (0, 0, 0), 12)
    assert new == (0, 6, 6)
    assert scale_in(old, new, 12) == ((4, 0, 0), (0, 4, 4))


@given(
    count=st.integers(1, 60),
    zones=st.integers(1, 6),
    skew=st.integers(0, 60),
    by=st.integers(0, 60),
)
@settings(max_examples=200, deadline=None)
def test_nothing_is_lost_and_the_zones_come_closer(
    count: int, zones: int, skew: int, by: int
) -> None:
    old = spread(count, zones, skew)
    new = scale_out(old, (0,) * zones, by)
    assert sum(old) == count
    assert sum(new) == by
    gone = min(count, count + by)
    olds, news = scale_in(old, new, gone)
    assert sum(olds) + sum(news) == by
    assert all(0 <= a <= b for a, b in zip((*olds, *news), (*old, *new), strict=True))
    before = [a + b for a, b in zip(old, new, strict=True)]
    after = [a + b for a, b in zip(olds, news, strict=True)]
    assert max(after) - min(after) <= max(max(before) - min(before), 1)
