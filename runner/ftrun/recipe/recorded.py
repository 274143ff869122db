"""Rebuild a recipe from a run record and apply overrides. Does not read the files of the recipe."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import as_mapping, check_components, prepare_components, use_model_folder
from ftrun.recipe.compose import Composed, compose
from ftrun.recipe.layers import GROUPS, Layer
from ftrun.recipe.load import MULTI_SELECT, Loaded, locate
from ftrun.recipe.overrides import prepare
from ftrun.recipe.run_overrides import parse, set_path
from ftrun.recipe.validation import validate
from ftrun.recipe.yaml_files import leaves
from ftrun.utils.suggest import nearest
from ftrun.utils.text import dotted


@dataclass(frozen=True)
class RecordedRecipe(Loaded):
    """Recipe from a run record with overrides.

    A value that no override sets keeps its recorded origin.
    """

    recorded_origins: Mapping[str, str] = field(default_factory=dict)
    recorded_overrides: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """Recorded overrides and the new ones after them."""
        return (*self.recorded_overrides, *self.composed.overrides)

    def origins(self) -> dict[str, str]:
        """Return the origin of each value, for the run record."""
        origins = {}
        for path, _ in leaves(self.composed.values):
            name, new_origin = dotted(path), self.composed.exact(path)
            if new_origin is not None or name in self.recorded_origins:
                origins[name] = str(new_origin) if new_origin is not None else self.recorded_origins[name]
        return origins


def load_recorded(
    values: Mapping[str, Any],
    recorded_origins: Mapping[str, str],
    recorded_overrides: tuple[str, ...],
    overrides: Sequence[str],
    plugins: Plugins,
) -> RecordedRecipe:
    """Rebuild a recorded recipe and apply overrides.

    An override that chooses options of a config group replaces that section of the recipe. In a group with several
    options, options that were already chosen keep their values.

    Args:
        values: Recorded values of the recipe.
        recorded_origins: Recorded origin of each value.
        recorded_overrides: Overrides of the recorded run.
        overrides: Overrides to apply.
        plugins: Plugins that check the recipe.

    Raises:
        InvalidInput: If an override or the recipe is invalid. The error has all problems, each with its place.
    """
    prepared = prepare(overrides, GROUPS)
    by_text = dict(zip(prepared.given, parse(prepared, plugins), strict=True))
    _check_overrides(by_text)
    choices = [override for override in by_text.values() if _group_of(override)]
    new = copy.deepcopy(dict(values))
    layers: tuple[Layer, ...] = ()
    declared = compose([str(override.input_line) for override in choices], plugins.config_folders())
    for group in dict.fromkeys(_group_of(override) for override in choices):
        new[group] = _merge_section(group, new.get(group), declared.values.get(group))
        layers += tuple(layer for layer in declared.layers if layer.config.startswith(f"{group}/"))
    for text, override in by_text.items():
        if not _group_of(override):
            _apply(new, override, f"override {text}")
    composed = Composed(new, tuple(overrides), layers)
    ready = prepare_components(composed, plugins)
    use_model_folder(ready, composed)
    ready["environment"] = _merge_environments(
        as_mapping(ready.get("environment")), prepare_components(declared, plugins)["environment"]
    )
    recipe = _check_recipe(ready, composed, recorded_origins, plugins)
    return RecordedRecipe(recipe, composed, recorded_origins, recorded_overrides)


def _group_of(override: Override) -> str:
    """Return the config group of which an override chooses options, or an empty text if it sets a value."""
    return override.key_or_group if override.key_or_group in GROUPS and not override.is_delete() else ""


def _check_overrides(overrides: Mapping[str, Override]) -> None:
    problems = []
    for text, override in overrides.items():
        where = f"override {text}"
        if override.key_or_group == "recipe":
            problems.append(
                Problem(
                    "usage",
                    "`recipe=` cannot be used with `ftrun rerun`, which uses the recipe of the run",
                    where,
                    hint="`ftrun recipe=…` runs another recipe",
                )
            )
        elif override.key_or_group.startswith("hydra"):
            what = "options of Hydra cannot be used with `ftrun rerun`, which uses the recipe of the run"
            problems.append(Problem("usage", what, where))
        elif override.is_sweep_override():
            problems.append(Problem("usage", "a sweep cannot be used with `ftrun rerun`", where, "one value"))
    if problems:
        raise InvalidInput(problems)


def _merge_section(group: str, old: Any, new: Any) -> Any:
    if group not in MULTI_SELECT:
        return new
    return {name: as_mapping(old).get(name, inner) for name, inner in as_mapping(new).items()}


def _apply(values: dict[str, Any], override: Override, where: str) -> None:
    key = tuple(override.key_or_group.split("."))
    _check_choice(values, key, where)
    section: Any = values
    for part in key[:-1]:
        section = as_mapping(section.get(part)) if isinstance(section, dict) else {}
    if not override.is_delete():
        set_path(values, key, _merge(as_mapping(section).get(key[-1]), override.value()))
        return
    if key[-1] not in as_mapping(section):
        raise InvalidInput(Problem("unknown-key", f"the recipe of the run has no `{'.'.join(key)}`", where))
    del section[key[-1]]


def _merge(old: Any, new: Any) -> Any:
    """Merge two values as Hydra does: a mapping sets its keys and does not change other keys."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{str(key): _merge(old.get(str(key)), value) for key, value in new.items()}}


def _check_choice(values: Mapping[str, Any], key: tuple[str, ...], where: str) -> None:
    """Check that a value does not belong to an option of a group that is not chosen.

    Without the rest of the option, the value would silently have no effect or only a part of it.
    """
    if key[0] not in MULTI_SELECT or len(key) == 1 or key[1] in as_mapping(values.get(key[0])):
        return
    group, chosen = key[0], list(as_mapping(values.get(key[0])))
    raise InvalidInput(
        Problem(
            "unknown-name",
            f"`{key[1]}` is not among the chosen {group}",
            where,
            f"one of {', '.join(chosen) or 'none'}",
            nearest(key[1], chosen),
            f"choose it: {group}=[{','.join([*chosen, key[1]])}]",
        )
    )


def _merge_environments(recorded: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded environments, and the current ones if a name is not recorded or its lock file is missing."""
    usable = {
        name: environment
        for name, environment in recorded.items()
        if not environment.get("lock") or Path(str(environment["lock"])).is_file()
    }
    return {**declared, **usable}


def _check_recipe(
    values: dict[str, Any], composed: Composed, recorded_origins: Mapping[str, str], plugins: Plugins
) -> Recipe:
    result = validate(Recipe, values)
    issues = [*check_components(values, plugins), *(result if isinstance(result, list) else plugins.check(result))]
    if issues or isinstance(result, list):
        problems = [
            replace(problem, at=problem.at or recorded_origins.get(dotted(issue.path)))
            for issue in issues
            for problem in locate([issue], composed)
        ]
        raise InvalidInput(list(dict.fromkeys(problems)))
    return result
