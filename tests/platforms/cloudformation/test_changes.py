"""Change sets: replacement by its documented rule, carried over to whoever takes the values."""

from __future__ import annotations

import time
from typing import Any

import pytest

from simulator.platforms.cloudformation.behaviours import Behaviour, kind_of, rule, types
from simulator.platforms.cloudformation.changes import (
    Action,
    Evaluation,
    Replacement,
    replacement,
)
from simulator.platforms.cloudformation.stack import Function, differs
from tests.bring.stacks import changes, one


@pytest.mark.parametrize(
    ("behaviour", "static", "dynamic"),
    [
        (Behaviour.REPLACEMENT, Replacement.TRUE, Replacement.CONDITIONAL),
        (Behaviour.CONDITIONAL, Replacement.CONDITIONAL, Replacement.CONDITIONAL),
        (Behaviour.NO_INTERRUPTION, Replacement.FALSE, Replacement.FALSE),
        (Behaviour.SOME_INTERRUPTIONS, Replacement.FALSE, Replacement.FALSE),
        (Behaviour.UNKNOWN, Replacement.UNKNOWN, Replacement.UNKNOWN),
    ],
)
def test_replacement_follows_from_recreation_and_evaluation(
    behaviour: Behaviour, static: Replacement, dynamic: Replacement
) -> None:
    assert replacement(behaviour, Evaluation.STATIC) is static
    assert replacement(behaviour, Evaluation.DYNAMIC) is dynamic


def test_a_planted_replacement_is_listed() -> None:
    old, new = (one("AWS::EC2::Instance", ImageId=i, Monitoring=i == "b") for i in "ab")
    found = changes(old, new)["X"]
    assert (found.action, found.replacement) == (Action.MODIFY, Replacement.TRUE)
    assert {detail.name: detail.replacement for detail in found.details} == {
        "ImageId": Replacement.TRUE,
        "Monitoring": Replacement.FALSE,
    }


def test_the_same_template_changes_nothing_however_it_is_written() -> None:
    old = '{"Resources": {"X": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}}}'
    new = "Resources:\n  X:\n    Type: AWS::SQS::Queue\n    Properties: {DelaySeconds: '5'}\n"
    assert changes(old, new) == {}


def test_added_removed_and_of_another_type() -> None:
    old = "Resources: {A: {Type: AWS::SQS::Queue}, B: {Type: AWS::SQS::Queue}}"
    new = "Resources: {B: {Type: AWS::SNS::Topic}, C: {Type: AWS::SQS::Queue}}"
    found = changes(old, new)
    assert found["A"].action is Action.REMOVE
    assert found["C"].action is Action.ADD
    assert found["B"].replacement is Replacement.TRUE
    assert found["B"].scope == ("Type",)


def test_what_the_table_does_not_know_is_unknown_and_never_harmless() -> None:
    old, new = (one("AWS::SQS::Queue", BrandNew=i) for i in (1, 2))
    assert changes(old, new)["X"].replacement is Replacement.UNKNOWN
    old, new = (one("AWS::Brand::New", Name=i) for i in (1, 2))
    found = changes(old, new)["X"]
    assert found.details[0].rule.behaviour is Behaviour.UNKNOWN
    assert found.details[0].recreation == "Unknown"


def test_scope_names_what_else_changes() -> None:
    text = (
        "Resources:\n  X:\n    Type: AWS::SQS::Queue\n    Metadata: {A: %s}\n"
        "    DeletionPolicy: %s\n    UpdatePolicy: {A: %s}\n"
        "    Properties: {Tags: [{Key: a, Value: %s}, {Key: b, Value: c}]}\n"
    )
    found = changes(text % (1, "Delete", 1, 1), text % (2, "Retain", 2, 2))["X"]
    assert found.scope == ("Tags", "Metadata", "UpdatePolicy", "DeletionPolicy")
    assert found.replacement is Replacement.FALSE
    swapped = text.replace(
        "{Key: a, Value: %s}, {Key: b, Value: c}", "{Key: b, Value: c}, {Key: a, Value: %s}"
    )
    assert changes(text % (1, "Delete", 1, 1), swapped % (1, "Delete", 1, 1)) == {}


