"""Option settings of Elastic Beanstalk as they stand in files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.settings import stated
from simulator.words.strategy import kinds
from tests.bring.coverage import ignored, without_effect

COMMAND = "aws:elasticbeanstalk:command"
GROUP = "aws:autoscaling:asg"
HEALTH = "aws:elasticbeanstalk:healthreporting:system"
PROCESS = "aws:elasticbeanstalk:environment:process:default"
ROLLING: dict[str, dict[str, Any]] = {
    COMMAND: {
        "DeploymentPolicy": "Rolling",
        "BatchSizeType": "Percentage",
        "BatchSize": 30,
        "Timeout": "300",
    },
    GROUP: {"MinSize": 8, "MaxSize": 20},
    HEALTH: {"SystemType": "enhanced"},
    PROCESS: {"DeregistrationDelay": "60", "StickinessEnabled": "true", "Port": "80"},
    "aws:autoscaling:trigger": {"UpperThreshold": "60"},
    "aws:elasticbeanstalk:application:environment": {"KEY": "value"},
}


def as_list(options: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"namespace": space, "option_name": name, "value": value}
        for space, names in options.items()
        for name, value in names.items()
    ]


def read(settings: Any, key: str = "option_settings") -> Imported:
    return imported(from_text(json.dumps({key: settings}, indent=1)))


def told(found: Imported) -> str:
    return stated(found.scenario.strategies["current"])


@pytest.mark.parametrize("settings", [ROLLING, as_list(ROLLING)])
def test_options_are_read_in_both_forms(settings: Any) -> None:
    found = read(settings)
    assert told(found) == "{kind: beanstalk, policy: rolling, batch: 30%}"
    service = found.scenario.service
    assert (service.instances, service.drain) == (8, 60)
    assert service.start_failure.timeout == 300 + 240
    assert found.scenario.traffic.sticky
    assert found.scenario.response.automatic == "never"
    assert without_effect(found) == []
    assert {note.path.rsplit(".")[-1] for note in found.notes if note.kind == "ignored"} <= {
        "UpperThreshold",
        "value",
    }


def test_a_template_a_plan_and_a_saved_configuration_say_the_same() -> None:
    upper = [
        {"Namespace": one["namespace"], "OptionName": one["option_name"], "Value": one["value"]}
        for one in as_list(ROLLING)
    ]
    entry = {
        "Type": "AWS::ElasticBeanstalk::Environment",
        "Properties": {"ApplicationName": "shop", "OptionSettings": upper},
    }
    template = imported(from_text(json.dumps({"Resources": {"Shop": entry}})))
    saved = read(ROLLING, "OptionSettings")
    assert told(template) == told(saved) == told(read(ROLLING))
    assert without_effect(template) == without_effect(saved) == []
    names = [one.name for one in template.alternatives()]
    assert names == ["immutable updates", "traffic splitting", "additional batch"]


def test_the_last_of_several_files_holds() -> None:
    later = {COMMAND: {"DeploymentPolicy": "Immutable"}}
    manifests = [
        *from_text(json.dumps({"option_settings": ROLLING}), "01.config"),
        *from_text(json.dumps({"option_settings": later}), "02.config"),
    ]
    found = imported(manifests)
    assert told(found) == "{kind: beanstalk, policy: immutable}"
    assert without_effect(found) == []


def changed(namespace: str, **options: Any) -> dict[str, dict[str, Any]]:
    return {**ROLLING, namespace: {**ROLLING.get(namespace, {}), **options}}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (changed(COMMAND, BatchSizeType="Fixed", BatchSize="3"), "policy: rolling, batch: \"3\""),
        (changed(COMMAND, DeploymentPolicy="AllAtOnce"), "{kind: beanstalk}"),
        (changed(COMMAND, DeploymentPolicy="RollingWithAdditionalBatch"), "additional_batch"),
        (changed(HEALTH, SystemType="basic"), "health_wait: 45s"),  # 3 checks, 15 s each
        ({**ROLLING, HEALTH: {}, PROCESS: {"HealthCheckInterval": 30, "HealthyThresholdCount": 5}},
         "health_wait: 150s"),
        ({COMMAND: ROLLING[COMMAND], "aws:elb:healthcheck": {"Interval": 20}}, "health_wait: 1m"),
        ({COMMAND: {"DeploymentPolicy": "TrafficSplitting"},
          "aws:elasticbeanstalk:trafficsplitting": {"NewVersionPercent": 20, "EvaluationTime": 9}},
         "policy: traffic_splitting, new_version: 20%, evaluation: 9m"),
    ],
)  # fmt: skip
def test_what_options_mean(settings: Any, expected: str) -> None:
    found = read(settings)
    assert expected in told(found)
    assert without_effect(found) == []


def test_a_worker_has_to_be_healthy_for_longer() -> None:
    data = {"OptionSettings": ROLLING, "EnvironmentTier": {"Name": "Worker", "Type": "SQS/HTTP"}}
    assert "health_wait: 3m" in told(imported(from_text(json.dumps(data))))


@pytest.mark.parametrize(
    ("settings", "drain"),
    [
        ({"aws:elb:policies": {"ConnectionDrainingEnabled": True,
                               "ConnectionDrainingTimeout": 45}}, 45),
        ({"aws:elb:policies": {"ConnectionDrainingEnabled": False}}, 0),
        ({GROUP: {"MinSize": 3}}, 20),
    ],
)  # fmt: skip
def test_how_long_connections_drain(settings: Any, drain: float) -> None:
    assert read(settings).scenario.service.drain == drain


@pytest.mark.parametrize(
    ("settings", "remark"),
    [
        (changed(COMMAND, DeploymentPolicy="AllAtOnce"), "all 8 instances stop at the same time"),
        (changed(COMMAND, BatchSize=100), "is all 8 instances: rolling is an outage"),
        (ROLLING, "nothing takes it back"),
        (changed(HEALTH, SystemType="basic"), "goes on until people report it"),
    ],
)
def test_what_an_author_should_know_is_said(settings: Any, remark: str) -> None:
    assert any(remark in text for text in read(settings).remarks)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed(COMMAND, DeploymentPolicy="immutable"), "allowed: AllAtOnce"),
        (changed(COMMAND, BatchSize="101"), "within 1 to 100"),
        (changed(COMMAND, Timeout="1h"), "whole number"),
        ({COMMAND: {"DeploymentPolicy": "Immutable"}, HEALTH: {"SystemType": "basic"}},
         "needs enhanced health"),
        (changed(GROUP, MinSize=0), "within 1 to"),
    ],
)  # fmt: skip
def test_what_beanstalk_refuses_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(settings)


@pytest.mark.parametrize("settings", [ROLLING, as_list(ROLLING), {GROUP: {"MinSize": 2}}])
def test_alternatives_change_the_rollout(settings: Any) -> None:
    found = read(settings)
    for alternative in found.alternatives():
        assert told(found.altered(alternative)) != told(found)
        assert alternative.name not in kinds()


@pytest.mark.parametrize("name", ["awsdocs-updates-immutable", "docs-traffic-splitting"])
def test_real_files_are_read(manifests: Path, name: str) -> None:
    found = imported(gather([manifests / "beanstalk-ebextensions" / f"{name}.config"]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    names = {one.name for one in found.alternatives()}
    assert len(names) >= 2
    for alternative in found.alternatives():
        assert told(found.altered(alternative)) != told(found)
