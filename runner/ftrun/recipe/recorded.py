"""A recipe as a run recorded it, with overrides on top, whatever became of the files that it was composed of."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.components import as_mapping, check_components, prepare_components
from ftrun.recipe.compose import GROUPS, Composed, Layer, compose
from ftrun.recipe.load import MULTI_SELECT, Loaded, locate
from ftrun.recipe.overrides import prepare
from ftrun.recipe.run_overrides import parsed, set_path
from ftrun.recipe.validation import dotted, validate
from ftrun.recipe.yaml_files import leaves
from ftrun.utils.suggest import nearest


@dataclass(frozen=True)
class RecordedRecipe(Loaded):
    """What no override sets comes from where it came from before."""

    before: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        return (*self.earlier, *self.composed.overrides)

    def origins(self) -> dict[str, str]:
        found = {}
        for path, _ in leaves(self.composed.values):
            name, own = dotted(path), self.composed.exact(path)
            if own is not None or name in self.before:
                found[name] = str(own) if own is not None else self.before[name]
        return found


def load_recorded(
    values: Mapping[str, Any],
    before: Mapping[str, str],
    earlier: tuple[str, ...],
    overrides: Sequence[str],
    plugins: Plugins,
) -> RecordedRecipe:
    """A recorded recipe with overrides on top.

    Args:
        values: The recipe as it was recorded.
        before: Where each of its values came from.
        earlier: The overrides that had asked for it.
        overrides: What is to be different now.
        plugins: What checks it.

    An override that chooses options of a config group replaces that part of the recipe; of a group with several options
    those that were chosen already keep their values.

    Raises:
        InvalidInput: with all that is wrong by now, each with its place.
    """
    given = prepare(overrides, GROUPS)
    found = dict(zip(given.given, parsed(given, plugins), strict=True))
    _check(found)
    chosen = [override for override in found.values() if _group(override)]
    new = copy.deepcopy(dict(values))
    layers: tuple[Layer, ...] = ()
    declared = compose([str(override.input_line) for override in chosen], plugins.config_folders())
    for group in dict.fromkeys(_group(override) for override in chosen):
        new[group] = _section(group, new.get(group), declared.values.get(group))
        layers += tuple(layer for layer in declared.layers if layer.config.startswith(f"{group}/"))
    for text, override in found.items():
        if not _group(override):
            _apply(new, override, f"override {text}")
    composed = Composed(new, tuple(overrides), layers)
    ready = prepare_components(composed, plugins)
    ready["environment"] = _environments(
        as_mapping(ready.get("environment")), prepare_components(declared, plugins)["environment"]
    )
    return RecordedRecipe(_checked(ready, composed, before, plugins), composed, before, earlier)


def _group(override: Override) -> str:
    """The config group in which an override chooses; empty where it sets a value."""
    return override.key_or_group if override.key_or_group in GROUPS and not override.is_delete() else ""


def _check(overrides: Mapping[str, Override]) -> None:
    problems = []
    for text, override in overrides.items():
        where = f"override {text}"
        if override.key_or_group == "recipe":
            problems.append(
                Problem(
                    "usage",
                    "a run is done again with its own recipe",
                    where,
                    hint="`ftrun recipe=…` runs another recipe",
                )
            )
        elif override.key_or_group.startswith("hydra"):
            problems.append(Problem("usage", "Hydra composes nothing here: the recipe is the run's own", where))
        elif override.is_sweep_override():
            problems.append(Problem("usage", "one run is done again at a time", where, "one value"))
    if problems:
        raise InvalidInput(problems)


def _section(group: str, before: Any, now: Any) -> Any:
    if group not in MULTI_SELECT:
        return now
    return {name: as_mapping(before).get(name, inner) for name, inner in as_mapping(now).items()}


def _apply(values: dict[str, Any], override: Override, where: str) -> None:
    key = tuple(override.key_or_group.split("."))
    _check_chosen(values, key, where)
    inside: Any = values
    for part in key[:-1]:
        inside = as_mapping(inside.get(part)) if isinstance(inside, dict) else {}
    if not override.is_delete():
        set_path(values, key, _merged(as_mapping(inside).get(key[-1]), override.value()))
        return
    if key[-1] not in as_mapping(inside):
        raise InvalidInput(Problem("unknown-key", f"the run's recipe has no `{'.'.join(key)}`", where))
    del inside[key[-1]]


def _merged(before: Any, new: Any) -> Any:
    """A mapping sets what is in it and leaves the rest, as in Hydra."""
    if not (isinstance(before, dict) and isinstance(new, dict)):
        return new
    return {**before, **{str(key): _merged(before.get(str(key)), value) for key, value in new.items()}}


def _check_chosen(values: Mapping[str, Any], key: tuple[str, ...], where: str) -> None:
    """A value for an option of a group that is not chosen would silently do nothing, or half of it."""
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


def _environments(recorded: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded ones; today's where the recipe knew none of this name, or where a lock has gone meanwhile."""
    there = {name: one for name, one in recorded.items() if not one.get("lock") or Path(str(one["lock"])).is_file()}
    return {**declared, **there}


def _checked(values: dict[str, Any], composed: Composed, before: Mapping[str, str], plugins: Plugins) -> Recipe:
    result = validate(Recipe, values)
    findings = [*check_components(values, plugins), *(result if isinstance(result, list) else _checks(result, plugins))]
    if findings or isinstance(result, list):
        problems = [
            Problem(one.code, one.what, one.at or before.get(name), one.expected, one.did_you_mean, one.hint)
            for finding in findings
            for one, name in zip(locate([finding], composed), [dotted(finding.path)], strict=True)
        ]
        raise InvalidInput(list(dict.fromkeys(problems)))
    return result


def _checks(recipe: Recipe, plugins: Plugins) -> Iterator[Issue]:
    for found in plugins.hook.ftrun_check_recipe(recipe=recipe):
        yield from found
