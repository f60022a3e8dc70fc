"""A replay is the study's own replication, told."""

from __future__ import annotations

import math

import pytest

import simulator as ds
from simulator.findings.comparison import simulate
from simulator.findings.results import Results

SCENARIO = ds.loads(
    """
version: 1
profile: ec2-ami
service: {instances: 8, utilisation: 55%, errors: {mean: 0.2%, cv: 1, for: 5m}}
traffic: {daily: {mean: 100 rps, peak: 150 rps, peak_at: 13:00}, users: 20k}
strategies: {canary: {}, rolling: {}, immutable: {}}
"""
)


@pytest.fixture(scope="module")
def results() -> Results:
    return simulate(SCENARIO, 18, seed=4, fewest=18)


@pytest.mark.parametrize("strategy", list(SCENARIO.strategies))
def test_it_is_the_replication_of_the_study(strategy: str, results: Results) -> None:
    for stratum, label in enumerate(("good", *SCENARIO.change.labels)):
        columns = results.columns[strategy][stratum]
        for number in (0, 17):
            outcome = ds.replay(SCENARIO, strategy, 4, number, label).outcome
            for name, value in outcome._asdict().items():
                if name in ("replication", "defect"):
                    continue
                played = columns[name][number]
                both_nan = isinstance(value, float) and math.isnan(value) and math.isnan(played)
                assert value == played or both_nan, (label, number, name)


def test_its_course_has_no_gaps_and_its_story_is_in_order() -> None:
    told = ds.replay(SCENARIO, "canary", 4, 3, "errors")
    for before, after in zip(told.course[:-1], told.course[1:], strict=True):
        assert after.start == pytest.approx(before.end)
        assert 0 <= after.weight <= 1
        assert 0 <= after.harm <= 1
    times = [seconds for seconds, _ in told.story()]
    assert times == sorted(times)


def test_an_unknown_defect_is_named() -> None:
    with pytest.raises(ValueError, match="no defect"):
        ds.replay(SCENARIO, "canary", 4, 0, "nonsense")


def test_the_door_lists_what_it_offers() -> None:
    assert set(ds.__all__) == {
        *("Scenario", "ScenarioError", "__version__"),
        *(
            "batches",
            "bring",
            "compare",
            "conclude",
            "exam",
            "load",
            "loads",
            "packaged",
            "preview",
        ),
        *("reconsidered", "rehearse", "replay", "sweep", "years"),
    }
    for name in ds.__all__:
        assert getattr(ds, name)
