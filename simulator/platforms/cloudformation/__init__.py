"""AWS CloudFormation: updates of stacks, change sets and stack policies."""
