"""Deciding: what a recommendation rests on, and what would change it."""
