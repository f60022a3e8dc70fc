"""Resources of Terraform plans: refreshes, services, groups, aliases, Deployments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.bring.importing import Imported, from_text, imported, workloads
from simulator.platforms.auto_scaling import rules
from simulator.words.problems import ScenarioError
from tests.bring.coverage import ignored, without_effect

PLAN = (Path(__file__).parents[1] / "bring" / "samples" / "plan.json").read_text("utf-8")
GROUP, SERVICE = "aws_autoscaling_group.web", "aws_ecs_service.shop[0]"
ALIAS = 'module.pay["eu"].aws_lambda_alias.live'
HOSTS = 'module.pay["eu"].aws_codedeploy_deployment_group.web'
DEPLOYMENT = "kubernetes_deployment_v1.api"


def read(workload: str, old: str = "", new: str = "") -> Imported:
    assert old in PLAN
    return imported(from_text(PLAN.replace(old, new, 1), "plan.json"), workload)


def settings(found: Imported) -> dict[str, object]:
    return found.scenario.strategies["current"].model_dump(mode="json")


def test_a_plan_is_its_resources_by_their_addresses() -> None:
    found = [one.called for one in workloads(from_text(PLAN))]
    assert sorted(found) == sorted([GROUP, SERVICE, ALIAS, HOSTS, DEPLOYMENT])


@pytest.mark.parametrize("workload", [GROUP, SERVICE, ALIAS, HOSTS, DEPLOYMENT])
def test_what_counts_as_used_has_an_effect(workload: str) -> None:
    found = read(workload)
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_refresh_is_rolled_in_waves_between_its_checkpoints() -> None:
    """80 % and 110 % of 20: four may be missing, two be added, 90 s after each."""
    found = read(GROUP)
    words = settings(found)
    assert (words["kind"], words["waves"]) == ("phased", ["20%", "30%", "50%"])
    assert words["bake"] == ["10m", "10m", "10m"]
    within = words["within"]
    assert isinstance(within, dict)
    told = {key: within[key] for key in ("batch", "surge", "max_unavailable", "pause")}
    assert told == {"batch": "6", "surge": "2", "max_unavailable": "4", "pause": "90s"}
    assert found.scenario.response.automatic == "watched"
    (alarm,) = found.scenario.detection.alarms
    assert alarm.above == 0.02
    assert found.origins["service.instances"] == (
        "plan.json:16 planned_values.root_module.resources[0].values.desired_capacity",
    )


def test_cloudformation_has_refreshes_as_an_update_policy() -> None:
    preferences = "{MinHealthyPercentage: 100, MaxHealthyPercentage: 120, InstanceWarmup: 60}"
    text = f"""\
Resources:
  Web:
    Type: AWS::AutoScaling::AutoScalingGroup
    UpdatePolicy: {{AutoScalingInstanceRefresh: {{Strategy: Rolling, Preferences: {preferences}}}}}
    Properties: {{MinSize: 10, MaxSize: 12, HealthCheckType: ELB}}
