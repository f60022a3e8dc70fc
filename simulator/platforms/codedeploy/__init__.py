"""AWS CodeDeploy: deployments to hosts in place, and shifts of traffic on ECS and Lambda."""
