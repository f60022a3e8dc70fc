"""The outage that an update implies, and the release that follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.platforms.cloudformation.outage import Effect, impact
from simulator.platforms.cloudformation.unseen import Blind
from simulator.platforms.cloudformation.update_policies import Release, Way, releases
from simulator.report.preview import scenario_lines
from simulator.words.reading import loads
from tests.bring.stacks import TEMPLATES, changes, one, previewed, read

DATABASE, QUEUE = "AWS::RDS::DBInstance", "AWS::SQS::Queue"


@pytest.mark.parametrize(
    ("kind", "old", "new", "effect", "perhaps"),
    [
        (DATABASE, {"Port": 1}, {"Port": 2}, Effect.NEW_FIRST, None),
        (DATABASE, {"DBInstanceClass": 1}, {"DBInstanceClass": 2}, Effect.INTERRUPTED, None),
        (DATABASE, {"AllocatedStorage": 1}, {"AllocatedStorage": 2}, Effect.NONE, None),
        (DATABASE, {"Engine": "a"}, {"Engine": "b"}, Effect.DEPENDS, Effect.NEW_FIRST),
        (DATABASE, {"New": "a"}, {"New": "b"}, Effect.UNKNOWN, Effect.NEW_FIRST),
        (QUEUE, {"QueueName": "a"}, {"QueueName": "b"}, Effect.NEW_FIRST, None),
        (
            DATABASE,
            {"DBInstanceIdentifier": "a", "Port": 1},
            {"DBInstanceIdentifier": "a", "Port": 2},
            Effect.FAILS,
            None,
        ),
        (
            DATABASE,
            {"DBInstanceIdentifier": "a", "Engine": 1},
            {"DBInstanceIdentifier": "a", "Engine": 2},
            Effect.DEPENDS,
            Effect.FAILS,
        ),
        (
            DATABASE,
            {"DBInstanceIdentifier": "a", "Port": 1},
            {"DBInstanceIdentifier": "b", "Port": 2},
            Effect.NEW_FIRST,
            None,
        ),
        (
            "AWS::EC2::Subnet",
            {"CidrBlock": "a", "VpcId": "v", "AvailabilityZone": "a"},
            {"CidrBlock": "a", "VpcId": "v", "AvailabilityZone": "b"},
            Effect.FAILS,
            None,
        ),
    ],
)
def test_what_an_update_does_to_its_resource(
    kind: str, old: dict[str, Any], new: dict[str, Any], effect: Effect, perhaps: Effect | None
) -> None:
    found = impact(changes(one(kind, **old), one(kind, **new))["X"])
    assert (found.effect, found.perhaps) == (effect, perhaps)


def test_data_is_lost_unless_a_policy_keeps_it() -> None:
    text = "Resources:\n  X:\n    Type: AWS::RDS::DBInstance\n%s    Properties: {Port: %s}\n"
    kept = "    UpdateReplacePolicy: Snapshot\n"
    found = impact(changes(text % ("", 1), text % ("", 2))["X"])
    assert (found.data, found.kept) == ("the data", "")
    found = impact(changes(text % (kept, 1), text % (kept, 2))["X"])
    assert found.kept == "Snapshot"
    removed = text.replace("X:", "Y:") % ("    DeletionPolicy: Retain\n", 1)
    found = impact(changes(removed, text % ("", 1))["Y"])
    assert (found.effect, found.kept) == (Effect.REMOVED, "Retain")


GROUP = """
Resources:
  Config: {Type: AWS::AutoScaling::LaunchConfiguration, Properties: {ImageId: %s}}
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    %s
    Properties: {MinSize: 4, MaxSize: 8, LaunchConfigurationName: !Ref Config}
