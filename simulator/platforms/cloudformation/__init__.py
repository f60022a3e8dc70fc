"""AWS CloudFormation: how a stack update replaces the instances of an Auto Scaling group."""
