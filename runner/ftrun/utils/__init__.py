"""Helpers that know nothing of recipes, stages or runs. They import nothing of ftrun."""
