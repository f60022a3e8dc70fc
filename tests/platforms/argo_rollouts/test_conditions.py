"""What conditions of metrics mean for requests."""

from __future__ import annotations

import pytest

from simulator.platforms.argo_rollouts.conditions import Meaning, filled, understand, window

RATE = 'sum(rate(requests{code!~"5.*"}[5m])) / sum(rate(requests[5m]))'
TIMES = "histogram_quantile(0.99, sum(rate(request_duration_bucket[2m])) by (le))"


@pytest.mark.parametrize(
    ("name", "success", "failure", "query", "meaning"),
    [
        ("success-rate", "result[0] >= 0.99", "", RATE, ("errors", 0.01, "error", True)),
        ("success-rate", "result >= 0.95", "", RATE, ("errors", 0.05, "error", True)),
        ("success-rate", "asFloat(result[0]) >= 0.95", "", RATE, ("errors", 0.05, "error", True)),
        ("success-rate", "default(result, 0) > 0.9", "", RATE, ("errors", 0.1, "error", True)),
        (
            "success-rate",
            "result[0] >= 99.5",
            "",
            f"100 * {RATE}",
            ("errors", 0.005, "error", True),
        ),
        ("error-rate", "result[0] < 0.05", "", "errors", ("errors", 0.05, "error", True)),
        ("error-rate", "", "result[0] >= 0.05", "errors", ("errors", 0.05, "error", True)),
        ("success-rate", "", "result[0] < 0.95", RATE, ("errors", 0.05, "error", True)),
        (
            "success-rate",
            "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95",
            "",
            RATE,
            ("errors", 0.05, "pass", True),
        ),
        (
            "success-rate",
            "len(result) > 0 && result[0] >= 0.95",
            "",
            RATE,
            ("errors", 0.05, "fail", True),
        ),
        (
            "error-rate",
            "",
            "len(result) > 0 && result[0] > 0.02",
            "errors",
            ("errors", 0.02, "pass", True),
        ),
        ("p99-latency", "result[0] < 0.5", "", "x", ("late", 0.01, "error", False)),
        ("latency", "result <= 500", "", TIMES, ("late", 0.01, "error", False)),
        ("latency", "result <= 500", "", "avg(duration)", ("late", 0.05, "error", False)),
        ("latency p95", "", "result > 250", "x", ("late", 0.05, "error", False)),
    ],
)
def test_conditions(name: str, success: str, failure: str, query: str, meaning: tuple) -> None:  # type: ignore[type-arg]
    found = understand(name, success, failure, query)
    assert found is not None
    assert found[:4] == (meaning[0], pytest.approx(meaning[1]), *meaning[2:])
    assert not found.gap


def test_between_two_conditions_a_measurement_is_inconclusive() -> None:
    found = understand("success-rate", "result >= 0.99", "result < 0.9", RATE)
    assert found == Meaning("errors", 0.1, "error", True, True)
    met = understand("success-rate", "result >= 0.9", "result < 0.9", RATE)
    assert met == Meaning("errors", 0.1, "error", True, False)


@pytest.mark.parametrize(
    ("success", "query"),
    [
        ("", ""),
        ("true", ""),
        ('result == "ok"', ""),
        ("result.healthy", ""),
        ("result[0] < 5000", "queue_length"),
        ("result[0] <= 3", "restarts"),
        ("result >= -1", "x"),
    ],
)
def test_what_says_nothing_about_requests_is_not_understood(success: str, query: str) -> None:
    assert understand("check", success, "", query) is None


def test_ranges_and_arguments() -> None:
    assert window(RATE) == 300
    assert window("rate(a[30s]) / rate(b[2m])") == 120
    assert window("up == 1") is None
    assert filled("result >= {{ args.limit }} {{args.x}}", {"limit": "0.9"}) == (
        "result >= 0.9 {{args.x}}"
    )
