"""The parts of a recipe whose keys depend on what they name: a source and its options, weights and their origin.

One list of them, `parts`, serves three ends: options of a former kind are left behind, paths are made absolute, and
options are checked by the model of whichever plugin's class is named.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from ftrun.api.issues import Issue
from ftrun.api.recipe import SERVER, WEIGHTS, Environment
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import Composed
from ftrun.recipe.validation import keys_of, validate, with_absolute_paths
from ftrun.recipe.yaml_files import KeyPath
from ftrun.utils.suggest import nearest


@dataclass(frozen=True)
class Component:
    """The mapping at `path`; its key `tag` names one of `models`, which has the other keys but for `own`."""

    path: tuple[str, ...]
    tag: str
    models: Mapping[str, type[BaseModel]]
    kind: str | None = None  # of the plugins' classes that it names; None where the recipe's own types check it
    own: tuple[str, ...] = ()

    def model(self, values: Mapping[str, Any]) -> type[BaseModel] | None:
        name = values.get(self.tag)
        return self.models.get(name) if isinstance(name, str) else None


def components(values: Mapping[str, Any], plugins: Plugins) -> Iterator[Component]:
    """The parts of a recipe with these values."""

    def options(kind: str) -> dict[str, type[BaseModel]]:
        return {name: registered.cls.Options for name, registered in plugins.of_kind(kind).items()}

    yield Component(
        ("model", "weights"), "origin", {get_args(cls.model_fields["origin"].annotation)[0]: cls for cls in WEIGHTS}
    )
    for owner in (("dataset",), *(("dataset", "parts", name) for name in _mixed(values))):
        for role, kind in (("source", "source"), ("held_out", "source"), ("formatter", "formatter")):
            yield Component((*owner, role), "name", options(kind), kind)
    for name in as_mapping(values.get("evals")):
        yield Component(("evals", name), "evaluator", options("evaluator"), "evaluator", ("gate",))
    yield Component(("backend",), "name", options("backend"), "backend")


def _mixed(values: Mapping[str, Any]) -> list[str]:
    """Names of the parts of the dataset."""
    return list(as_mapping(as_mapping(values.get("dataset")).get("parts")))


def as_mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one: whoever checks its type has said so."""
    return value if isinstance(value, dict) else {}


def prepare_components(composed: Composed, plugins: Plugins) -> dict[str, Any]:
    """The composed values, with absolute paths and without options of kinds that were replaced."""
    values = copy.deepcopy(composed.values)
    for part in components(values, plugins):
        _replace(values, part.path, lambda inner, part=part: _of_one_kind(inner, part, composed))
    for name in as_mapping(values.get("environment")):
        path = ("environment", name)
        _replace(values, path, lambda inner, path=path: with_absolute_paths(Environment, inner, path, composed))
    return values


def _replace(values: dict[str, Any], path: Sequence[str], change: Any) -> None:
    inside = values
    for key in path[:-1]:
        inside = as_mapping(inside.get(key))
    if isinstance(inside.get(path[-1]), dict):
        inside[path[-1]] = change(inside[path[-1]])


def _of_one_kind(values: dict[str, Any], part: Component, composed: Composed) -> dict[str, Any]:
    """Hydra merges mappings key by key: a folder named in place of a package would keep the package's keys.

    What is set after the kind, or together with it, stays and is checked.
    """
    model = part.model(values)
    if model is None:
        return values
    known = {part.tag, *part.own, *keys_of(model)}
    named = composed.rank((*part.path, part.tag))
    kept = {key: value for key, value in values.items() if key in known or composed.rank((*part.path, key)) >= named}
    return with_absolute_paths(model, kept, part.path, composed)


def check_components(values: dict[str, Any], plugins: Plugins) -> Iterator[Issue]:
    """What is wrong with the names and options of what plugins provide."""
    for part in components(values, plugins):
        inner: Any = values
        for key in part.path:
            inner = as_mapping(inner).get(key)
        if part.kind:
            yield from _check_options(part, as_mapping(inner))
    settings = {name: registered.cls for name, registered in plugins.of_kind("setting").items()}
    for name, inner in as_mapping(values.get("settings")).items():
        yield from _check_settings(name, as_mapping(inner), settings)
    known = sorted(plugins.of_kind("stage"))
    stages = values.get("stages")
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        if stage not in known:
            yield _unknown("stage", ("stages", index), str(stage), known)
    for stage in as_mapping(values.get("resources")):
        if stage not in (*known, SERVER):
            yield _unknown("stage", ("resources", stage), stage, [*known, SERVER])


def _check_options(part: Component, values: dict[str, Any]) -> Iterator[Issue]:
    name = values.get(part.tag)
    if not isinstance(name, str):
        return  # absent, or of a wrong type: the recipe's own model says so
    if name not in part.models:
        yield _unknown(str(part.kind), (*part.path, part.tag), name, sorted(part.models))
        return
    options = {option: value for option, value in values.items() if option not in (part.tag, *part.own)}
    yield from _check(part.models[name], options, part.path)


def _check_settings(name: str, values: dict[str, Any], known: Mapping[str, type[BaseModel]]) -> Iterator[Issue]:
    if name in known:
        yield from _check(known[name], values, ("settings", name))
        return
    expected = f"one of {', '.join(sorted(known))}" if known else "no installed plugin has settings"
    yield Issue(
        "unknown-name", ("settings", name), f"no plugin has settings named `{name}`", expected, nearest(name, known)
    )


def _check(cls: type[BaseModel], values: dict[str, Any], path: KeyPath) -> Iterator[Issue]:
    result = validate(cls, values, path)
    if isinstance(result, list):
        yield from result


def _unknown(kind: str, path: KeyPath, name: str, known: Sequence[str]) -> Issue:
    return Issue(
        "unknown-name", path, f"there is no {kind} named `{name}`", f"one of {', '.join(known)}", nearest(name, known)
    )
