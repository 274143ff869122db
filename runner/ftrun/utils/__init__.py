"""Helpers that are independent of recipes, stages and runs. They import no other package of ftrun."""
