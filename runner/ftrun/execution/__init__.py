"""Runs the calls of a plan, in order, in parallel, and after a crash."""
