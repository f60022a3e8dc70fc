"""ECS services as they stand in CloudFormation templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.problems import ScenarioError
from tests.bring.coverage import ignored, without_effect

SERVICE = (Path(__file__).parents[1] / "bring" / "samples" / "service.yaml").read_text("utf-8")
ROLLING = "MinimumHealthyPercent: 50\n        MaximumPercent: 150"


def read(old: str = "", new: str = "", text: str = SERVICE, **parameters: str) -> Imported:
    assert old in text
    return imported(from_text(text.replace(old, new, 1), "service.yaml"), parameters=parameters)


def settings(found: Imported) -> dict[str, object]:
    return found.scenario.strategies["current"].model_dump(mode="json")


def test_a_service_is_a_rolling_update_with_its_breaker() -> None:
    found = read()
    words = settings(found)
    assert words["kind"] == "ecs_rolling"
    assert (words["minimum_healthy"], words["maximum"]) == ("50%", "150%")
    assert (words["circuit_breaker"], words["rollback"]) == (True, True)
    scenario = found.scenario
    assert scenario.profile == "ecs-fargate"
    assert (scenario.service.instances, scenario.service.drain) == (8, 30)
    assert scenario.service.start_failure.timeout == 300 + 40 + 4 * 15
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_number_of_errors_is_a_share_of_the_traffic_assumed() -> None:
    """120 of 100 rps x 60 s are 2 %."""
    (alarm,) = read().scenario.detection.alarms
    assert (alarm.above, alarm.period, alarm.datapoints) == (0.02, 60, "2 of 3")
    assert (alarm.watch, alarm.metric, alarm.missing) == ("service", "errors", "notBreaching")
    told = imported(from_text(SERVICE), sets=['traffic.rate="400 rps"'])
    assert told.scenario.detection.alarms[0].above == 0.005
    assert told.scenario.traffic.rate == 400
    too_many = read("Threshold: 120", "Threshold: 6000")
    assert too_many.scenario.detection.alarms == ()
    assert [n.kind for n in too_many.notes if n.path.endswith("Errors.Properties.Threshold")] == [
        "ignored"
    ]


@pytest.mark.parametrize(
    ("old", "new", "automatic", "alarms"),
    [
        ("", "", "watched", 1),
        ("Enable: true, Rollback: true}\n      Load", "Enable: true}\n      Load", "never", 1),
        ("[!Ref Errors], Enable: true", "[!Ref Errors], Enable: false", "watched", 0),
        ("[!Ref Errors]", "[elsewhere]", "watched", 1),
    ],
)
def test_only_alarms_that_are_on_stop_and_take_back(
    old: str, new: str, automatic: str, alarms: int
) -> None:
    scenario = read(old, new).scenario
    assert scenario.response.automatic == automatic
    assert len(scenario.detection.alarms) == alarms


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Strategy: BLUE_GREEN\n        BakeTimeInMinutes: 25", {"bake": "25m"}),
        (
            "Strategy: LINEAR\n        LinearConfiguration: {StepPercent: 20}",
            {"step": "20%", "step_bake": "6m"},
        ),
        (
            "Strategy: CANARY\n        BakeTimeInMinutes: 5\n"
            "        CanaryConfiguration: {CanaryPercent: 2.5, CanaryBakeTimeInMinutes: 30}",
            {"canary": "2.5%", "canary_bake": "30m"},
        ),
    ],
)
def test_shifts_of_traffic(words: str, expected: dict[str, str]) -> None:
    found = read(ROLLING, words)
    told = settings(found)
    assert str(told["kind"]).removeprefix("ecs_") == words.split("\n")[0].split()[1].lower()
    assert expected.items() <= told.items()
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MaximumPercent: 150", "MaximumPercent: 90", "maximum is below 100%"),
        ("Enable: true, Rollback: true}\n        Alarms", "Enable: maybe}\n        Alarms", "true"),
        (ROLLING, "Strategy: LINEAR\n        LinearConfiguration: {StepPercent: 2}", "below 3%"),
        (ROLLING, "Strategy: BLUEGREEN", "allowed: ROLLING, BLUE_GREEN, LINEAR, CANARY"),
        ("LaunchType: FARGATE", "LaunchType: LAMBDA", "allowed: FARGATE"),
        ("DesiredCount: !Ref Count", "DesiredCount: 0", "not within 1"),
        (
            "LaunchType: FARGATE",
            "DeploymentController: {Type: CODE_DEPLOY}",
            "another controller moves the service",
        ),
    ],
)
def test_what_ecs_rejects_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        read(old, new)
    assert all(problem.line for problem in caught.value.problems)


def test_a_target_group_says_how_users_and_new_targets_are_treated() -> None:
    text = SERVICE.replace(
        "TargetGroupAttributes: [",
        "TargetGroupAttributes: [{Key: stickiness.enabled, Value: true}, "
        "{Key: slow_start.duration_seconds, Value: 60}, ",
    )
    found = read(text=text)
    warm_up = found.scenario.service.warm_up
    assert found.scenario.traffic.sticky
    assert warm_up is not None
    assert (warm_up.duration, warm_up.capacity) == (60, 0.5)
    assert without_effect(found) == []


def test_pseudo_parameters_decide_conditions() -> None:
    """Without the region nobody knows the count: the default of one task is assumed."""
    text = SERVICE.replace("!Ref Count\n", "!If [Home, 6, 3]\n").replace(
        "Resources:", "Conditions: {Home: !Equals [!Ref 'AWS::Region', eu-west-1]}\nResources:"
    )
    for region, count in (("eu-west-1", 6), ("us-east-1", 3)):
        found = imported(from_text(text), parameters={"AWS::Region": region})
        assert found.scenario.service.instances == count
    found = imported(from_text(text))
    assert found.scenario.service.instances == 1
    assert "service.instances" in [row.path for row in found.assumed]


def test_a_deployment_that_hangs_is_said_in_tasks() -> None:
    text = SERVICE.replace(ROLLING, "MinimumHealthyPercent: 100\n        MaximumPercent: 125")
    found = read(text=text, Count="3")
    assert any("Of 3 tasks 3 have to run and 3 may" in remark for remark in found.remarks)


def test_three_quarters_of_two_tasks_are_two() -> None:
    text = SERVICE.replace("MinimumHealthyPercent: 50", "MinimumHealthyPercent: 75")
    assert any("of 2 tasks is 2" in remark for remark in read(text=text, Count="2").remarks)


def test_without_a_balancer_the_container_decides() -> None:
    container = "{ContainerName: web, ContainerPort: 80, TargetGroupArn: !Ref Targets}"
    found = read(f"      LoadBalancers:\n        - {container}\n", "")
    assert found.scenario.service.drain == 20
    assert found.scenario.service.start_failure.timeout == 300 + 15 + 2 * 10
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("file", "minimum"),
    [("aws-cloudformation-public-service", "75%"), ("aws-samples-service", "100%")],
)
def test_real_services_are_read(manifests: Path, file: str, minimum: str) -> None:
    found = imported(gather([manifests / "ecs-service" / f"{file}.yaml"]))
    assert settings(found)["minimum_healthy"] == minimum
    assert found.scenario.service.instances == 2
    assert found.scenario.detection.alarms == ()
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
