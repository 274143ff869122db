"""Changes values of a recipe that was composed before: of a run, where that can still be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import check_components
from ftrun.recipe.compose import GROUPS, Composed
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.load import locate
from ftrun.recipe.overrides import Overrides, key_of, prepare
from ftrun.recipe.validation import validate


def apply_overrides(
    recipe: Recipe, overrides: Sequence[str], sections: Sequence[tuple[str, ...]], plugins: Plugins
) -> Recipe:
    """The recipe with other values in some of its sections, each given by the keys that lead to it.

    Raises:
        InvalidInput: with all that is wrong with the overrides, each with its place.
    """
    if not overrides:
        return recipe
    prepared = prepare(overrides, GROUPS)
    _check_sections(prepared, sections)
    values = recipe.model_dump(mode="json")
    for override in parsed(prepared, plugins):
        set_path(values, tuple(override.key_or_group.split(".")), override.value())
    return _checked(values, Composed(values, tuple(overrides), ()), sections, plugins)


def _check_sections(overrides: Overrides, sections: Sequence[tuple[str, ...]]) -> None:
    known = " or ".join(".".join((*section, "KEY=VALUE")) for section in sections)
    problems = [
        Problem("invalid-override", f"`{override}` cannot be said of a run that is over", f"override {override}", known)
        for override in overrides.given
        if override.startswith("~")
        or not any(key_of(override)[: len(section)] == section != key_of(override) for section in sections)
    ]
    if problems:
        raise InvalidInput(problems)


def parsed(overrides: Overrides, plugins: Plugins) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(list(overrides.hydra))
    except HydraException as error:
        raise translate_error(error, overrides, plugins.config_folders()) from error


def set_path(values: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    for part in key[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[key[-1]] = value


def _checked(
    values: dict[str, Any], composed: Composed, sections: Sequence[tuple[str, ...]], plugins: Plugins
) -> Recipe:
    """Only what the overrides may have changed is checked: the rest was, before the run began."""
    result = validate(Recipe, values)
    findings = result if isinstance(result, list) else [*check_components(values, plugins), *_checks(result, plugins)]
    found = [one for one in findings if any(one.path[: len(section)] == section for section in sections)]
    if found or isinstance(result, list):
        raise InvalidInput(locate(found or findings, composed))
    return result


def _checks(recipe: Recipe, plugins: Plugins) -> Iterator[Issue]:
    for found in plugins.hook.ftrun_check_recipe(recipe=recipe):
        yield from found