"""
    found = imported(from_text(text))
    words = settings(found)
    assert (words["kind"], words["batch"], words["surge"]) == ("rolling", "2", "2")
    assert (words["max_unavailable"], words["pause"]) == ("0", "1m")
    assert found.scenario.response.automatic == "never"
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_refresh_without_checkpoints_is_one_rolling_update() -> None:
    old = '"checkpoint_percentages": [20, 50, 100],\n                    "checkpoint_delay": "600",'
    found = read(GROUP, old, "")
    assert settings(found)["kind"] == "rolling"


@pytest.mark.parametrize(
    ("size", "low", "high", "limits"),
    [
        (20, 0.9, 1.0, (2, 0)),
        (20, 1.0, 1.0, (1, 0)),  # the guide: one at a time
        (20, 0.0, 1.0, (20, 0)),  # the guide: all at once
        (20, 1.0, 1.1, (0, 2)),
        (5, 0.9, 1.0, (1, 0)),
        (5, 1.0, 1.1, (0, 1)),
        (100, 0.71, 1.29, (29, 29)),  # 100 x 0.71 is not 71 in floating point
    ],
)
def test_limits_of_a_refresh(size: int, low: float, high: float, limits: tuple[int, int]) -> None:
    assert rules.refresh(size, low, high) == limits


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"max_healthy_percentage": 110', '"max_healthy_percentage": 190', "more than 100 above"),
        ('"max_healthy_percentage": 110', '"max_healthy_percentage": 90', "not within 100 to 200"),
        ("[20, 50, 100]", "[50, 20]", "do not rise"),
        ("[20, 50, 100]", "[]", "needs checkpoint percentages"),
        ('"max_size": 30', '"max_size": 12', "below the 20 instances"),
        ('"instance_refresh": [', '"other": [', "has no instance_refresh"),
    ],
)
def test_what_auto_scaling_rejects_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        read(GROUP, old, new)


def test_what_is_known_after_the_apply_is_found_through_the_configuration() -> None:
    found = read(SERVICE)
    words = settings(found)
    assert (words["kind"], words["maximum"], words["rollback"]) == ("ecs_rolling", "150%", True)
    service = found.scenario.service
    assert (service.instances, service.drain) == (6, 20)
    assert service.start_failure.timeout == 300 + 3 * 10
    assert [alarm.name for alarm in found.scenario.detection.alarms] == [
        "aws_cloudwatch_metric_alarm.errors"
    ]


def test_references_of_a_module_are_its_own() -> None:
    found = read(HOSTS)
    assert settings(found)["minimum_healthy"] == "60%"
    assert found.scenario.service.instances == 20


def test_an_alias_with_a_weight_is_a_canary_of_unknown_length() -> None:
    (step,) = settings(read(ALIAS))["steps"]  # type: ignore[misc]
    assert step["weight"] == "5%"


def planned(kind: str, **values: Any) -> Imported:
    """A plan with one resource."""
    entry = {"address": f"{kind}.it", "type": kind, "name": "it", "values": values}
    plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [entry]}}}
    return imported(from_text(json.dumps(plan, indent=1), "plan.json"))


def test_strategies_of_appconfig() -> None:
    found = planned(
        "aws_appconfig_deployment_strategy",
        deployment_duration_in_minutes=20,
        growth_factor=10.0,
        growth_type="EXPONENTIAL",
        final_bake_time_in_minutes=10,
        replicate_to="NONE",
    )
    words = settings(found)
    assert (words["growth"], words["factor"]) == ("exponential", "10%")
    assert (words["duration"], words["bake"]) == ("20m", "10m")
    assert without_effect(found) == []


def test_stages_of_api_gateway() -> None:
    canary = [{"deployment_id": "two", "percent_traffic": 5.0, "use_stage_cache": False}]
    found = planned("aws_api_gateway_stage", stage_name="prod", canary_settings=canary)
    (step,) = settings(found)["steps"]  # type: ignore[misc]
    assert step["weight"] == "5%"
    assert without_effect(found) == []


def test_services_that_shift_their_traffic() -> None:
    linear = [{"step_percent": 25.0, "step_bake_time_in_minutes": "4"}]
    configured = [{"strategy": "LINEAR", "linear_configuration": linear}]
    found = planned("aws_ecs_service", desired_count=4, deployment_configuration=configured)
    words = settings(found)
    assert (words["kind"], words["step"], words["step_bake"]) == ("ecs_linear", "25%", "4m")
    assert without_effect(found) == []


def test_deployments_of_kubernetes_that_recreate() -> None:
    spec = {"replicas": "3", "strategy": [{"type": "Recreate"}], "min_ready_seconds": 9}
    found = planned("kubernetes_deployment", spec=[spec])
    assert settings(found)["kind"] == "kubernetes_recreate"
    assert [note.kind for note in found.notes if note.path.endswith("min_ready_seconds")] == [
        "no_effect"
    ]
    with pytest.raises(ScenarioError, match="not allowed; allowed: RollingUpdate, Recreate"):
        planned("kubernetes_deployment", spec=[{"strategy": [{"type": "Fast"}]}])


def test_a_refresh_cannot_do_without_launches() -> None:
    with pytest.raises(ScenarioError, match="Launch is suspended"):
        read(GROUP, '"target_group_arns": [],', '"suspended_processes": ["Launch"],')


def test_a_plan_without_a_rollout_says_what_it_has() -> None:
    with pytest.raises(ScenarioError, match=r"nothing here is rolled out .*aws_s3_bucket"):
        planned("aws_s3_bucket", bucket="b")


def test_a_deployment_of_kubernetes() -> None:
    found = read(DEPLOYMENT)
    words = settings(found)
    assert (words["max_surge"], words["max_unavailable"]) == ("25%", "0")
    assert (words["min_ready"], words["progress_deadline"]) == ("5s", "5m")
    assert (found.scenario.service.instances, found.scenario.service.drain) == (12, 45)


@pytest.mark.parametrize("workload", [GROUP, SERVICE, HOSTS, DEPLOYMENT])
def test_alternatives_can_be_read_again(workload: str) -> None:
    found = read(workload)
    assert found.alternatives()
    for alternative in found.alternatives():
        assert found.altered(alternative).workload.called == workload
