"""Helpers that the tests, drills and benchmarks share."""
