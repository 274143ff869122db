"""Builder of the completion index: verbs with their options, and the tree of recipe keys with their known values.

In the tree, a mapping holds the keys below a key, a list holds the values that a key may have, and `*` is any name.
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
from ftrun.recipe.layers import GROUPS

ANY = "*"
FILES = "::files"  # in place of a list of values: the value is a path
MAX_DEPTH = 6  # levels of the tree


def build_index() -> dict[str, Any]:
    """Return the index. `made_of` lists the paths that it depends on, without their modification times."""
    from ftrun.cli.command_group import cli
    from ftrun.cli.commands import builtin_commands

    known = plugins()
    folders = known.config_folders()
    config_folders = [folder.conf for folder in folders if folder.conf]
    verbs = _describe_command(cli, click.Context(cli))
    for name, builtin in builtin_commands().items():
        verbs["verbs"][name]["about"] = builtin.help.rstrip(".")
    return {
        "verbs": verbs["verbs"],
        "keys": _build_keys(known),
        "groups": [group for group in GROUPS if group != "recipe"],
        "folders": [
            {"recipes": folder.recipes and str(folder.recipes), "conf": folder.conf and str(folder.conf)}
            for folder in folders
        ],
        "made_of": [*_list_modules(), *(file for conf in config_folders for file in _list_config_files(conf))],
    }


def _list_config_files(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (path for path in folder.rglob("*") if path.is_dir() or path.suffix == ".yaml")


def _list_modules() -> Iterator[Path]:
    """Yield the imported files of ftrun, of its plugins and of the plugins of other packages."""
    tops = {"ftrun", "ftrun_plugins", *(item.cls.__module__.partition(".")[0] for item in plugins().all())}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in tops:
            yield Path(file)


# --- verbs


def _describe_command(command: click.Command, context: click.Context) -> dict[str, Any]:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    description: dict[str, Any] = {
        "about": command.get_short_help_str(60),
        "options": {
            name: _describe_option(option) for option in options for name in (*option.opts, *option.secondary_opts)
        },
        "arguments": [
            {"name": parameter.name, "many": parameter.nargs == -1, "values": _list_values(parameter.type)}
            for parameter in command.params
            if isinstance(parameter, click.Argument)
        ],
        "verbs": {},
    }
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                description["verbs"][name] = _describe_command(inner, click.Context(inner, parent=context))
    return description


def _describe_option(option: click.Option) -> dict[str, Any]:
    return {"about": option.help or "", "values": None if option.is_flag else _list_values(option.type)}


def _list_values(kind: Any) -> Any:
    if isinstance(kind, click.Choice):
        return [str(choice) for choice in kind.choices]
    return FILES if isinstance(kind, click.Path | click.File) else []


# --- keys


def _build_keys(known: Plugins) -> dict[str, Any]:
    tree = _describe_model(Recipe)
    tree.pop("name", None)
    for part in components({"evals": {ANY: {}}, "dataset": {"parts": {ANY: {}}}}, known):
        keys = {part.tag: list(part.models)}
        for model in part.models.values():
            keys = {**_describe_model(model), **keys}
        _merge(_get_branch(tree, part.path), keys)
    stages = list(known.of_kind("stage"))
    tree["stages"] = stages
    tree["resources"] = {name: _describe_model(Resources) for name in (*stages, SERVER)}
    settings = known.of_kind("setting")
    tree["settings"] = {name: _describe_model(registered.cls) for name, registered in settings.items()}
    for group in ("optimizations", "evals"):
        for name, values in _load_options(known, group):
            _merge(_get_branch(tree, (group, name)), _describe_values(values))
    evaluators = known.of_kind("evaluator")
    for name, values in _load_options(known, "evals"):  # each accepts only the options of its evaluator
        registered = evaluators.get(str(values.get("evaluator")))
        options = _describe_model(registered.cls.Options) if registered else _get_branch(tree, ("evals", ANY))
        keys = {**options, **_describe_model(Eval), "evaluator": list(evaluators)}
        _merge(_get_branch(tree, ("evals", name)), keys)
    for sections in known.hook.ftrun_recipe_keys():
        for section, names in sections.items():
            _merge(_get_branch(tree, tuple(section.split("."))), {name: [] for name in names})
    return tree


def _load_options(known: Plugins, group: str) -> Iterator[tuple[str, Any]]:
    """Yield name and entry of each option of a group whose file holds one entry under the name of the file."""
    for folder in known.config_folders():
        for file in sorted(folder.conf.glob(f"{group}/*.yaml")) if folder.conf else ():
            values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            yield file.stem, values.get(file.stem, {}) if isinstance(values, dict) else {}


def _get_branch(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
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


def _describe_values(values: Any) -> Any:
    return {str(key): _describe_values(inner) for key, inner in values.items()} if isinstance(values, dict) else []


def _describe_model(model: type[BaseModel], depth: int = 0) -> dict[str, Any]:
    return {
        field.alias or name: _describe_type(field.annotation, depth + 1) if depth < MAX_DEPTH else []
        for name, field in model.model_fields.items()
    }


def _describe_type(annotation: Any, depth: int) -> Any:
    """Return a tree if the type has keys, else the values that the type allows, as far as they are known."""
    keys: dict[str, Any] = {}
    values: list[str] = []
    for kind in _list_alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, inner in _describe_model(kind, depth).items():
                are_lists = isinstance(inner, list) and isinstance(keys.get(name), list)
                keys[name] = [*keys[name], *inner] if are_lists else inner
        elif get_origin(kind) is dict and isinstance(inner := _describe_type(get_args(kind)[1], depth + 1), dict):
            keys[ANY] = inner
        elif get_origin(kind) is Literal:
            values += [str(value) for value in get_args(kind)]
        elif kind is bool:
            values += ["true", "false"]
        elif kind is types.NoneType:
            values.append("null")
        elif isinstance(kind, type) and issubclass(kind, Path):
            return FILES
    return keys or values


def _list_alternatives(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return [inner for argument in get_args(annotation) for inner in _list_alternatives(argument)]
    if hasattr(annotation, "__metadata__"):
        return _list_alternatives(get_args(annotation)[0])
    return [annotation]
