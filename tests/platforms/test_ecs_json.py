"""ECS services and task definitions as the command line prints and takes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, imported
from simulator.words.settings import stated
from tests.bring.coverage import ignored, without_effect

SERVICE: dict[str, Any] = {
    "serviceName": "web",
    "serviceArn": "arn:aws:ecs:eu-west-1:1:service/c/web",
    "desiredCount": 8,
    "runningCount": 8,
    "launchType": "FARGATE",
    "taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/web:7",
    "healthCheckGracePeriodSeconds": 30,
    "loadBalancers": [{"targetGroupArn": "tg", "containerName": "web", "containerPort": 80}],
    "deploymentConfiguration": {
        "minimumHealthyPercent": 75,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": True,
            "thresholdConfiguration": {"type": "COUNT", "value": 5},
            "resetOnHealthyTask": False,
        },
        "alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True},
    },
    "events": [{"id": "1", "message": "has reached a steady state"}],
    "schedulingStrategy": "REPLICA",
}
TASK: dict[str, Any] = {
    "family": "web",
    "revision": 7,
    "containerDefinitions": [
        {
            "name": "web",
            "image": "web:7",
            "stopTimeout": 90,
            "healthCheck": {"command": ["CMD", "x"], "interval": 10, "retries": 2,
                            "startPeriod": 25, "timeout": 5},
        }
    ],
}  # fmt: skip


def read(*documents: Any) -> Imported:
    return imported(
        [
            one
            for number, data in enumerate(documents)
            for one in from_text(json.dumps(data, indent=1), f"{number}.json")
        ]
    )


def told(found: Imported) -> str:
    return stated(found.scenario.strategies["current"])


def changed(**more: Any) -> dict[str, Any]:
    return {**SERVICE, **more}


def configured(**more: Any) -> dict[str, Any]:
    return changed(deploymentConfiguration={**SERVICE["deploymentConfiguration"], **more})


@pytest.mark.parametrize(
    "data", [{"services": [SERVICE], "failures": []}, {"service": SERVICE}, SERVICE]
)
def test_a_service_as_it_is_printed_and_as_it_is_created(data: dict[str, Any]) -> None:
    found = read(data, {"taskDefinition": TASK})
    assert found.workload.called == "service/web"
    assert told(found) == (
        "{kind: ecs_rolling, minimum_healthy: 75%, maximum: 150%, circuit_breaker: true, "
        'rollback: true, failure_threshold: "5", reset_on_healthy: false}'
    )
    service = found.scenario.service
    assert (service.instances, service.drain) == (8, 300)
    assert found.scenario.response.automatic == "watched"
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_without_a_load_balancer_the_task_says_how_it_ends() -> None:
    """It stops within its timeout; it is given up when its own checks have failed."""
    alone = {key: value for key, value in SERVICE.items() if key != "loadBalancers"}
    found = read(alone, TASK)
    assert found.scenario.service.drain == 90
    assert found.scenario.service.start_failure.timeout == 300 + 25 + 2 * 10
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("words", "strategy"),
    [
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15}, "kind: ecs_blue_green, bake: 15m"),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25.0,
                                                        "stepBakeTimeInMinutes": 3}},
         "kind: ecs_linear, step: 25%, step_bake: 3m"),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 2.5,
                                                        "canaryBakeTimeInMinutes": 30}},
         "kind: ecs_canary, canary: 2.5%, canary_bake: 30m"),
        ({"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
         "maximum: 150%, circuit_breaker: true}"),
        ({"deploymentCircuitBreaker": {"enable": True, "rollback": False,
                                       "thresholdConfiguration": {"type": "BOUNDED_PERCENT",
                                                                  "value": 20}}},
         "failure_threshold: 20%"),
    ],
)  # fmt: skip
def test_strategies_of_a_service(words: dict[str, Any], strategy: str) -> None:
    found = read(configured(**words))
    assert strategy in told(found)
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (configured(minimumHealthyPercent=100, maximumPercent=112), "a deployment hangs for ever"),
        (configured(minimumHealthyPercent=90), "is 8, rounded up"),
        (configured(deploymentCircuitBreaker={"enable": False, "rollback": True}), "is off"),
        (configured(alarms={"enable": False, "alarmNames": []}), "until people report it"),
    ],
)
def test_what_an_author_should_know_is_said(data: dict[str, Any], remark: str) -> None:
    assert any(remark in one for one in read(data).remarks)


def test_one_of_several_services_is_chosen() -> None:
    data = {"services": [SERVICE, changed(serviceName="api", desiredCount=2)]}
    with pytest.raises(ManifestError, match="service/web, service/api"):
        read(data)
    found = imported(from_text(json.dumps(data)), "api")
    assert found.scenario.service.instances == 2
    assert found.others == ("service/web",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed(deploymentController={"type": "EXTERNAL"}), "another controller"),
        (configured(strategy="RED_BLACK"), "allowed: ROLLING"),
        (configured(maximumPercent="200 %%"), "not a number of per cent"),
        (changed(desiredCount=0), "not within 1"),
    ],
)
def test_what_cannot_be_played_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(data)


def test_alternatives_change_the_rollout() -> None:
    found = read(configured(deploymentCircuitBreaker={"enable": False, "rollback": False}))
    names = []
    for alternative in found.alternatives():
        names.append(alternative.name)
        assert told(found.altered(alternative)) != told(found)
    assert names == ["circuit breaker", "all tasks all the time"]
