"""Users who keep what they have installed: who leaves is any of those that have it."""

from __future__ import annotations

import math

import pytest

from simulator.play.installing import Installing

NOTHING = (0.0, 0.0)


def test_who_leaves_is_any_of_those_that_have_it() -> None:
    """Half of 40 % meet 2 bad requests and the other half 1; half of either leaves, the rest meet 1
    more: spared are (e^-2 + e^-1)/2 of those who left, and e^-1 of that of those who stayed."""
    users = Installing(1.0)
    users.add((0.0, 1.0), 0.2, NOTHING, (1.0, 0.0), False)
    users.add((1.0, 2.0), 0.4, NOTHING, (1.0, 0.0), False)
    users.hold(0.2)
    spared = (math.exp(-2) + math.exp(-1)) / 2
    assert users.harmed() == pytest.approx(0.4 * (1 - spared))
    users.add((2.0, 3.0), 0.2, NOTHING, (1.0, 0.0), False)
    exact = 0.2 * (1 - spared) + 0.2 * (1 - spared * math.exp(-1))
    assert users.harmed() == pytest.approx(exact)
    assert users.reported_so_far == pytest.approx(exact)


def test_what_all_meet_takes_the_version_from_nobody() -> None:
    """A failure of everything in between (of weight 0) leaves those on new where they are."""
    users = Installing(1.0)
    users.add((0.0, 1.0), 0.3, NOTHING, (1.0, 0.0), False)
    users.add((1.0, 2.0), 0.0, (0.5, 0.0), (0.5, 0.0), False)
    ahead = users.copy()
    ahead.add((2.0, 3.0), 0.1, NOTHING, (9.0, 0.0), False)
    users.add((2.0, 3.0), 0.3, NOTHING, (1.0, 0.0), False)
    exact = 0.7 * -math.expm1(-0.5) + 0.3 * -math.expm1(-2.5)
    assert users.harmed() == pytest.approx(exact)


def test_all_who_had_it_are_as_many_however_they_leave() -> None:
    """Leaving in many steps keeps who was harmed; what meets everybody later meets them alike."""
    users = Installing(0.5)
    users.add((0.0, 1.0), 0.6, NOTHING, (0.0, 2.0), False)
    for step in range(60):
        users.hold(0.6 * math.exp(-0.2 * step))
    assert users.harmed() == pytest.approx(0.6 * 0.5 * -math.expm1(-2))
    users.add((1.0, 2.0), 0.0, (1.0, 0.0), (1.0, 0.0), True)
    spared = 0.4 + 0.6 * (0.5 + 0.5 * math.exp(-2))
    assert users.harmed() == pytest.approx(1 - spared * math.exp(-1))
    assert users.reported_so_far == pytest.approx(0.6 * 0.5 * -math.expm1(-2))
