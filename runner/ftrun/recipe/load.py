"""From overrides to a checked recipe: compose, type, check with every plugin, and say where each problem is."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.config_dirs import ConfigFolders
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import as_mapping, check_components, prepare_components
from ftrun.recipe.compose import Composed, compose
from ftrun.recipe.validation import dotted, validate
from ftrun.recipe.yaml_files import leaves, short
from ftrun.utils.suggest import nearest

UNSET = "???"
MULTI_SELECT = ("optimizations", "evals")


@dataclass(frozen=True)
class Loaded:
    """A checked recipe with the composition it came from."""

    recipe: Recipe
    composed: Composed

    @property
    def given(self) -> tuple[str, ...]:
        """The overrides that asked for it."""
        return self.composed.overrides

    def origins(self) -> dict[str, str]:
        """Where each value came from, for the run's record."""
        return {dotted(path): str(self.composed.origin(path) or "default") for path, _ in leaves(self.composed.values)}


def load(overrides: Sequence[str], plugins: Plugins) -> Loaded:
    """The recipe that the overrides ask for.

    Raises:
        InvalidInput: with all problems at once, each with its place.
    """
    composed = compose(overrides, plugins.config_folders())
    name = composed.recipe_name()
    if name is None:
        raise InvalidInput(
            Problem(
                "missing-recipe",
                "no recipe is named",
                expected="recipe=NAME, or recipe=FILE.yaml",
                hint="`ftrun recipes` lists those that there are",
            )
        )
    values = prepare_components(composed, plugins)
    named = (
        [Issue("reserved-key", ("name",), "a recipe is named by its file", hint="leave `name` out")]
        if "name" in values
        else []
    )
    values["name"] = name
    findings = [
        *named,
        *_unset(composed.values),
        *_not_finite(values),
        *_not_chosen(composed, plugins.config_folders()),
    ]
    findings += [new for new in check_components(values, plugins) if not _covered(new, findings)]
    result = validate(Recipe, values)
    if isinstance(result, list):
        findings += [new for new in result if not _covered(new, findings)]
    recipe = _without(findings, values) or (None if isinstance(result, list) else result)
    if recipe is not None:
        for found in plugins.hook.ftrun_check_recipe(recipe=recipe):
            findings += [new for new in found if not _covered(new, findings)]
    if findings or recipe is None:
        raise InvalidInput(locate(findings, composed))
    return Loaded(recipe, composed)


def _without(findings: list[Issue], values: dict[str, Any]) -> Recipe | None:
    """The recipe without what is wrong with it, so that plugins can still find more; None if it needs that."""
    kept = copy.deepcopy(values)
    for finding in findings:
        parent: Any = kept
        for part in finding.path[:-1]:
            parent = parent.get(part) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(finding.path[-1], None)
    result = validate(Recipe, kept)
    return None if isinstance(result, list) else result


def locate(findings: Iterable[Issue], composed: Composed) -> list[Problem]:
    """Findings as problems, each with the file position or override that set the value."""
    problems = []
    own = [short(layer.file) for layer in composed.layers if layer.config.startswith("recipe/")]
    for finding in findings:
        places = [composed.origin(path) for path in (finding.path, *finding.also) if path]
        where = " and ".join(dict.fromkeys(str(place) for place in places if place))
        where = where or (own[-1] if own else "")
        problems.append(
            Problem(finding.code, finding.what, where or None, finding.expected, finding.did_you_mean, finding.hint)
        )
    return sorted(dict.fromkeys(problems), key=lambda problem: _as_read(problem.at or ""))


def _as_read(where: str) -> list[tuple[int, str]]:
    """Line 9 comes before line 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", where)]


def _covered(new: Issue, findings: list[Issue]) -> bool:
    return any(new.path[: len(old.path)] == old.path for old in findings)


def _not_chosen(composed: Composed, folders: Sequence[ConfigFolders]) -> Iterator[Issue]:
    """Values for an option of a multi-select group that is not chosen would silently do nothing, or half of it."""
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


def _unset(values: dict[str, Any]) -> Iterator[Issue]:
    """Hydra's mark for a value that has to be given."""
    for path, value in leaves(values):
        if value == UNSET:
            yield Issue(
                "missing-key",
                path,
                f"`{dotted(path)}` has to be set",
                hint=f"in the recipe, or {dotted(path)}=… on the command line",
            )


def _not_finite(values: dict[str, Any]) -> Iterator[Issue]:
    """JSON, in which recipes and keys are kept, has no infinity and no NaN."""
    for path, value in leaves(values):
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, float) and not math.isfinite(item):
                place = path if index is None else (*path, index)
                yield Issue("invalid-value", place, f"`{dotted(place)}` is {item}", "a finite number")
