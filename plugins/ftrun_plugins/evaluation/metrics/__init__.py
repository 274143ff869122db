"""Evaluators, which score answers."""