"""


def release(policy: str, template: str = GROUP) -> Release:
    old, new = (read(template % (image, policy)) for image in ("ami-1", "ami-2"))
    (found,) = releases(
        changes(template % ("ami-1", policy), template % ("ami-2", policy)).values(), new
    )
    assert old.resources["Group"] == new.resources["Group"]
    return found


def test_a_rolling_update_becomes_a_strategy_with_its_defaults() -> None:
    found = release("UpdatePolicy: {AutoScalingRollingUpdate: {}}")
    assert (found.way, found.kind, found.instances) == (Way.ROLLING, "cloudformation_rolling", 4)
    assert {setting.key: setting.text for setting in found.settings} == {
        "max_batch": "1",
        "min_in_service": "0",
        "pause": "0s",
        "wait_on_signals": "false",
        "min_successful": "100%",
    }


def test_a_rolling_update_becomes_a_strategy_with_its_settings() -> None:
    found = release(
        "UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatchSize: 2, MinInstancesInService: 3, "
        "WaitOnResourceSignals: true, MinSuccessfulInstancesPercent: 50}}"
    )
    assert yaml.safe_load("\n".join(scenario_lines(found))) == {
        "service": {"instances": 4},
        "strategies": {
            "Group": {
                "kind": "cloudformation_rolling",
                "max_batch": 2,
                "min_in_service": 3,
                "pause": "5m",
                "wait_on_signals": True,
                "min_successful": "50%",
            }
        },
    }
    late = release("UpdatePolicy: {AutoScalingRollingUpdate: {PauseTime: PT1H30M}}")
    assert late.settings[2].text == "90m"


def test_a_setting_nobody_knows_yet_is_left_to_the_reader() -> None:
    found = release(
        "UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatchSize: !ImportValue a, PauseTime: x}}"
    )
    assert [setting.text for setting in found.settings[:3]] == [None, "0", None]
    assert "    # max_batch: not known yet" in scenario_lines(found)


def test_a_replacing_update_waits_for_its_creation_policy_and_can_be_played() -> None:
    found = release("UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: true}}")
    assert (found.way, found.kind) == (Way.REPLACING, "cloudformation_replacing")
    assert {s.key: s.text for s in found.settings} == {"min_successful": "0%"}
    assert "CreationPolicy" in found.warnings[0]
    both = release(
        "CreationPolicy: {ResourceSignal: {Count: 4, Timeout: PT20M}, "
        "AutoScalingCreationPolicy: {MinSuccessfulInstancesPercent: 75}}\n    UpdatePolicy: "
        "{AutoScalingReplacingUpdate: {WillReplace: true}, AutoScalingRollingUpdate: {}}"
    )
    assert (both.kind, both.warnings) == ("cloudformation_replacing", ())
    assert {s.key: s.text for s in both.settings} == {"timeout": "20m", "min_successful": "75%"}
    text = "version: 1\nprofile: ecs-fargate\ntraffic: {rate: 40 rps, users: 1k}\n"
    scenario = loads(text + "\n".join(scenario_lines(found)))
    assert scenario.service.instances == 4
    assert scenario.strategies["Group"].kind == "cloudformation_replacing"


def test_without_a_policy_nothing_is_replaced() -> None:
    for policy in ("DependsOn: []", "UpdatePolicy: {AutoScalingScheduledAction: {}}"):
        found = release(policy)
        assert (found.way, found.kind, scenario_lines(found)) == (Way.NOTHING, "", [])


def test_a_group_that_names_its_version_by_a_text_does_not_see_a_new_one() -> None:
    template = """
Resources:
  Launch: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {ImageId: %s}}}
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    %s
    Properties:
      MinSize: 2
      MaxSize: 4
      LaunchTemplate: {LaunchTemplateId: !Ref Launch, Version: VERSION}
"""
    policy = "UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatchSize: 1}}"
    fixed = template.replace("VERSION", "$Latest")
    assert release(policy, fixed).way is Way.NOT_TOUCHED
    followed = template.replace("VERSION", "!GetAtt Launch.LatestVersionNumber")
    assert release(policy, followed).way is Way.ROLLING


def test_more_in_service_than_the_group_may_have_fails() -> None:
    found = release("UpdatePolicy: {AutoScalingRollingUpdate: {MinInstancesInService: 8}}")
    assert "the update fails" in found.warnings[0]


SERVICE = """
Resources:
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Family: %s}}
  Group:
    Type: AWS::ECS::Service
    Properties: {TaskDefinition: !Ref Task, DesiredCount: 10, %s}
