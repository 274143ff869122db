"""Execution of plans: scheduling, stage processes, and resumption after a crash."""
