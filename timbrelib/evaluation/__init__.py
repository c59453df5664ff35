"""Measure sounds and models, and compare methods of following a target."""
