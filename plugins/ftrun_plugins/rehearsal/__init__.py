"""Rehearsal of a recipe: a test of all stages on this machine's CPU with a tiny model, before the real run."""
