"""AWS OpsWorks Stacks (legacy, ended in 2024): lifecycle events, and deployments on command."""
