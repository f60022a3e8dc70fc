"""AppSpec files, and groups and configurations as the command line prints them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.settings import stated
from tests.bring.coverage import ignored, without_effect

GROUP: dict[str, Any] = {
    "applicationName": "shop",
    "deploymentGroupName": "prod",
    "deploymentConfigName": "Mine",
    "autoScalingGroups": [{"name": "web", "hook": "h"}],
    "deploymentStyle": {
        "deploymentType": "IN_PLACE",
        "deploymentOption": "WITH_TRAFFIC_CONTROL",
    },
    "alarmConfiguration": {"enabled": True, "alarms": [{"name": "5xx"}]},
    "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    "computePlatform": "Server",
}
CONFIG: dict[str, Any] = {
    "deploymentConfigId": "x",
    "deploymentConfigName": "Mine",
    "minimumHealthyHosts": {"type": "FLEET_PERCENT", "value": 60},
    "computePlatform": "Server",
}
SERVER = """\
version: 0.0
os: linux
files: [{source: /, destination: /srv}]
hooks:
  ApplicationStop: [{location: stop.sh, timeout: 30}]
  ApplicationStart: [{location: start.sh, timeout: 120, runas: root}]
  ValidateService: [{location: check.sh, timeout: 60}]
"""
SERVICE = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}
Hooks:
  - BeforeAllowTraffic: check-before
  - AfterAllowTraffic: check-after
"""


def read(*texts: str) -> Imported:
    return imported(
        [one for number, text in enumerate(texts) for one in from_text(text, f"{number}.yaml")]
    )


def printed(group: Any = GROUP, config: Any = CONFIG) -> tuple[str, str]:
    """A group and a configuration as they are printed."""
    return json.dumps({"deploymentGroupInfo": group}), json.dumps({"deploymentConfigInfo": config})


def told(found: Imported) -> str:
    return stated(found.scenario.strategies["current"])


def test_a_group_and_its_configuration_as_they_are_printed() -> None:
    found = read(*printed())
    assert found.workload.called == "deploymentGroup/prod"
    assert told(found) == "{kind: codedeploy, minimum_healthy: 60%, rollback: true}"
    assert found.scenario.response.automatic == "never"
    assert without_effect(found) == []
    assert ignored(found) == 0
    assert told(read(json.dumps(GROUP), json.dumps(CONFIG))) == told(found)  # what creates them


@pytest.mark.parametrize(
    ("routing", "config"),
    [
        ({"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 20,
                                                        "canaryInterval": 7}},
         "ECSCanary20Percent7Minutes"),
        ({"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 25,
                                                        "linearInterval": 2}},
         "ECSLinear25PercentEvery2Minutes"),
        ({"type": "AllAtOnce"}, "ECSAllAtOnce"),
    ],
)  # fmt: skip
def test_a_shift_of_ones_own_to_a_service(routing: dict[str, Any], config: str) -> None:
    """The service is moved by the group; its size and launch type are read from it."""
    group = {
        **{key: GROUP[key] for key in ("applicationName", "deploymentGroupName")},
        "deploymentConfigName": "Mine",
        "ecsServices": [{"serviceName": "web", "clusterName": "c"}],
        "blueGreenDeploymentConfiguration": {
            "terminateBlueInstancesOnDeploymentSuccess": {
                "action": "TERMINATE",
                "terminationWaitTimeInMinutes": 5,
            }
        },
    }
    own = {
        "deploymentConfigName": "Mine",
        "computePlatform": "ECS",
        "trafficRoutingConfig": routing,
    }
    service = {"services": [{"serviceName": "web", "desiredCount": 7, "launchType": "FARGATE",
                             "deploymentController": {"type": "CODE_DEPLOY"}}]}  # fmt: skip
    found = read(*printed(group, own), json.dumps(service))
    assert found.workload.called == "deploymentGroup/prod"
    assert f"config: {config}" in told(found)
    assert "terminate_after: 5m" in told(found)
    assert found.scenario.service.instances == 7
    assert without_effect(found) == []


def test_hooks_of_hosts_are_noted() -> None:
    found = read(SERVER)
    assert found.workload.called == "AppSpec/hosts"
    assert told(found) == "{kind: codedeploy, config: OneAtATime}"
    kinds = {note.path: note.kind for note in found.notes}
    assert kinds["hooks.ApplicationStart[0].timeout"] == "approximated"
    assert kinds["files[0].destination"] == "outside"
    assert ignored(found) == 0


def test_an_app_spec_with_its_group_is_one_workload() -> None:
    found = read(SERVER, *printed())
    assert (found.workload.called, found.others) == ("AppSpec/hosts", ())
    assert told(found) == "{kind: codedeploy, minimum_healthy: 60%, rollback: true}"
    assert without_effect(found) == []
    names = [one.name for one in found.alternatives()]
    assert "rolls back by itself" in names


def test_tests_before_any_traffic_find_some() -> None:
    found = read(SERVICE)
    assert told(found) == "{kind: codedeploy, config: ECSAllAtOnce, smoke: {}}"
    kinds = {note.path: note.kind for note in found.notes}
    assert kinds["Hooks[0].BeforeAllowTraffic"] == "assumed"
    assert kinds["Hooks[1].AfterAllowTraffic"] == "ignored"
    assert "strategies.current.smoke.catches" in {row.path for row in found.assumed}
    function = SERVICE.replace("AWS::ECS::Service", "AWS::Lambda::Function")
    found = read(function)
    assert found.scenario.service.elastic
    assert "LambdaAllAtOnce" in told(found)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (SERVER, "No deployment group is among the files"),
        (SERVER.replace(", timeout: 120", "").replace(", timeout: 60", ""), "after 2 h only"),
        (SERVER.replace("  ValidateService: [{location: check.sh, timeout: 60}]\n", ""),
         "ValidateService has no script"),
        ("version: 0.0\nos: linux\nfiles: []\n", "every host counts as deployed"),
    ],
)  # fmt: skip
def test_what_an_author_should_know_is_said(text: str, remark: str) -> None:
    assert any(remark in one for one in read(text).remarks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SERVER.replace("timeout: 120", "timeout: 2m"), "not a whole number"),
        (SERVER.replace("timeout: 120", "timeout: 4000"), "within 1 to 3600"),
        (SERVER.replace("ValidateService", "Validate"), "is no hook"),
        (SERVICE.replace("BeforeAllowTraffic", "BeforeTraffic"), "is no hook"),
        (SERVICE.replace("AWS::ECS::Service", "AWS::EKS::Service"), "allowed: AWS::ECS::Service"),
    ],
)
def test_what_codedeploy_refuses_is_refused(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(text)


def test_a_minimum_above_all_is_refused() -> None:
    config = copy.deepcopy(CONFIG)
    config["minimumHealthyHosts"]["value"] = 100
    with pytest.raises(ManifestError, match="within 0 to 99"):
        read(*printed(GROUP, config))


def test_a_real_file_is_read(manifests: Path) -> None:
    found = imported(gather([manifests / "codedeploy-appspec" / "codedeploy-elb-v2-appspec.yml"]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    assert any("after 1 h only" in one for one in found.remarks)
