"""Registers what serving asks of recipes."""

from __future__ import annotations

from collections.abc import Iterable

from ftrun import hookimpl
from ftrun.api.issues import Finding
from ftrun.api.recipe import Recipe


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Finding]:
    from ftrun_plugins.serving.check import check_serving

    return check_serving(recipe)
