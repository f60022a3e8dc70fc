"""Kubernetes: the Deployment controller."""
