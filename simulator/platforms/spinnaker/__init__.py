"""Spinnaker: pipelines with canary analysis by Kayenta."""
