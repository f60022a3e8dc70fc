"""Runs of an analysis: when it measures, and what its measurements come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.platforms.argo_rollouts.analysis import (
    Metric,
    Result,
    assess,
    moments,
    refuse,
    run,
    wanted,
)

RESULTS = st.lists(st.sampled_from(["successful", "failed", "inconclusive", "error"]), max_size=12)
OK: Result = "successful"
BAD: Result = "failed"
ODD: Result = "inconclusive"
ERR: Result = "error"


def test_a_measurement_after_an_error_comes_ten_seconds_later() -> None:
    metric = Metric(interval=300, initial_delay=60)
    assert moments(metric, (OK, ERR, ERR, BAD, OK)) == (60, 360, 370, 380, 680)
    assert moments(Metric(), (ERR,) * 5) == (0, 10, 20, 30, 40)


@pytest.mark.parametrize(
    ("metric", "count"),
    [(Metric(), 1), (Metric(60), None), (Metric(60, 5), 5), (Metric(60, 0), None)],
)
def test_how_many_measurements_end_a_run(metric: Metric, count: int | None) -> None:
    assert wanted(metric) == count


@pytest.mark.parametrize(
    ("metric", "results", "phase"),
    [
        (Metric(), [], "running"),
        (Metric(), [OK], "successful"),
        (Metric(), [BAD], "failed"),
        (Metric(), [ERR] * 4, "running"),
        (Metric(), [ERR] * 5, "error"),
        (Metric(60, 3), [ERR, OK, ERR, OK], "running"),  # errors do not count
        (Metric(60, 3), [ERR, OK, ERR, OK, OK], "successful"),
        (Metric(60, failure_limit=3), [BAD, OK, BAD, BAD], "running"),
        (Metric(60, failure_limit=3), [BAD] * 4, "failed"),  # above the limit, not at it
        (Metric(60), [ODD], "inconclusive"),
        (Metric(60), [BAD, ODD, *[ERR] * 5], "error"),  # the last check wins
        (Metric(60, 5, consecutive_successes=2), [OK, BAD], "failed"),
        (Metric(60, 5, failure_limit=2, consecutive_successes=2), [OK, BAD, OK, OK], "successful"),
        (Metric(60, 3, failure_limit=2, consecutive_successes=2), [OK, BAD, OK], "inconclusive"),
        (Metric(60, 3, failure_limit=-1, consecutive_successes=2), [BAD, BAD, OK], "failed"),
        (Metric(60, 3, failure_limit=-1, consecutive_successes=2), [BAD, OK, OK], "successful"),
    ],
)
def test_what_measurements_come_to(metric: Metric, results: list[Result], phase: str) -> None:
    assert assess(metric, results) == phase


@given(results=RESULTS, limit=st.integers(0, 4), errors=st.integers(0, 4))
def test_a_run_that_is_stopped_is_successful_unless_a_limit_is_exceeded(
    results: list[Result], limit: int, errors: int
) -> None:
    metric = Metric(60, failure_limit=limit, inconclusive_limit=limit, error_limit=errors)
    phase = assess(metric, results, stopped=True)
    whole = "".join(one[0] for one in results)
    exceeded = {
        "error": whole.endswith("e" * (errors + 1)),
        "inconclusive": whole.count("i") > limit,
        "failed": whole.count("f") > limit,
    }
    assert phase == next((name for name, true in exceeded.items() if true), "successful")


def test_a_run_is_its_worst_metric() -> None:
    assert run(("successful", "running")) == "running"
    assert run(("failed", "running")) == "failed"
    assert run(("successful", "inconclusive", "error")) == "error"
    assert run(("error", "failed")) == "failed"
    assert run(("successful",)) == "successful"


def test_what_is_refused() -> None:
    assert refuse(Metric(measurements=2))
    assert refuse(Metric(60, failure_limit=-1))
    assert refuse(Metric(60, 2, failure_limit=3))
    assert not refuse(Metric(60, 3, failure_limit=3))
