"""Overrides of values of a recipe after its run, in the sections in which this is possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import check_components
from ftrun.recipe.compose import Composed
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.layers import GROUPS
from ftrun.recipe.load import locate
from ftrun.recipe.overrides import Overrides, key_of, prepare
from ftrun.recipe.validation import validate


def apply_overrides(
    recipe: Recipe, overrides: Sequence[str], sections: Sequence[tuple[str, ...]], plugins: Plugins
) -> Recipe:
    """Return the recipe with overrides applied. They may change only these sections, given as key paths.

    Raises:
        InvalidInput: If an override is invalid. The error has all problems, each with its place.
    """
    if not overrides:
        return recipe
    prepared = prepare(overrides, GROUPS)
    _check_sections(prepared, sections)
    values = recipe.model_dump(mode="json")
    for override in parse(prepared, plugins):
        set_path(values, tuple(override.key_or_group.split(".")), override.value())
    return _check_recipe(values, Composed(values, tuple(overrides), ()), sections, plugins)


def _check_sections(overrides: Overrides, sections: Sequence[tuple[str, ...]]) -> None:
    known = " or ".join(".".join((*section, "KEY=VALUE")) for section in sections)
    problems = [
        Problem("invalid-override", f"`{override}` cannot be changed after the run", f"override {override}", known)
        for override in overrides.given
        if override.startswith("~")
        or not any(key_of(override)[: len(section)] == section != key_of(override) for section in sections)
    ]
    if problems:
        raise InvalidInput(problems)


def parse(overrides: Overrides, plugins: Plugins) -> list[Override]:
    """Parse overrides with the grammar of Hydra.

    Raises:
        InvalidInput: If an override cannot be parsed.
    """
    try:
        return OverridesParser.create().parse_overrides(list(overrides.hydra))
    except HydraException as error:
        raise translate_error(error, overrides, plugins.config_folders()) from error


def set_path(values: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    """Set the value at a key path, and create the mappings above it."""
    for part in key[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[key[-1]] = value


def _check_recipe(
    values: dict[str, Any], composed: Composed, sections: Sequence[tuple[str, ...]], plugins: Plugins
) -> Recipe:
    """Check only the sections that the overrides may change, because the others were checked before the run."""
    result = validate(Recipe, values)
    issues = result if isinstance(result, list) else [*check_components(values, plugins), *plugins.check(result)]
    new = [issue for issue in issues if any(issue.path[: len(section)] == section for section in sections)]
    if new or isinstance(result, list):
        raise InvalidInput(locate(new or issues, composed))
    return result
