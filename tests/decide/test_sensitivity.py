"""The range over the assumptions: it holds the value, and names what moves it."""

from __future__ import annotations

from simulator.decide.sensitivity import _ranges, matter, uncertainty, varied
from simulator.findings.comparison import simulate
from simulator.words.reading import loads

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 8, utilisation: 50%, drain: 30s, cost: 0.05/h, errors: none, incidents: none,
  warm_up: none, start_failure: {probability: 0%, timeout: 10m}, install: 60s}
traffic: {rate: 200 rps, users: 30k, sticky: true, writes: 20%}
router: {propagation: 0s}
change: {defects: [{kind: errors, rate: 5%}]}
response: {automatic: watched, watch: 15m, hold: true, decide: 10s, fix: 1h, retry: 1h,
  page: {acknowledge: 3m, decide: 10m, off_hours: 1}}
follow_up: 2h
detection: {people: none}
strategies: {blue_green: {smoke: none}}
"""


def test_each_assumption_is_moved_alone_and_the_largest_is_named() -> None:
    """Left to the profile are start-up, and the alarm: the first moves the time to deploy, of
    which 75 s median is the whole; the range must hold the simulated value."""
    scenario = loads(TEXT)
    assert "service.startup" in {row.path for row in varied(scenario)}
    results = simulate(scenario, 60, seed=1)
    found = {row.figure: row for row in uncertainty(results)["blue_green"]}
    time = found["time_to_deploy"]
    assert time.largest[0] == "service.startup"
    value = results.risk()["blue_green"].given_good.time_to_deploy.mean.value
    assert value is not None
    assert time.assumptions[0] <= value <= time.assumptions[1]
    assert time.assumptions[1] - time.assumptions[0] > 60
    harm = found["failed_requests"]
    assert harm.assumptions[0] < harm.assumptions[1]
    assert all(path.startswith("detection.alarms") for path in harm.largest[:1])


def test_a_range_reaches_below_nothing_where_the_figure_does() -> None:
    risk = simulate(loads(TEXT), 20, fewest=5).risk()["blue_green"]
    steps = {"extra_cost": {"service.startup": [-1e6, 2.0]}, "users_harmed": {"x": [-9.0, 9.0]}}
    found = {row.figure: row.assumptions for row in _ranges(risk, steps)}
    value = risk.all.extra_cost.mean.value
    assert value is not None
    assert found["extra_cost"] == (value - 1e6, value + 2.0)
    assert found["users_harmed"] == (0.0, 1.0)


def test_the_defects_own_assumptions_touch_their_stratum_alone() -> None:
    """The rate of one kind of defect moves harm, never the time to deploy of good releases."""
    scenario = loads(TEXT.replace("{kind: errors, rate: 5%}", "{kind: errors}"))
    results = simulate(scenario, 60, seed=1)
    found = uncertainty(results)
    rows = {row.figure: row for row in found["blue_green"]}
    assert "change.defects[0].rate" in rows["users_harmed"].largest
    assert "change.defects[0].rate" not in rows["time_to_deploy"].largest
    assert "change.defects[0].rate" in matter(found)
