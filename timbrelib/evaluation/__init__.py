"""Measure models and methods, and compare them."""
