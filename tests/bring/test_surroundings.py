"""Alarms of CloudWatch in a scenario's words, and balancers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.bring.importing import Imported, from_text, imported
from simulator.words.problems import ScenarioError


def read(**alarm: Any) -> Imported:
    properties = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Threshold": 60,
        **alarm,
    }
    preference = {"Type": "Linear10PercentEvery1Minute", "Alarms": [{"Ref": "Alarm"}]}
    function = {"AutoPublishAlias": "live", "DeploymentPreference": preference}
    resources = {
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties},
    }
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    return imported(from_text(json.dumps(template), "template.json"))


@pytest.mark.parametrize(
    ("words", "metric", "above"),
    [
        ({"MetricName": "Errors", "Statistic": "Sum"}, "errors", 0.01),  # 60 of 6000
        ({"MetricName": "Errors", "Statistic": "Average", "Threshold": 0.03}, "errors", 0.03),
        ({"MetricName": "HTTPCode_Target_5XX_Count", "Period": 300}, "errors", 0.002),
        ({"MetricName": "5XXError", "Statistic": "Average", "Threshold": 0.05}, "errors", 0.05),
        ({"MetricName": "Duration", "ExtendedStatistic": "p99"}, "late", 0.01),
        ({"MetricName": "Latency", "ExtendedStatistic": "p99.9"}, "late", 0.001),
        ({"MetricName": "OrdersLost"}, "errors", 0.01),  # assumed
    ],
)
def test_what_an_alarm_watches(words: dict[str, Any], metric: str, above: float) -> None:
    (alarm,) = read(**words).scenario.detection.alarms
    assert (alarm.metric, alarm.above) == (metric, above)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"MetricName": "CPUUtilization"}, "no metric of requests"),
        ({"MetricName": "Duration", "Statistic": "Average"}, "only a percentile"),
        (
            {"MetricName": "Errors", "ComparisonOperator": "LessThanThreshold"},
            "below its threshold",
        ),
        ({"MetricName": "Errors", "Threshold": 1e5}, "more than the 6000 requests"),
        ({"Metrics": [{"Id": "a", "Expression": "a + b", "Period": 60}]}, "no share of failed"),
    ],
)
def test_what_is_not_understood_is_noted(words: dict[str, Any], why: str) -> None:
    found = read(**words)
    assert found.scenario.detection.alarms == ()
    assert any(note.kind == "ignored" and why in note.why for note in found.notes)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"MetricName": "Errors", "DatapointsToAlarm": 2}, "more than the 1 periods"),
        ({"MetricName": "Errors", "Statistic": "Average", "Threshold": 5}, "never above 100"),
        ({"MetricName": "Errors", "TreatMissingData": "fine"}, "allowed: missing, breaching"),
        ({"MetricName": "Errors", "Period": "a minute"}, "no length of time"),
    ],
)
def test_what_cloudwatch_rejects_is_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        read(**words)
