"""Quadrature and products agree where both can be used."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.play.fault import Fault
from simulator.play.fleet import NEW, Fleet
from simulator.play.rehearsal import prepare
from simulator.play.router import Router
from simulator.play.situation import Situation
from simulator.play.stretch import Stretch
from tests.play.playing import bare


def stretch(fault: Fault, weight: float = 0.3, capacity: str = "capacity: 200 rps") -> Stretch:
    scenario = bare(service=capacity)
    plan = prepare(scenario, "big_bang")
    fleet, router = Fleet(10), Router(plan.scenario.router)
    fleet.join(NEW, 1, 0.0)
    router.take_effect(weight, 0.0)
    return Stretch(plan, fleet, router, Situation(fault), 10.0)


def test_varying_and_constant_stretches_give_the_same_numbers() -> None:
    fault = Fault("errors")
    fault.fail, fault.users = 0.2, 0.5
    constant, varying = stretch(fault), stretch(fault)
    varying.varying = True
    edges = np.array([10.0, 70.0, 100.0, 4000.0])
    for a, b in zip(constant.cells(edges), varying.cells(edges), strict=True):
        for x, y in zip(a[1:], b[1:], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9)
    one, two = constant.sums(10.0, 500.0), varying.sums(10.0, 500.0)
    np.testing.assert_allclose(one[0], two[0])
    np.testing.assert_allclose(one[3], two[3], rtol=1e-9)


def test_overload_is_shed_by_version() -> None:
    """300 rps on one instance of 200 rps: a third of its requests is rejected, 10 % of all."""
    found = stretch(Fault("errors"))
    assert found.versions[NEW].failing == pytest.approx(1 / 3)
    assert found.harm == pytest.approx(0.1)


def test_a_leak_is_integrated_over_its_kinks() -> None:
    """One cohort joined at 0, onset 100 s, ramp 200 s to 50 %: the failing share of the new
    version's requests from 0 to 400 s is 0.5 (200 / 2 + 100) / 400."""
    fault = Fault("leak")
    fault.leak, fault.onset, fault.ramp = 0.5, 100.0, 200.0
    scenario = bare()
    plan = prepare(scenario, "big_bang")
    fleet, router = Fleet(10), Router(plan.scenario.router)
    fleet.join(NEW, 10, 0.0)
    router.take_effect(1.0, 0.0)
    total, now = 0.0, 0.0
    while now < 400.0:
        part = Stretch(plan, fleet, router, Situation(fault), now)
        end = min(part.until, 400.0)
        total += part.sums(now, end)[3][NEW][1]
        now = end
    assert total == pytest.approx(1000 * 0.5 * (200 / 2 + 100), rel=1e-9)
