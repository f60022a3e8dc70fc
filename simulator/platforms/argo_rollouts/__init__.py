"""Argo Rollouts: canaries by counts of pods or by weights, blue/green, and analysis."""
