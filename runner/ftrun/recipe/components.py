"""Components of a recipe: sections whose keys depend on a name in them, such as a source and its options.

`components` lists them. ftrun uses the list to drop options of a component that was replaced, to make paths absolute,
and to check options with the model of the named class.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import AXOLOTL, SERVER, WEIGHTS, Environment
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import Composed
from ftrun.recipe.validation import absolute_path, keys_of, validate, with_absolute_paths
from ftrun.utils.suggest import nearest

BASE_MODEL = ("model", "base_model")
PATH_STARTS = ("./", "../", "/", "~")  # no repository of the hub starts so


@dataclass(frozen=True)
class Component:
    """Section of a recipe at `path`. Its key `tag` names one of `models`.

    The model has the other keys of the section, except for those in `own`. `kind` is the kind of plugin class that the
    tag names; it is None if the types of the recipe check the section.
    """

    path: tuple[str, ...]
    tag: str
    models: Mapping[str, type[BaseModel]]
    kind: str | None = None
    own: tuple[str, ...] = ()

    def model(self, values: Mapping[str, Any]) -> type[BaseModel] | None:
        """Return the model that these values name, or None if they name none."""
        name = values.get(self.tag)
        return self.models.get(name) if isinstance(name, str) else None


def components(values: Mapping[str, Any], plugins: Plugins) -> Iterator[Component]:
    """Yield the components of a recipe with these values."""

    def options(kind: str) -> dict[str, type[BaseModel]]:
        return {name: registered.cls.Options for name, registered in plugins.of_kind(kind).items()}

    yield Component(
        ("model", "weights"), "origin", {get_args(cls.model_fields["origin"].annotation)[0]: cls for cls in WEIGHTS}
    )
    for owner in (("dataset",), *(("dataset", "parts", name) for name in _part_names(values))):
        for role, kind in (("source", "source"), ("held_out", "source"), ("formatter", "formatter")):
            yield Component((*owner, role), "name", options(kind), kind)
    for name in as_mapping(values.get("evals")):
        yield Component(("evals", name), "evaluator", options("evaluator"), "evaluator", ("gate", "cluster", "slices"))
    yield Component(("backend",), "name", options("backend"), "backend")


def _part_names(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the parts of the dataset."""
    return list(as_mapping(as_mapping(values.get("dataset")).get("parts")))


