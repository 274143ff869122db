"""Registers what serving asks of recipes."""

from __future__ import annotations

from collections.abc import Iterable

from ftrun import hookimpl
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    from ftrun_plugins.serving.check import check_serving

    return check_serving(recipe)
