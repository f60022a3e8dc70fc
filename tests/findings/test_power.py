"""What a gate can see, against the arithmetic of counts and of repeated looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from simulator.findings.means import Interval
from simulator.findings.power import blindest, sights
from simulator.findings.reach import reach
from simulator.findings.trial import ALL
from simulator.report import gates
from simulator.words.reading import load
from tests.play.playing import bare


def agrees(found: Interval, exact: float, count: int) -> bool:
    error = math.sqrt(max(exact * (1 - exact), 1e-4) / count)
    return found.value is not None and abs(found.value - exact) <= 4 * error


@pytest.mark.parametrize(
    ("bake", "above", "least", "power"), [(5, 2.5, 2, 0.337), (30, 0.7, 3, 0.9745)]
)
def test_a_judge_at_two_requests_a_second(
    bake: float, above: float, least: int, power: float
) -> None:
    """10 % of 2 rps with 2 % errors: P(Poisson(requests x 2 %) >= least), 33.7 and 97.45 %."""
    assert poisson.sf(least - 1, 0.2 * bake * 60 * 0.02) == pytest.approx(power, abs=5e-4)
    name = "10 %, 5 min" if bake == 5 else "10 %, 30 min"
    found = sights(load("quiet-api"), name, seed=3, replications=1000, detectors=("judge",))
    (sight,) = found
    assert agrees(sight.power, power, 1000)
    assert sight.gate.requests == pytest.approx(0.2 * bake * 60)
    assert sight.false_alarm.value == 0


def test_an_alarm_looks_again_and_again() -> None:
    """30 requests a minute at 10 % errors, a breach above 20 %: at k = 7 to 12 of them and so on;
    one breach in n aligned minutes has probability 1 - (1 - p)^n, and 90 % need the n-th minute
    with n = ln 0.1 / ln(1 - p)."""
    scenario = bare(
        rate="rate: 5 rps",
        defect="{kind: errors, rate: 10%}",
        detection="alarms: [{above: 20%, phase: aligned}]",
        strategy="canary: {steps: [{weight: 10%, bake: 20m}]}",
    )
    bad, good = np.arange(0, 60), np.arange(0, 140)
    joint = np.outer(poisson.pmf(bad, 3.0), poisson.pmf(good, 27.0))
    p = float(joint[bad[:, None] > 0.2 * (bad[:, None] + good[None, :])].sum())
    (sight,) = sights(scenario, "canary", 2, 2000, (ALL,))[:1]
    assert agrees(sight.power, 1 - (1 - p) ** 20, 2000)
    needed = math.ceil(math.log(0.1) / math.log(1 - p))
    assert sight.bake is not None
    assert sight.bake / 60 == pytest.approx(needed, rel=0.15)


def test_each_detector_is_played_alone_and_all_together() -> None:
    found = sights(load("web-shop"), "canary", replications=60)
    gates = {sight.gate.phase for sight in found}
    assert gates == {"5%", "25%", "50%", "watch"}
    by = {s.detector: s.power.value or 0.0 for s in found if s.gate.phase == "50%"}
    assert set(by) == {"alarm new errors", "late", "people", ALL}
    assert by[ALL] >= max(value for name, value in by.items() if name != ALL) - 0.05
    blind = blindest(found)
    assert blind is not None
    assert blind.power.value == min(s.power.value or 0.0 for s in found if s.detector == ALL)


def test_an_overlap_is_a_gate_that_reconciles() -> None:
    found = sights(load("textbook"), "parallel_adoption", replications=40)
    sight = next(s for s in found if s.detector == "reconciliation")
    assert sight.gate.mirrored
    assert sight.given["wrong_data"].value == 1
    assert sight.median == 86_400


def test_without_a_kind_that_serves_traffic_nothing_can_be_seen() -> None:
    scenario = load("textbook").with_("change.defects", [{"kind": "crash"}])
    found = sights(scenario, "canary", replications=20)
    assert found
    assert all(sight.power.value is None and not sight.given for sight in found)
    assert all(sight.false_alarm.value is not None for sight in found)
    assert gates.sentence({"canary": found}) == gates.BLIND
    curves = reach(scenario, "canary", 0, replications=10, fewest=5)
    assert gates.dots(curves)
    assert {dot.line for dot in gates.dots(curves)} == {gates.FALSE_ALARM}
    assert gates.enough(curves) == gates.BLIND


def test_what_gates_see_does_not_depend_on_how_often_releases_are_bad() -> None:
    asked = {"replications": 60, "detectors": (ALL,), "fewest": 10}
    often = sights(load("textbook"), "canary", **asked)
    never = sights(load("textbook").with_("change.defect_probability", 0.0), "canary", **asked)
    assert [(s.power, s.bake, s.bakes) for s in often] == [
        (s.power, s.bake, s.bakes) for s in never
    ]
    assert any(bake is not None for bake in often[0].bakes.values())


def test_each_step_has_its_own_judge() -> None:
    steps = "[{weight: 10%, bake: 10m}, {weight: 20%, bake: 1h, judge: {above: 3%}}]"
    scenario = load("textbook").with_("strategies.canary.steps", steps)
    found = sights(scenario, "canary", replications=10, fewest=3)
    judged = {s.gate.duration for s in found if s.detector == "judge"}
    assert judged == {3600.0}