def as_mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty mapping. The check of types reports other values."""
    return value if isinstance(value, dict) else {}


def prepare_components(composed: Composed, plugins: Plugins) -> dict[str, Any]:
    """Return the composed values with absolute paths and without options of components that were replaced."""
    values = copy.deepcopy(composed.values)
    for component in components(values, plugins):
        _replace(
            values, component.path, lambda inner, component=component: _drop_old_options(inner, component, composed)
        )
    for name in as_mapping(values.get("environment")):
        path = ("environment", name)
        _replace(values, path, lambda inner, path=path: with_absolute_paths(Environment, inner, path, composed))
    for name, registered in plugins.of_kind("setting").items():
        path = ("settings", name)
        _replace(
            values,
            path,
            lambda inner, cls=registered.cls, path=path: with_absolute_paths(cls, inner, path, composed),
        )
    _replace(values, ("model",), lambda model: _resolve_base_model(model, composed))
    _resolve_trainer_files(values, composed, plugins)
    return values


def _resolve_base_model(model: dict[str, Any], composed: Composed) -> dict[str, Any]:
    """Make a `base_model` absolute if it is the path of a folder."""
    name = model.get("base_model")
    if not isinstance(name, str) or not name.startswith(PATH_STARTS):
        return model
    return {**model, "base_model": absolute_path(name, BASE_MODEL, composed)}


def use_model_folder(values: dict[str, Any], composed: Composed) -> None:
    """Take the weights from `model.base_model` if that is the path of a folder, as Hugging Face's libraries do.

    The folder replaces weights and a revision that files or overrides before it set. Its name becomes the name of the
    model: a path would make the keys of stage calls differ between machines.
    """
    model = as_mapping(values.get("model"))
    path = model.get("base_model")
    if not isinstance(path, str) or not path.startswith("/"):
        return
    model["base_model"] = Path(path).name or path
    set_at = composed.rank(BASE_MODEL)
    if composed.rank(("model", "weights", "origin")) < set_at:
        model["weights"] = {"origin": "folder", "path": path}
    if composed.rank(("model", "revision")) < set_at:
        model.pop("revision", None)


def _resolve_trainer_files(values: dict[str, Any], composed: Composed, plugins: Plugins) -> None:
    """Make the paths of files in trainer keys absolute. The trainer knows which keys name files."""
    registered = plugins.of_kind("trainer").get(str(values.get("trainer", AXOLOTL)))
    names_file = getattr(registered.cls(), "names_file", None) if registered else None
    if names_file is None:
        return
    sections: list[tuple[str, ...]] = [("train",), ("model", "trainer"), ("dataset", "trainer")]
    sections += [("optimizations", name) for name in as_mapping(values.get("optimizations"))]

    def resolve(section: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        return {
            key: absolute_path(value, (*path, key), composed) if names_file(key, value) else value
            for key, value in section.items()
        }

    for path in sections:
        _replace(values, path, lambda section, path=path: resolve(section, path))


def _replace(values: dict[str, Any], path: Sequence[str], change: Any) -> None:
    section = values
    for key in path[:-1]:
        section = as_mapping(section.get(key))
    if isinstance(section.get(path[-1]), dict):
        section[path[-1]] = change(section[path[-1]])


def _drop_old_options(values: dict[str, Any], component: Component, composed: Composed) -> dict[str, Any]:
    """Return the values without options of a component that was replaced, and with absolute paths.

    Hydra merges mappings key by key: weights from a folder that replace weights from a package would keep the keys of
    the package. Keys that are set after the tag, or together with it, remain and are checked.
    """
    model = component.model(values)
    if model is None:
        return values
    known = {component.tag, *component.own, *keys_of(model)}
    tag_rank = composed.rank((*component.path, component.tag))
    current = {
        key: value for key, value in values.items() if key in known or composed.rank((*component.path, key)) >= tag_rank
    }
    return with_absolute_paths(model, current, component.path, composed)


def check_components(values: dict[str, Any], plugins: Plugins) -> Iterator[Issue]:
    """Yield the issues with names and options of components, settings and stages that plugins provide."""
    for component in components(values, plugins):
        inner: Any = values
        for key in component.path:
            inner = as_mapping(inner).get(key)
        if component.kind:
            yield from _check_options(component, as_mapping(inner))
    settings = {name: registered.cls for name, registered in plugins.of_kind("setting").items()}
    for name, inner in as_mapping(values.get("settings")).items():
        yield from _check_settings(name, as_mapping(inner), settings)
    known = sorted(plugins.of_kind("stage"))
    stages = values.get("stages")
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        if stage not in known:
            yield _unknown_name("stage", ("stages", index), str(stage), known)
    trainers, trainer = sorted(plugins.of_kind("trainer")), values.get("trainer")
    if isinstance(trainer, str) and trainer not in trainers:
        yield _unknown_name("trainer", ("trainer",), trainer, trainers)
    for stage in as_mapping(values.get("resources")):
        if stage not in (*known, SERVER):
            yield _unknown_name("stage", ("resources", stage), stage, [*known, SERVER])


def _check_options(component: Component, values: dict[str, Any]) -> Iterator[Issue]:
    name = values.get(component.tag)
    if not isinstance(name, str):
        return  # the model of the recipe reports a missing name and a wrong type
    if name not in component.models:
        yield _unknown_name(str(component.kind), (*component.path, component.tag), name, sorted(component.models))
        return
    options = {option: value for option, value in values.items() if option not in (component.tag, *component.own)}
    yield from _check(component.models[name], options, component.path)


def _check_settings(name: str, values: dict[str, Any], known: Mapping[str, type[BaseModel]]) -> Iterator[Issue]:
    if name in known:
        yield from _check(known[name], values, ("settings", name))
        return
    expected = f"one of {', '.join(sorted(known))}" if known else "none, because no installed plugin has settings"
    yield Issue(
        "unknown-name", ("settings", name), f"no plugin has settings named `{name}`", expected, nearest(name, known)
    )


def _check(cls: type[BaseModel], values: dict[str, Any], path: KeyPath) -> Iterator[Issue]:
    result = validate(cls, values, path)
    if isinstance(result, list):
        yield from result


def _unknown_name(kind: str, path: KeyPath, name: str, known: Sequence[str]) -> Issue:
    return Issue(
        "unknown-name", path, f"there is no {kind} named `{name}`", f"one of {', '.join(known)}", nearest(name, known)
    )
