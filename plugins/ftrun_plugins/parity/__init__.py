"""Comparison of the served model with the trained one: tokens of prompts, ends of turns, vocabulary and weights."""
