"""Amazon ECS: the deployments of a service."""
