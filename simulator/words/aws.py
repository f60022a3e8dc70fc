"""What templates of CloudFormation, Terraform and the API call documents around a rollout on AWS.

Readers of several platforms look for them. Sources: the CloudFormation template reference (2026),
the Terraform AWS provider.
"""

from __future__ import annotations

import re
from typing import Any

_FIRST = re.compile(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]")
ALARMS = ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm")
CLASSIC_BALANCERS = ("AWS::ElasticLoadBalancing::LoadBalancer", "aws_elb")
BALANCERS = (
    *("AWS::ElasticLoadBalancingV2::TargetGroup", "aws_lb_target_group", "aws_alb_target_group"),
    *CLASSIC_BALANCERS,
)
FLEETS = ("AWS::AutoScaling::AutoScalingGroup", "aws_autoscaling_group")
SERVICES = ("AWS::ECS::Service", "aws_ecs_service", "service")


def as_api(names: Any) -> Any:
    """Names of CloudFormation as the API has them: without Properties, the first word in lower
    case; of a name, and of all in nested tuples.
    """
    if isinstance(names, tuple):
        return tuple(as_api(name) for name in names if name != "Properties")
    return _FIRST.sub(lambda found: found[0].lower(), names)