"""


@pytest.mark.parametrize(
    ("stated", "way", "settings"),
    [
        ("Cluster: c", Way.ROLLING, ["100%", "200%"]),
        ("SchedulingStrategy: DAEMON", Way.ROLLING, ["0%", "100%"]),
        (
            "DeploymentConfiguration: {MinimumHealthyPercent: 50, MaximumPercent: 150}",
            Way.ROLLING,
            ["50%", "150%"],
        ),
        ("DeploymentController: {Type: CODE_DEPLOY}", Way.CODE_DEPLOY, []),
        ("DeploymentController: {Type: EXTERNAL}", Way.EXTERNAL, []),
        ("DeploymentConfiguration: {Strategy: BLUE_GREEN}", Way.OWN, []),
    ],
)
def test_a_service_is_released_by_its_deployment_configuration(
    stated: str, way: Way, settings: list[str]
) -> None:
    found = release(stated, SERVICE)
    assert (found.way, found.instances) == (way, 10)
    assert [setting.text for setting in found.settings] == settings
    assert found.kind == ("ecs_rolling" if settings else "")


def test_a_service_that_can_neither_start_nor_stop_a_task_hangs() -> None:
    """ECS developer guide: 3 tasks at 125 % are 3.75, rounded down, so that none may start."""
    text = "DeploymentConfiguration: {MinimumHealthyPercent: 100, MaximumPercent: %s}"
    three = SERVICE.replace("DesiredCount: 10", "DesiredCount: 3")
    assert "hangs" in release(text % 100, SERVICE).warnings[0]
    assert "3 have to run and 3 may" in release(text % 125, three).warnings[0]
    assert release(text % 134, three).warnings == ()


def test_a_circuit_breaker_that_is_on_is_a_setting() -> None:
    text = "DeploymentConfiguration: {DeploymentCircuitBreaker: {Enable: %s, Rollback: true}}"
    found = release(text % "true", SERVICE)
    assert [setting.key for setting in found.settings[2:]] == ["circuit_breaker", "rollback"]
    assert len(release(text % "false", SERVICE).settings) == 2


def test_a_share_of_signals_nobody_waits_for_is_no_policy() -> None:
    found = release("UpdatePolicy: {AutoScalingRollingUpdate: {MinSuccessfulInstancesPercent: 50}}")
    assert found.settings[-1].text == "100%"
    assert "needs WaitOnResourceSignals" in found.warnings[0]


def test_an_alias_moves_at_once_unless_codedeploy_moves_it() -> None:
    text = (
        "Resources:\n  X:\n    Type: AWS::Lambda::Alias\n    UpdatePolicy: {%s: {A: b}}\n"
        "    Properties: {Name: live, FunctionName: f, FunctionVersion: %s}\n"
    )
    for key, way in (("CodeDeployLambdaAliasUpdate", Way.CODE_DEPLOY), ("Other", Way.AT_ONCE)):
        new = text % (key, 2)
        (found,) = releases(changes(text % (key, 1), new).values(), read(new))
        assert found.way is way


def test_a_planted_quota_failure_is_not_predicted(tmp_path: Path) -> None:
    """Ninety thousand of the largest machines: no account has them, no change set says so."""
    new = (TEMPLATES / "quota.yaml").read_text("utf-8")
    found = previewed(tmp_path, new.replace("90000", "1000"), new)
    assert found.failing() == ()
    assert found.denied() == ()
    assert all(row.impact.effect is Effect.NONE for row in found.rows)
    assert Blind.QUOTA in {spot.blind for spot in found.unseen}


def test_blind_spots_are_named(tmp_path: Path) -> None:
    new = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Given: {Type: String, Default: a}, Open: {Type: String}}
Resources:
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}
  Own: {Type: "Custom::Thing", Properties: {ServiceToken: !Ref Open}}
  Db: {Type: AWS::RDS::DBInstance, Properties: {MasterUserPassword: "{{resolve:ssm:x}}"}}
  Q: {Type: AWS::SQS::Queue, Properties: {Odd: %s}}
"""
    found = {spot.blind: spot.names for spot in previewed(tmp_path, new % 1, new % 2).unseen}
    assert found == {
        Blind.QUOTA: (),
        Blind.PERMISSION: (),
        Blind.STABILITY: (),
        Blind.DRIFT: (),
        Blind.PARAMETERS: ("Given",),
        Blind.UNRESOLVED: ("Open", "Db (a dynamic reference)"),
        Blind.NESTED: ("Inner",),
        Blind.CUSTOM: ("Own",),
        Blind.MACROS: ("AWS::Serverless-2016-10-31",),
        Blind.UNKNOWN: ("Q.Odd",),
    }