CHAIN = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: %s, EnableDnsSupport: %s}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Box: {Type: AWS::EC2::Instance, Properties: {SubnetId: !Ref Subnet, ImageId: ami-1}}
  Record:
    Type: AWS::Route53::RecordSet
    Properties: {Name: a, Type: A, ResourceRecords: [!GetAtt Box.PrivateIp]}
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt Vpc.CidrBlock}}
"""


def test_a_replacement_is_carried_to_whoever_takes_its_name() -> None:
    found = changes(CHAIN % ("10.0.0.0/16", "true"), CHAIN % ("10.1.0.0/16", "true"))
    assert {name: change.replacement for name, change in found.items()} == {
        "Vpc": Replacement.TRUE,
        "Subnet": Replacement.CONDITIONAL,
        "Box": Replacement.CONDITIONAL,
        "Record": Replacement.FALSE,
        "Topic": Replacement.FALSE,
    }
    (detail,) = found["Subnet"].details
    assert (detail.source, detail.cause) == ("ResourceReference", "Vpc")
    assert detail.evaluation is Evaluation.DYNAMIC
    assert found["Record"].details[0].source == "ResourceAttribute"


def test_a_change_in_place_reaches_attributes_only() -> None:
    found = changes(CHAIN % ("10.0.0.0/16", "true"), CHAIN % ("10.0.0.0/16", "false"))
    assert set(found) == {"Vpc", "Topic"}


def test_a_parameter_is_named_as_the_cause() -> None:
    text = (
        "Parameters: {Key: {Type: String, Default: %s}}\n"
        "Resources: {X: {Type: AWS::EC2::Instance, Properties: {KeyName: !Sub 'k-${Key}'}}}"
    )
    (detail,) = changes(text % "a", text % "b")["X"].details
    assert (detail.source, detail.cause) == ("ParameterReference", "Key")
    assert detail.replacement is Replacement.TRUE


def test_a_value_nobody_knows_yet_may_come_to_the_same() -> None:
    old = one("AWS::EC2::Instance", ImageId="ami-1")
    new = one("AWS::EC2::Instance", ImageId={"Fn::ImportValue": "image"})
    assert changes(old, new)["X"].replacement is Replacement.CONDITIONAL


def test_a_condition_nobody_knows_makes_the_action_unclear() -> None:
    head = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}\nResources:\n"
    old = head + "  X: {Type: AWS::SQS::Queue}\n"
    new = old + "  Y: {Type: AWS::SQS::Queue, Condition: C}\n"
    assert changes(old, new)["Y"].action is Action.DYNAMIC


def text_of(*parts: Any) -> Function:
    return Function("Fn::Join", list(parts))


REGION, STACK = Function("Parameter", "AWS::Region"), Function("Parameter", "AWS::StackName")


@pytest.mark.parametrize(
    ("old", "new", "certain"),
    [
        ("a", "b", True),
        ("a", REGION, False),
        (["a"], ["a", "b"], True),
        (["a"], ["a", Function("Fn::If", ["c", "x", "y"])], False),
        ({"a": "1"}, {"a": "1", "b": "2"}, True),
        ({"a": "1"}, {"a": REGION}, False),
        (Function("Ref", "A"), Function("Ref", "B"), True),
        (Function("Fn::GetAtt", ["A", "x"]), Function("Fn::GetAtt", ["B", "x"]), False),
        (text_of("a-", REGION), text_of("b-", REGION), True),
        (text_of(REGION, " v1 ", STACK), text_of(REGION, " v2 ", STACK), True),
        (text_of(REGION, "1"), text_of(REGION, "12"), True),
        (text_of(REGION, "-a"), text_of(STACK, "-a"), False),
        (text_of("a", REGION), text_of("ab", STACK), False),
        (text_of("x", REGION), text_of(REGION, "x"), False),
        (
            Function("Fn::Base64", text_of("v1", REGION)),
            Function("Fn::Base64", text_of("v2", REGION)),
            True,
        ),
    ],
)
def test_certainty_of_a_difference(old: Any, new: Any, certain: bool) -> None:
    """ "x" + region may equal region + "x" (a region of x alone), so that is not certain."""
    assert differs(old, new) is certain


def test_the_table_covers_the_resources_of_releases() -> None:
    asked = """
        EC2::Instance EC2::LaunchTemplate AutoScaling::LaunchConfiguration EC2::Subnet EC2::VPC
        AutoScaling::AutoScalingGroup ElasticLoadBalancingV2::LoadBalancer EC2::SecurityGroup
        ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::TargetGroup IAM::Role
        ElasticLoadBalancingV2::ListenerRule ElasticLoadBalancing::LoadBalancer ECS::Service
        ECS::TaskDefinition Lambda::Function Lambda::Alias Lambda::Version RDS::DBInstance
        DynamoDB::Table S3::Bucket SQS::Queue SNS::Topic Route53::RecordSet ApiGateway::RestApi
        ApiGateway::Stage ApiGateway::Deployment CodeDeploy::DeploymentGroup
        ElastiCache::CacheCluster ElastiCache::ReplicationGroup ElasticBeanstalk::Environment
        CloudFront::Distribution EFS::FileSystem
    """
    assert {f"AWS::{name}" for name in asked.split()} <= set(types())


def test_every_entry_of_the_table_is_sound() -> None:
    for name in types():
        known = kind_of(name)
        assert known is not None
        assert known.rules
        for prop in known.identity:
            assert prop in known.rules, (name, prop)
        for prop, found in known.rules.items():
            assert found.source, (name, prop)
            assert (found.behaviour is Behaviour.CONDITIONAL) == bool(found.note), (name, prop)
            assert found.confirmed <= (found.source.split(" (")[0] != "memory"), (name, prop)


@pytest.mark.parametrize(
    ("kind", "prop", "behaviour"),
    [
        ("AWS::EC2::Instance", "ImageId", Behaviour.REPLACEMENT),
        ("AWS::EC2::Instance", "InstanceType", Behaviour.CONDITIONAL),
        ("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate", Behaviour.NO_INTERRUPTION),
        ("AWS::ECS::Service", "TaskDefinition", Behaviour.NO_INTERRUPTION),
        ("AWS::ECS::Service", "LaunchType", Behaviour.REPLACEMENT),
        ("AWS::ECS::TaskDefinition", "ContainerDefinitions", Behaviour.REPLACEMENT),
        ("AWS::RDS::DBInstance", "Port", Behaviour.REPLACEMENT),
        ("AWS::RDS::DBInstance", "DBInstanceClass", Behaviour.SOME_INTERRUPTIONS),
        ("AWS::DynamoDB::Table", "TableName", Behaviour.REPLACEMENT),
        ("AWS::ElasticBeanstalk::Environment", "CNAMEPrefix", Behaviour.REPLACEMENT),
        ("Custom::Anything", "Whatever", Behaviour.CONDITIONAL),
    ],
)
def test_documented_update_behaviours(kind: str, prop: str, behaviour: Behaviour) -> None:
    """AWS CloudFormation user guide, "Update requires"; provider schemas, createOnlyProperties."""
    assert rule(kind, prop).behaviour is behaviour


def test_a_part_of_a_property_has_its_own_behaviour() -> None:
    kind = "AWS::ElasticBeanstalk::Environment"
    parts = [{"Name": "Worker", "Version": v} for v in "12"]
    old, new = (one(kind, ApplicationName="a", Tier=tier) for tier in parts)
    assert changes(old, new)["X"].replacement is Replacement.FALSE
    old, new = (one(kind, Tier={"Name": name}) for name in ("Worker", "WebServer"))
    assert changes(old, new)["X"].replacement is Replacement.TRUE


def test_long_chains_and_many_references_end_soon() -> None:
    started = time.process_time()
    text = "Resources:\n  R0: {Type: AWS::EC2::VPC, Properties: {CidrBlock: %s}}\n" + "".join(
        f"  R{i}: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref R{i - 1}}}}}\n"
        for i in range(1, 3000)
    )
    assert len(changes(text % "a", text % "b")) == 3000
    assert time.process_time() - started < 10
