"""What templates of CloudFormation, Terraform and the API call documents around a rollout on AWS.

Readers of several platforms look for them. Sources: the CloudFormation template reference (2026),
the Terraform AWS provider.
"""

from __future__ import annotations

ALARMS = ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm")
CLASSIC_BALANCERS = ("AWS::ElasticLoadBalancing::LoadBalancer", "aws_elb")
BALANCERS = (
    *("AWS::ElasticLoadBalancingV2::TargetGroup", "aws_lb_target_group", "aws_alb_target_group"),
    *CLASSIC_BALANCERS,
)
FLEETS = ("AWS::AutoScaling::AutoScalingGroup", "aws_autoscaling_group")
SERVICES = ("AWS::ECS::Service", "aws_ecs_service", "service")
