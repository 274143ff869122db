"""From overrides to a checked recipe: compose, type, check with every plugin, and say where each problem is."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ftrun.errors import Problem, Refused
from ftrun.plugins import Plugins
from ftrun.recipe.compose import Composed, compose
from ftrun.recipe.findings import Finding
from ftrun.recipe.folders import ConfigFolders
from ftrun.recipe.typed import dotted, read, with_absolute_paths
from ftrun.recipe.types import Environment, FolderWeights, Recipe
from ftrun.recipe.yaml_files import KeyPath, short
from ftrun.suggest import nearest

UNSET = "???"
MULTI_SELECT = ("optimizations", "evals")


@dataclass(frozen=True)
class Loaded:
    """A checked recipe with the composition it came from."""

    recipe: Recipe
    composed: Composed

    def origins(self) -> dict[str, str]:
        """Where each value came from, for the run's record."""
        return {
            dotted(path): str(self.composed.origin(path) or "default") for path in _leaves(self.composed.values, ())
        }


def load(overrides: Sequence[str], plugins: Plugins) -> Loaded:
    """The recipe that the overrides ask for.

    Raises:
        Refused: with all problems at once, each with its place.
    """
    composed = compose(overrides, plugins.config_folders())
    names = composed.chosen("recipe")
    if not names:
        raise Refused(
            Problem(
                "no recipe is named",
                expected="recipe=NAME, or recipe=FILE.yaml",
                do="`ftrun recipes` lists those that there are",
            )
        )
    values = _with_paths(composed, plugins)
    named = [Finding(("name",), "a recipe is named by its file", do="leave `name` out")] if "name" in values else []
    values["name"] = names[-1]
    findings = [
        *named,
        *_unset(composed.values),
        *_not_chosen(composed, plugins.config_folders()),
        *_component_findings(values, plugins),
    ]
    result = read(Recipe, values)
    recipe = _without([*findings, *result], values) if isinstance(result, list) else result
    if isinstance(result, list):
        findings += [new for new in result if not _covered(new, findings)]
    if recipe is not None:
        for found in plugins.hook.ftrun_check_recipe(recipe=recipe):
            findings.extend(found)
    if findings or recipe is None:
        raise Refused(placed(findings, composed))
    return Loaded(recipe, composed)


def _without(findings: list[Finding], values: dict[str, Any]) -> Recipe | None:
    """The recipe without what is wrong with it, so that plugins can still find more; None if it needs that."""
    kept = copy.deepcopy(values)
    for finding in findings:
        parent: Any = kept
        for part in finding.path[:-1]:
            parent = parent.get(part) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(finding.path[-1], None)
    result = read(Recipe, kept)
    return None if isinstance(result, list) else result


def placed(findings: Iterable[Finding], composed: Composed) -> list[Problem]:
    """Findings as problems, each with the file position or override that set the value."""
    problems = []
    own = [short(layer.file) for layer in composed.layers if layer.config.startswith("recipe/")]
    for finding in findings:
        places = [composed.origin(path) for path in (finding.path, *finding.also) if path]
        where = " and ".join(dict.fromkeys(str(place) for place in places if place))
        where = where or (own[-1] if own else "")
        problems.append(Problem(finding.what, where or None, finding.expected, finding.nearest, finding.do))
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.where or "")


def _covered(new: Finding, findings: list[Finding]) -> bool:
    return any(new.path[: len(old.path)] == old.path for old in findings)


def _with_paths(composed: Composed, plugins: Plugins) -> dict[str, Any]:
    """The composed values with paths made absolute, in the parts that are known to hold paths."""
    values = {key: dict(value) if isinstance(value, dict) else value for key, value in composed.values.items()}
    places: list[tuple[tuple[str, str], type[BaseModel]]] = [(("model", "weights"), FolderWeights)]
    places += [(("environment", name), Environment) for name in _mapping(values.get("environment"))]
    for role in ("source", "held_out"):
        registered = plugins.of_kind("source").get(_mapping(_mapping(values.get("dataset")).get(role)).get("name", ""))
        if registered:
            places.append((("dataset", role), registered.cls.Options))
    for (group, name), cls in places:
        inner = _mapping(values.get(group)).get(name)
        if isinstance(inner, dict):
            values[group][name] = with_absolute_paths(cls, inner, (group, name), composed)
    return values


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _not_chosen(composed: Composed, folders: Sequence[ConfigFolders]) -> Iterator[Finding]:
    """Values for an option of a multi-select group that is not chosen would silently do nothing, or half of it."""
    for group in MULTI_SELECT:
        chosen = composed.chosen(group)
        known = {file.stem for folder in folders if folder.conf for file in folder.conf.glob(f"{group}/*.yaml")}
        for name in _mapping(composed.values.get(group)):
            from_file = any((group, name) in layer.positions for layer in composed.layers)
            if name in chosen or (from_file and name not in known):
                continue
            if name in known:
                yield Finding(
                    (group, name),
                    f"`{name}` is not among the chosen {group}",
                    f"one of {', '.join(chosen) or 'none'}",
                    do=f"choose it: {group}=[{','.join([*chosen, name])}]",
                )
            else:
                yield Finding(
                    (group, name),
                    f"there is no `{name}` in {group}",
                    f"one of {', '.join(chosen) or 'none'}",
                    nearest(name, {*chosen, *known}),
                )


def _component_findings(values: dict[str, Any], plugins: Plugins) -> Iterator[Finding]:
    """Checks names and options of the parts that plugins provide: sources, formatter, evaluators, backend, stages."""
    dataset, backend = _mapping(values.get("dataset")), _mapping(values.get("backend"))
    for kind, role in (("source", "source"), ("source", "held_out"), ("formatter", "formatter")):
        yield from _options(kind, ("dataset", role), _mapping(dataset.get(role)), "name", (), plugins)
    for name, inner in _mapping(values.get("evals")).items():
        yield from _options("evaluator", ("evals", name), _mapping(inner), "evaluator", ("gate",), plugins)
    yield from _options("backend", ("backend",), backend, "name", (), plugins)
    known = sorted(plugins.of_kind("stage"))
    stages = values.get("stages")
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        if stage not in known:
            yield _unknown("stage", ("stages", index), str(stage), known)
    for stage in _mapping(values.get("resources")):
        if stage not in known:
            yield _unknown("stage", ("resources", stage), stage, known)


def _unknown(kind: str, path: KeyPath, name: str, known: Sequence[str]) -> Finding:
    return Finding(path, f"there is no {kind} `{name}`", f"one of {', '.join(known)}", nearest(name, known))


def _options(
    kind: str, path: KeyPath, values: dict[str, Any], key: str, own: tuple[str, ...], plugins: Plugins
) -> Iterator[Finding]:
    name = values.get(key)
    if not isinstance(name, str):
        return  # absent, or of a wrong type: the recipe's own model says so
    known = plugins.of_kind(kind)
    if name not in known:
        yield Finding(
            (*path, key),
            f"there is no {kind} named `{name}`",
            f"one of {', '.join(sorted(known))}",
            nearest(name, known),
        )
        return
    options = {option: value for option, value in values.items() if option not in (key, *own)}
    result = read(known[name].cls.Options, options, path)
    if isinstance(result, list):
        yield from result


def _unset(values: dict[str, Any]) -> Iterator[Finding]:
    """Hydra's mark for a value that has to be given."""
    for path in _leaves(values, ()):
        inner: Any = values
        for part in path:
            inner = inner[part]
        if inner == UNSET:
            yield Finding(
                path, f"`{dotted(path)}` has to be set", do=f"in the recipe, or {dotted(path)}=… on the command line"
            )


def _leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path
