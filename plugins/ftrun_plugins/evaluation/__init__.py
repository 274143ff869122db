"""Answers of the base and the tuned model to held-out rows, scores of the answers, and a comparison of the models."""
