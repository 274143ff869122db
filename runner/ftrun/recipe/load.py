"""Load a recipe from overrides: compose it, validate its types, check it with every plugin, and locate each problem."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.config_dirs import ConfigFolders
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import as_mapping, check_components, prepare_components, use_model_folder
from ftrun.recipe.compose import Composed, compose
from ftrun.recipe.gates import check_gates
from ftrun.recipe.lock_files import check_lock_files
from ftrun.recipe.secret_values import check_values
from ftrun.recipe.validation import validate
from ftrun.recipe.yaml_files import leaves, short
from ftrun.utils.suggest import nearest
from ftrun.utils.text import dotted

UNSET = "???"
MULTI_SELECT = ("optimizations", "evals")


@dataclass(frozen=True)
class Loaded:
    """Checked recipe and its composition."""

    recipe: Recipe
    composed: Composed

    @property
    def given(self) -> tuple[str, ...]:
        """Overrides that select the recipe."""
        return self.composed.overrides

    def origins(self) -> dict[str, str]:
        """Return the origin of each value, for the run record."""
        return {dotted(path): str(self.composed.origin(path) or "default") for path, _ in leaves(self.composed.values)}


def load(overrides: Sequence[str], plugins: Plugins) -> Loaded:
    """Load the recipe that the overrides select.

    Raises:
        InvalidInput: If the recipe has problems. The error has all of them, each with its place.
    """
    composed = compose(overrides, plugins.config_folders())
    name = composed.recipe_name()
    if name is None:
        raise InvalidInput(
            Problem(
                "missing-recipe",
                "no recipe is named",
                expected="recipe=NAME, or recipe=FILE.yaml",
                hint="`ftrun recipes` lists the recipes",
            )
        )
    if secrets := list(check_values(_scalars(composed.values))):
        raise InvalidInput(locate(secrets, composed))
    values = prepare_components(composed, plugins)
    use_model_folder(values, composed)
    reserved = (
        [Issue("reserved-key", ("name",), "`name` is set to the name of the recipe file", hint="remove `name`")]
        if "name" in values
        else []
    )
    values["name"] = name
    issues = [
        *reserved,
        *_check_unset(composed.values),
        *_check_numbers(values),
        *_check_choices(composed, plugins.config_folders()),
    ]
    issues += [new for new in check_components(values, plugins) if not _is_duplicate(new, issues)]
    result = validate(Recipe, values)
    if isinstance(result, list):
        issues += [new for new in result if not _is_duplicate(new, issues)]
    recipe = _drop_invalid(issues, values) or (None if isinstance(result, list) else result)
    if recipe is not None:
        found = (*check_lock_files(recipe), *check_gates(recipe, plugins), *plugins.check(recipe))
        issues += [new for new in found if not _is_duplicate(new, issues)]
    if issues or recipe is None:
        raise InvalidInput(locate(issues, composed))
    return Loaded(recipe, composed)


def _drop_invalid(issues: list[Issue], values: dict[str, Any]) -> Recipe | None:
    """Return the recipe without the values that have issues, so that plugins can find further issues.

    Return None if the recipe is invalid without these values.
    """
    remaining = copy.deepcopy(values)
    for issue in issues:
        if not issue.path:  # the values as a whole
            return None
        parent: Any = remaining
        for part in issue.path[:-1]:
            parent = parent.get(part) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(issue.path[-1], None)
    result = validate(Recipe, remaining)
    return None if isinstance(result, list) else result


def locate(issues: Iterable[Issue], composed: Composed) -> list[Problem]:
    """Return the issues as problems, each with the file position or override that set the value."""
    problems = []
    own = [short(layer.file) for layer in composed.layers if layer.config.startswith("recipe/")]
    for issue in issues:
        places = [composed.origin(path) for path in (issue.path, *issue.also) if path]
        where = " and ".join(dict.fromkeys(str(place) for place in places if place))
        where = where or (own[-1] if own else "")
        problems.append(Problem(issue.code, issue.what, where or None, issue.expected, issue.did_you_mean, issue.hint))
    return sorted(dict.fromkeys(problems), key=lambda problem: _sort_key(problem.at or ""))


def _sort_key(where: str) -> list[tuple[int, str]]:
    """Return a key that sorts line 9 before line 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", where)]


def _is_duplicate(new: Issue, issues: list[Issue]) -> bool:
    """Return True if there is an issue with the same key or a parent of it."""
    return any(new.path[: len(old.path)] == old.path for old in issues)


def _check_choices(composed: Composed, folders: Sequence[ConfigFolders]) -> Iterator[Issue]:
    """Yield an issue for each value that belongs to an option of a group that is not chosen.

    Without the rest of the option, the value would silently have no effect or only a part of it.
    """
    for group in MULTI_SELECT:
        chosen = composed.chosen(group)
        known = {file.stem for folder in folders if folder.conf for file in folder.conf.glob(f"{group}/*.yaml")}
        for name in as_mapping(composed.values.get(group)):
            from_file = any((group, name) in layer.positions for layer in composed.layers)
            if name in chosen or (from_file and name not in known):
                continue
            if name in known:
                yield Issue(
                    "unknown-name",
                    (group, name),
                    f"`{name}` is not among the chosen {group}",
                    f"one of {', '.join(chosen) or 'none'}",
                    hint=f"choose it: {group}=[{','.join([*chosen, name])}]",
                )
            else:
                yield Issue(
                    "unknown-name",
                    (group, name),
                    f"there is no `{name}` in {group}",
                    f"one of {', '.join(chosen) or 'none'}",
                    nearest(name, {*chosen, *known}),
                )


def _check_unset(values: dict[str, Any]) -> Iterator[Issue]:
    """Yield an issue for each value that is `???`, which Hydra uses for required values."""
    for path, value in _scalars(values):
        if value == UNSET:
            yield Issue(
                "missing-key",
                path,
                f"`{dotted(path)}` is not set",
                hint=f"set it in the recipe, or with {dotted(path)}=… on the command line",
            )


def _check_numbers(values: dict[str, Any]) -> Iterator[Issue]:
    """Yield an issue for each infinity and NaN, which JSON does not have, and each number that no library can store."""
    for path, value in _scalars(values):
        if isinstance(value, float) and not math.isfinite(value):
            yield Issue("invalid-value", path, f"`{dotted(path)}` is {value}", "a finite number")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            what = f"`{dotted(path)}` is a number of {value.bit_length()} bits"
            yield Issue("invalid-value", path, what, "a number of 64 bits or less")


def _scalars(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the values in nested mappings and lists with their key paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _scalars(inner, (*path, index))
    else:
        yield path, value
