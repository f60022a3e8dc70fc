"""How CloudFormation, Terraform and the API call the fields of an ECS service.

Sources: AWS::ECS::Service in the CloudFormation template reference (2026), aws_ecs_service of the
Terraform AWS provider, and the ECS API of 2026.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.words.aws import SERVICES, as_api
from simulator.words.documents import Path


class Names(NamedTuple):
    """Where the fields of a service stand, and in its task definition those of containers."""

    desired: Path
    launch: Path
    scheduling: Path
    controller: Path
    minimum: Path
    maximum: Path
    strategy: Path
    bake: Path
    linear: Path
    linear_bake: Path
    canary: Path
    canary_bake: Path
    breaker: Path
    rollback: Path
    alarms: Path
    alarms_on: Path
    alarms_back: Path
    grace: Path
    providers: Path
    provider: str
    balancers: Path
    task: Path
    threshold: Path
    reset: Path
    keys: tuple[str, str]
    containers: Path
    stop: str
    check: str
    checks: tuple[str, str, str]


def _configured(*path: str) -> Path:
    return ("Properties", "DeploymentConfiguration", *path)


CLOUDFORMATION = Names(
    ("Properties", "DesiredCount"),
    ("Properties", "LaunchType"),
    ("Properties", "SchedulingStrategy"),
    ("Properties", "DeploymentController", "Type"),
    _configured("MinimumHealthyPercent"),
    _configured("MaximumPercent"),
    _configured("Strategy"),
    _configured("BakeTimeInMinutes"),
    _configured("LinearConfiguration", "StepPercent"),
    _configured("LinearConfiguration", "StepBakeTimeInMinutes"),
    _configured("CanaryConfiguration", "CanaryPercent"),
    _configured("CanaryConfiguration", "CanaryBakeTimeInMinutes"),
    _configured("DeploymentCircuitBreaker", "Enable"),
    _configured("DeploymentCircuitBreaker", "Rollback"),
    _configured("Alarms", "AlarmNames"),
    _configured("Alarms", "Enable"),
    _configured("Alarms", "Rollback"),
    ("Properties", "HealthCheckGracePeriodSeconds"),
    ("Properties", "CapacityProviderStrategy"),
    "CapacityProvider",
    ("Properties", "LoadBalancers"),
    ("Properties", "TaskDefinition"),
    _configured("DeploymentCircuitBreaker", "ThresholdConfiguration"),
    _configured("DeploymentCircuitBreaker", "ResetOnHealthyTask"),
    ("Type", "Value"),
    ("Properties", "ContainerDefinitions"),
    "StopTimeout",
    "HealthCheck",
    ("StartPeriod", "Interval", "Retries"),
)
_BLOCK = "deployment_configuration"
TERRAFORM = Names(
    ("desired_count",),
    ("launch_type",),
    ("scheduling_strategy",),
    ("deployment_controller", 0, "type"),
    ("deployment_minimum_healthy_percent",),
    ("deployment_maximum_percent",),
    (_BLOCK, 0, "strategy"),
    (_BLOCK, 0, "bake_time_in_minutes"),
    (_BLOCK, 0, "linear_configuration", 0, "step_percent"),
    (_BLOCK, 0, "linear_configuration", 0, "step_bake_time_in_minutes"),
    (_BLOCK, 0, "canary_configuration", 0, "canary_percent"),
    (_BLOCK, 0, "canary_configuration", 0, "canary_bake_time_in_minutes"),
    ("deployment_circuit_breaker", 0, "enable"),
    ("deployment_circuit_breaker", 0, "rollback"),
    ("alarms", 0, "alarm_names"),
    ("alarms", 0, "enable"),
    ("alarms", 0, "rollback"),
    ("health_check_grace_period_seconds",),
    ("capacity_provider_strategy",),
    "capacity_provider",
    ("load_balancer",),
    ("task_definition",),
    ("deployment_circuit_breaker", 0, "threshold_configuration", 0),
    ("deployment_circuit_breaker", 0, "reset_on_healthy_task"),
    ("type", "value"),
    ("container_definitions",),
    "stopTimeout",
    "healthCheck",
    ("startPeriod", "interval", "retries"),
)
API = Names(*as_api(CLOUDFORMATION))
OF = dict(zip(SERVICES, (CLOUDFORMATION, TERRAFORM, API), strict=True))
