"""Asks the base and the tuned model the held-out rows, scores their answers, and compares the two."""
