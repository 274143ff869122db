"""Makes the index: verbs with their options, and the tree of keys that a recipe may have, with values where known.

In the tree a mapping holds what is below a key, a list the values that a key may have, and `*` stands for any name.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
import yaml
from pydantic import BaseModel

from ftrun.api.recipe import SERVER, Eval, Recipe, Resources
from ftrun.plugins.manager import Plugins, plugins
from ftrun.recipe.components import components
from ftrun.recipe.compose import GROUPS

ANY = "*"
FILES = "::files"  # in place of values: a path
DEEPEST = 6  # levels of the tree


def made() -> dict[str, Any]:
    """All but the stamps of what it was made of, which are the paths in `made_of`."""
    from ftrun.cli.command_group import cli
    from ftrun.cli.commands import builtin_commands

    known = plugins()
    folders = known.config_folders()
    verbs = _command(cli, click.Context(cli))
    for name, builtin in builtin_commands().items():
        verbs["verbs"][name]["about"] = builtin.help.rstrip(".")
    return {
        "verbs": verbs["verbs"],
        "keys": _keys(known),
        "groups": [group for group in GROUPS if group != "recipe"],
        "folders": [
            {"recipes": folder.recipes and str(folder.recipes), "conf": folder.conf and str(folder.conf)}
            for folder in folders
        ],
        "made_of": [*_modules(), *(file for folder in folders if folder.conf for file in _tree(folder.conf))],
    }


def _tree(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (path for path in folder.rglob("*") if path.is_dir() or path.suffix == ".yaml")


def _modules() -> Iterator[Path]:
    """The files of ftrun, of its plugins and of others' that were imported."""
    tops = {"ftrun", "ftrun_plugins", *(type_.cls.__module__.partition(".")[0] for type_ in plugins().all())}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in tops:
            yield Path(file)


# --- verbs


def _command(command: click.Command, context: click.Context) -> dict[str, Any]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    found: dict[str, Any] = {
        "about": command.get_short_help_str(60),
        "options": {name: _option(one) for one in options for name in (*one.opts, *one.secondary_opts)},
        "arguments": [
            {"name": one.name, "many": one.nargs == -1, "values": _values(one.type)}
            for one in command.params
            if isinstance(one, click.Argument)
        ],
        "verbs": {},
    }
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                found["verbs"][name] = _command(inner, click.Context(inner, parent=context))
    return found


def _option(option: click.Option) -> dict[str, Any]:
    return {"about": option.help or "", "values": None if option.is_flag else _values(option.type)}


def _values(kind: Any) -> Any:
    if isinstance(kind, click.Choice):
        return [str(choice) for choice in kind.choices]
    return FILES if isinstance(kind, click.Path | click.File) else []


# --- keys


def _keys(known: Plugins) -> dict[str, Any]:
    tree = _of_model(Recipe)
    tree.pop("name", None)
    for part in components({"evals": {ANY: {}}, "dataset": {"parts": {ANY: {}}}}, known):
        below = {part.tag: list(part.models)}
        for model in part.models.values():
            below = {**_of_model(model), **below}
        _merge(_at(tree, part.path), below)
    stages = list(known.of_kind("stage"))
    tree["stages"] = stages
    tree["resources"] = {name: _of_model(Resources) for name in (*stages, SERVER)}
    settings = known.of_kind("setting")
    tree["settings"] = {name: _of_model(registered.cls) for name, registered in settings.items()}
    for group in ("optimizations", "evals"):
        for name, values in _files(known, group):
            _merge(_at(tree, (group, name)), _of_values(values))
    for name, values in _files(known, "evals"):  # each with the options of its own evaluator, and no others
        registered = known.of_kind("evaluator").get(str(values.get("evaluator")))
        own = _of_model(registered.cls.Options) if registered else _at(tree, ("evals", ANY))
        _merge(_at(tree, ("evals", name)), {**own, **_of_model(Eval), "evaluator": list(known.of_kind("evaluator"))})
    for found in known.hook.ftrun_recipe_keys():
        for section, names in found.items():
            _merge(_at(tree, tuple(section.split("."))), {name: [] for name in names})
    return tree


def _files(known: Plugins, group: str) -> Iterator[tuple[str, Any]]:
    """The options of a group that hold one entry under their own name."""
    for folder in known.config_folders():
        for file in sorted(folder.conf.glob(f"{group}/*.yaml")) if folder.conf else ():
            values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            yield file.stem, values.get(file.stem, {}) if isinstance(values, dict) else {}


def _at(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in path:
        if not isinstance(tree.get(name), dict):
            tree[name] = {}
        tree = tree[name]
    return tree


def _merge(tree: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, inner in more.items():
        if isinstance(inner, dict) and isinstance(tree.get(name), dict):
            _merge(tree[name], inner)
        elif inner or name not in tree:
            tree[name] = inner


def _of_values(values: Any) -> Any:
    return {str(key): _of_values(inner) for key, inner in values.items()} if isinstance(values, dict) else []


def _of_model(model: type[BaseModel], depth: int = 0) -> dict[str, Any]:
    return {
        field.alias or name: _of_type(field.annotation, depth + 1) if depth < DEEPEST else []
        for name, field in model.model_fields.items()
    }


def _of_type(annotation: Any, depth: int) -> Any:
    """A tree where a key holds more keys, else the values that it may have, as far as the type says."""
    below: dict[str, Any] = {}
    values: list[str] = []
    for kind in _alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, inner in _of_model(kind, depth).items():
                both = isinstance(inner, list) and isinstance(below.get(name), list)
                below[name] = [*below[name], *inner] if both else inner
        elif get_origin(kind) is dict and isinstance(inner := _of_type(get_args(kind)[1], depth + 1), dict):
            below[ANY] = inner
        elif get_origin(kind) is Literal:
            values += [str(value) for value in get_args(kind)]
        elif kind is bool:
            values += ["true", "false"]
        elif kind is types.NoneType:
            values.append("null")
        elif isinstance(kind, type) and issubclass(kind, Path):
            return FILES
    return below or values


def _alternatives(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return [inner for argument in get_args(annotation) for inner in _alternatives(argument)]
    if hasattr(annotation, "__metadata__"):
        return _alternatives(get_args(annotation)[0])
    return [annotation]
