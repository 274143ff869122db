"""A recipe's text for another place: relative paths lead to where they led, and the header names the new file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ftrun.plugins.manager import Plugins
from ftrun.recipe import yaml_files
from ftrun.recipe.components import prepare_components
from ftrun.recipe.compose import compose
from ftrun.recipe.yaml_files import KeyPath, Position, leaves


def rebase_recipe(name: str, source: Path, target: Path, plugins: Plugins) -> str:
    """The recipe `name` of the file `source`, as it has to read in `target`. Raises `InvalidInput` where it is wrong."""
    text = source.read_text(encoding="utf-8")
    for start, end, path in sorted(_paths(name, source, text, plugins), reverse=True):
        text = text[:start] + json.dumps(path, ensure_ascii=False) + text[end:]
    return "".join(_renamed(line, name, target) for line in text.splitlines(keepends=True))


def _paths(name: str, source: Path, text: str, plugins: Plugins) -> Iterator[tuple[int, int, str]]:
    """Where relative paths stand in the text, and what they are in full."""
    composed = compose([f"recipe={name}"], plugins.config_folders())
    absolute = dict(leaves(prepare_components(composed, plugins)))
    nodes = dict(_scalars(yaml_files.compose(text, source)))
    for path, value in leaves(composed.values):
        origin = composed.origin(path)
        is_own = isinstance(origin, Position) and origin.file == source and path in nodes
        if is_own and path in absolute and absolute[path] != value and not Path(str(value)).expanduser().is_absolute():
            node = nodes[path]
            yield node.start_mark.index, node.end_mark.index, str(absolute[path])


def _scalars(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)))
    elif isinstance(node, yaml.ScalarNode):
        yield path, node


def _renamed(line: str, name: str, target: Path) -> str:
    """Commands in the header's comments run the copy."""
    if not line.startswith("#"):
        return line
    place: Any = shlex.quote(str(target)).replace("\\", r"\\")
    return re.sub(rf"\brecipe={re.escape(name)}(?=\s|$)", f"recipe={place}", line)
