"""Evaluators: each scores a prediction against its reference."""
