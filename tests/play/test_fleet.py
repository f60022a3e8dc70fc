"""Who fails, who leaves, and who is mended: one instance at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.play.fleet import NEW, OLD, Drift, Fleet


def test_whoever_is_replaced_takes_its_failure_along() -> None:
    """The second oldest of four old ones fails: it is still there when the oldest leaves, gone with
    the next, and with nothing deployed it would still be down."""
    fleet = Fleet(4)
    fleet.fail(OLD, 1)
    fleet.down += 1
    fleet.leave(OLD, 1)
    assert fleet.serving() == (2, 0)
    fleet.leave(OLD, 1)
    fleet.join(NEW, 2, 60.0)
    assert fleet.serving() == (2, 2)
    assert fleet.lost(10.0) == 10.0


def test_only_healthy_ones_fail() -> None:
    """Of five the first healthy one fails, three times: the three oldest are broken, and none of
    those who stay when they have left."""
    fleet = Fleet(5)
    places = [fleet.fail(OLD, 0).place for _ in range(3)]
    assert places == [0, 1, 2]
    assert fleet.fail(OLD, 1).place == 4
    fleet.leave(OLD, 3)
    assert [one.place for one in fleet.broken] == [1]
    assert fleet.healthy(OLD) == 1


def test_a_flag_does_not_mend_anything() -> None:
    """Two old ones, then three new ones that came at 10 s and one old one at 20 s: relabelled, the
    broken second new one is fourth, and the broken last old one sixth."""
    fleet = Fleet(2)
    fleet.join(NEW, 3, 10.0)
    fleet.join(OLD, 1, 20.0)
    fleet.fail(NEW, 1)
    fleet.fail(OLD, 2)
    fleet.relabel()
    assert [(one.version, one.place) for one in fleet.broken] == [(OLD, 3), (OLD, 5)]
    assert fleet.serving() == (4, 0)
    fleet.leave(OLD, 4)
    assert fleet.serving() == (1, 0)


def test_those_who_move_along_a_course_are_as_healthy_as_the_others() -> None:
    """Of 100 old ones 10 are broken: while they leave, a tenth of those who are left; of the new
    ones one that was there before, and none of those who come."""
    fleet = Fleet(100)
    fleet.join(NEW, 5, 0.0)
    for _ in range(10):
        fleet.fail(OLD, 0)
    fleet.fail(NEW, 4)
    fleet.begin(Drift(NEW, 0.0, lambda t: t, lambda t: t))
    old, new = fleet.sound((np.array([100.0, 50.0]), np.array([5.0, 55.0])))
    assert old == pytest.approx([90.0, 45.0])
    assert new == pytest.approx([4.0, 54.0])
    assert fleet.lost(math.inf) == 0.0
