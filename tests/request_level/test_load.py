"""Starts, servers and groups of the request-level model: exact values, and what it refuses."""

from __future__ import annotations

import pytest

from simulator.play.request_level import play_plainly
from tests.play.playing import bare
from tests.request_level.agreement import watched

SCALED = "capacity: 2 rps, scaling: {min: 1, max: 9, target: 50%, up: 4m, down: 10m}"


def test_starts_begin_one_after_the_other() -> None:
    """(n - 1) / r + S = 4 x 60 + 90 s with constant starts."""
    scenario = bare(
        instances=5,
        rate="rate: 1 rps",
        users="10",
        service="startup: 90s, start_rate: 1/min",
        strategy="blue_green: {smoke: none, keep_old: 0s}",
    )
    found = play_plainly(watched(scenario), "blue_green", None, 1)
    assert found.time_to_deploy == pytest.approx(4 * 60 + 90)


@pytest.mark.parametrize(
    ("service", "latency", "strategy", "told"),
    [
        ("capacity: 3 rps, service_time: 500ms", "1s", "rolling: {}", "whole servers"),
        (SCALED.replace("50%", "40%"), None, "blue_green: {smoke: none}", "as many instances"),
        (SCALED, None, "rolling: {}", "not parts of a pool"),
        (f"{SCALED}, service_time: 500ms", "1s", "blue_green: {smoke: none}", "not both"),
    ],
)
def test_what_it_does_not_model_is_refused(
    service: str, latency: str | None, strategy: str, told: str
) -> None:
    scenario = bare(instances=4, rate="rate: 4 rps", users="10", service=service, strategy=strategy)
    if latency is not None:
        scenario = scenario.with_("slo.latency", latency)
    with pytest.raises(ValueError, match=told):
        play_plainly(watched(scenario), next(iter(scenario.strategies)), None, 1)
