"""Plan and recipe of a run, from the files in its folder."""

from __future__ import annotations

import logging
from typing import Any, NotRequired

import yaml
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan
from ftrun.api.stored_files import read_stored, validate_stored

log = logging.getLogger(__name__)


@with_config(ConfigDict(extra="allow"))
class RecordedModel(TypedDict):
    """Section `model` of a recorded recipe."""

    base_model: str


@with_config(ConfigDict(extra="allow"))
class RecipeValues(TypedDict):
    """Values of a recorded recipe that are used without a check by the plugins, such as in a report."""

    name: str
    model: RecordedModel
    optimizations: NotRequired[dict[str, Any]]
    evals: NotRequired[dict[str, Any]]
    environment: NotRequired[dict[str, dict[str, Any]]]


def read_plan(folder: RunFolder) -> Plan:
    """Return the plan of a run.

    Raises:
        InvalidInput: If it cannot be read.
    """
    hint = f"`ftrun resume {folder.id}` plans the recipe of the run again"
    return read_stored(folder.plan, Plan, f"the plan of the run `{folder.id}`", hint, known_only=True)


def read_plan_if_possible(folder: RunFolder) -> Plan | None:
    """Return the plan of a run, or None with a warning if it cannot be read."""
    try:
        return read_plan(folder)
    except InvalidInput as error:
        log.warning(error.problems[0].what)
        return None


def read_recipe_values(folder: RunFolder) -> dict[str, Any]:
    """Return the values of the recipe of a run.

    Raises:
        InvalidInput: If they cannot be read.
    """
    what, hint = _describe(folder)
    try:
        values = yaml.safe_load(folder.recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        problem = Problem("damaged-record", f"{what} cannot be read: {reason}", at=str(folder.recipe), hint=hint)
        raise InvalidInput(problem) from None
    return dict(validate_stored(values, RecipeValues, what, folder.recipe, hint))


def read_recipe(folder: RunFolder) -> Recipe:
    """Return the recipe of a run.

    Raises:
        InvalidInput: If it cannot be read.
    """
    what, hint = _describe(folder)
    return validate_stored(read_recipe_values(folder), Recipe, what, folder.recipe, hint)


def _describe(folder: RunFolder) -> tuple[str, str]:
    """Return the name of a recorded recipe in a message, and the next step for the user."""
    hint = "run the recipe again, as `ftrun show` prints it; finished stage calls are cached"
    return f"the recipe of the run `{folder.id}`", hint
