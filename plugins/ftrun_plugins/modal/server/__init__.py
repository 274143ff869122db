"""Servers on Modal: their deployment, and the code in their containers."""
