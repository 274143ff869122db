"""Parse the `defaults` list of a recipe to report errors with line numbers, which Hydra does not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import yaml

from ftrun.api.errors import InvalidInput, Problem
from ftrun.recipe.yaml_files import Position, compose, position, short
from ftrun.utils.yaml_shape import children

ENTRY = "a list of `- override /GROUP: OPTION` and names of recipes"
# Keys that together only occur in the configurations of these tools.
OTHER_TOOLS = {
    "axolotl": {"base_model", "datasets"},
    "LLaMA-Factory": {"model_name_or_path", "finetuning_type"},
}
HYDRA = "hydra"
OF_HYDRA = re.compile(r"(^|[\s/@.])hydra($|[/@.])")  # a group, or the package of an option, in `defaults`
PACKAGE = re.compile(r"^#\s*@package\s+hydra\b", re.MULTILINE)
TEXT = "tag:yaml.org,2002:str"


def find_in_defaults(file: Path, word: str) -> Position | None:
    """Return the position of a config group or of one of its options in the `defaults` of a file."""
    waiting = [value for key, value in _top_level(file) if key.value == "defaults"]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, yaml.ScalarNode) and node.value.removeprefix("override ").strip().lstrip("/") == word:
            return position(node, file)
        waiting.extend(children(node))
    return None


def read_choices(file: Path) -> Iterator[tuple[str, str, Position]]:
    """Yield the group, option and position of each choice in the `defaults` of a file."""
    entries = [entry for key, value in _top_level(file) if key.value == "defaults" for entry in children(value)]
    for group, options in (pair for entry in entries if isinstance(entry, yaml.MappingNode) for pair in entry.value):
        name = group.value.removeprefix("override ").strip().lstrip("/").partition("@")[0]
        for option in children(options) if isinstance(options, yaml.SequenceNode) else [options]:
            yield name, option.value, position(option, file)


def check_recipe(text: str, file: Path) -> None:
    """Check the shape of a recipe, because the messages of Hydra about it are unclear.

    Raises:
        InvalidInput: If the recipe is not a mapping, or its `defaults` is not a list of recipe names and choices.
    """
    root = compose(text, file)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise InvalidInput(
            Problem(
                "invalid-recipe",
                "the recipe is not a mapping of keys to values",
                str(position(root, file)),
                "KEY: VALUE",
            )
        )
    _check_is_own(root, file)
    _check_hydra(text, root, file)
    for key, value in root.value:
        if key.value == "defaults":
            _check_defaults(value, file)


def _check_is_own(root: yaml.MappingNode, file: Path) -> None:
    """Refuse a configuration of another tool as a whole, instead of each of its keys."""
    keys = {key.value: key for key, _ in root.value}
    for tool, names in OTHER_TOOLS.items():
        if keys.keys() >= names and "defaults" not in keys and "train" not in keys:
            first = min((keys[name] for name in names), key=lambda node: int(node.start_mark.line))
            what = f"the file is a configuration of {tool}, not a recipe"
            raise InvalidInput(
                Problem(
                    "invalid-recipe", what, str(position(first, file)), hint=f"ftrun import {shlex.quote(short(file))}"
                )
            )


def _check_hydra(text: str, root: yaml.MappingNode, file: Path) -> None:
    """Refuse settings of Hydra itself. It would run the code that they name in a sweep.

    They are under the key `hydra`, in the groups `hydra/…`, or in a file or an option whose package is `hydra`.
    """
    package = PACKAGE.search(text)
    places = [Position(file, text.count("\n", 0, package.start()) + 1, 1)] if package else []
    for key, value in root.value:
        if key.value == HYDRA:
            places.append(position(key, file))
        if key.value == "defaults":
            places += [position(node, file) for node in _scalars(value) if OF_HYDRA.search(node.value)]
    if places:
        what = "a recipe cannot change the settings of Hydra"
        hint = "remove them; overrides on the command line can change them"
        raise InvalidInput([Problem("reserved-key", what, str(place), hint=hint) for place in places])


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yield the scalars in a node, including keys."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in children(node):
        yield from _scalars(child)


def _check_defaults(node: yaml.Node, file: Path) -> None:
    if not isinstance(node, yaml.SequenceNode):
        raise InvalidInput(Problem("invalid-defaults", "`defaults` is not a list", str(position(node, file)), ENTRY))
    for item in node.value:
        if not _is_entry(item):
            raise InvalidInput(
                Problem("invalid-defaults", "an entry of `defaults` is invalid", str(position(item, file)), ENTRY)
            )


def _is_entry(item: yaml.Node) -> bool:
    """Return True for the name of a recipe, and for one config group with one option or a list of options."""
    if isinstance(item, yaml.MappingNode):
        options = [value for _, value in item.value]
        names = options[0].value if options and isinstance(options[0], yaml.SequenceNode) else options
        return len(options) == 1 and all(isinstance(name, yaml.ScalarNode) for name in names)
    return isinstance(item, yaml.ScalarNode) and item.tag == TEXT


def _top_level(file: Path) -> list[tuple[yaml.Node, yaml.Node]]:
    root = compose(file.read_text(encoding="utf-8-sig"), file)
    return list(root.value) if isinstance(root, yaml.MappingNode) else []
