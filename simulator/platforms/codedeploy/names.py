"""How CloudFormation, Terraform and the API call CodeDeploy's groups and configurations.

Sources: AWS::CodeDeploy::DeploymentGroup and DeploymentConfig in the CloudFormation template
reference (2026); aws_codedeploy_deployment_group and _config of the Terraform AWS provider.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.words.aws import as_api
from simulator.words.documents import Path

GROUPS = (
    *("AWS::CodeDeploy::DeploymentGroup", "aws_codedeploy_deployment_group"),
    "deploymentGroup",
)
CONFIGS = (
    *("AWS::CodeDeploy::DeploymentConfig", "aws_codedeploy_deployment_config"),
    "deploymentConfig",
)
APPLICATIONS = ("AWS::CodeDeploy::Application", "aws_codedeploy_app")


class Names(NamedTuple):
    """Where the fields of a group, of its configuration, and of what it deploys to stand."""

    config: Path
    kind: Path
    option: Path
    application: Path
    alarms: Path
    alarms_on: Path
    rollback: Path
    events: Path
    terminate: Path
    wait: Path
    ready: Path
    services: Path
    fleets: Path
    platform: Path
    healthy: Path
    zonal: Path
    routing: Path
    canary: Path
    linear: Path
    percents: tuple[str, str]
    intervals: tuple[str, str]
    type: str
    value: str
    monitor: str
    first_monitor: str
    zone_hosts: Path
    counts: tuple[Path, ...]
    capacities: tuple[Path, ...]
    launch: Path


_BLUE = ("Properties", "BlueGreenDeploymentConfiguration")
_ENDING = (*_BLUE, "TerminateBlueInstancesOnDeploymentSuccess")
CLOUDFORMATION = Names(
    config=("Properties", "DeploymentConfigName"),
    kind=("Properties", "DeploymentStyle", "DeploymentType"),
    option=("Properties", "DeploymentStyle", "DeploymentOption"),
    application=("Properties", "ApplicationName"),
    alarms=("Properties", "AlarmConfiguration", "Alarms"),
    alarms_on=("Properties", "AlarmConfiguration", "Enabled"),
    rollback=("Properties", "AutoRollbackConfiguration", "Enabled"),
    events=("Properties", "AutoRollbackConfiguration", "Events"),
    terminate=(*_ENDING, "Action"),
    wait=(*_ENDING, "TerminationWaitTimeInMinutes"),
    ready=(*_BLUE, "DeploymentReadyOption", "ActionOnTimeout"),
    services=("Properties", "ECSServices"),
    fleets=("Properties", "AutoScalingGroups"),
    platform=("Properties", "ComputePlatform"),
    healthy=("Properties", "MinimumHealthyHosts"),
    zonal=("Properties", "ZonalConfig"),
    routing=("Properties", "TrafficRoutingConfig", "Type"),
    canary=("Properties", "TrafficRoutingConfig", "TimeBasedCanary"),
    linear=("Properties", "TrafficRoutingConfig", "TimeBasedLinear"),
    percents=("CanaryPercentage", "LinearPercentage"),
    intervals=("CanaryInterval", "LinearInterval"),
    type="Type",
    value="Value",
    monitor="MonitorDurationInSeconds",
    first_monitor="FirstZoneMonitorDurationInSeconds",
    zone_hosts=("MinimumHealthyHostsPerZone",),
    counts=(("Properties", "DesiredCount"),),
    capacities=(("Properties", "DesiredCapacity"), ("Properties", "MinSize")),
    launch=("Properties", "LaunchType"),
)
_BLOCK = ("blue_green_deployment_config", 0)
_ENDED = (*_BLOCK, "terminate_blue_instances_on_deployment_success", 0)
TERRAFORM = Names(
    config=("deployment_config_name",),
    kind=("deployment_style", 0, "deployment_type"),
    option=("deployment_style", 0, "deployment_option"),
    application=("app_name",),
    alarms=("alarm_configuration", 0, "alarms"),
    alarms_on=("alarm_configuration", 0, "enabled"),
    rollback=("auto_rollback_configuration", 0, "enabled"),
    events=("auto_rollback_configuration", 0, "events"),
    terminate=(*_ENDED, "action"),
    wait=(*_ENDED, "termination_wait_time_in_minutes"),
    ready=(*_BLOCK, "deployment_ready_option", 0, "action_on_timeout"),
    services=("ecs_service",),
    fleets=("autoscaling_groups",),
    platform=("compute_platform",),
    healthy=("minimum_healthy_hosts", 0),
    zonal=("zonal_config", 0),
    routing=("traffic_routing_config", 0, "type"),
    canary=("traffic_routing_config", 0, "time_based_canary", 0),
    linear=("traffic_routing_config", 0, "time_based_linear", 0),
    percents=("percentage", "percentage"),
    intervals=("interval", "interval"),
    type="type",
    value="value",
    monitor="monitor_duration_in_seconds",
    first_monitor="first_zone_monitor_duration_in_seconds",
    zone_hosts=("minimum_healthy_hosts_per_zone", 0),
    counts=(("desired_count",),),
    capacities=(("desired_capacity",), ("min_size",)),
    launch=("launch_type",),
)
API = Names(*as_api(CLOUDFORMATION))
OF = dict(zip(GROUPS, (CLOUDFORMATION, TERRAFORM, API), strict=True))
