"""Copies of recipes: makes relative paths absolute and replaces the recipe name in the commands of the header."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.issues import KeyPath
from ftrun.plugins.manager import Plugins
from ftrun.recipe import yaml_files
from ftrun.recipe.components import prepare_components
from ftrun.recipe.compose import compose
from ftrun.recipe.yaml_files import Position, leaves


def rebase_recipe(name: str, source: Path, target: Path, plugins: Plugins) -> str:
    """Return the text of the recipe `name` in the file `source` for a copy in the file `target`.

    Raises:
        InvalidInput: If the recipe is invalid.
    """
    text = source.read_text(encoding="utf-8")
    for start, end, path in sorted(_paths(name, source, text, plugins), reverse=True):
        text = text[:start] + json.dumps(path, ensure_ascii=False) + text[end:]
    return "".join(_replace_name(line, name, target) for line in text.splitlines(keepends=True))


def _paths(name: str, source: Path, text: str, plugins: Plugins) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end index of each relative path in the text, and the absolute path."""
    composed = compose([f"recipe={name}"], plugins.config_folders())
    absolute = dict(leaves(prepare_components(composed, plugins)))
    nodes = dict(_scalars(yaml_files.compose(text, source)))
    for path, value in leaves(composed.values):
        origin = composed.origin(path)
        is_in_source = isinstance(origin, Position) and origin.file == source and path in nodes
        if (
            is_in_source
            and path in absolute
            and absolute[path] != value
            and not Path(str(value)).expanduser().is_absolute()
        ):
            node = nodes[path]
            yield node.start_mark.index, node.end_mark.index, str(absolute[path])


def _scalars(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)))
    elif isinstance(node, yaml.ScalarNode):
        yield path, node


def _replace_name(line: str, name: str, target: Path) -> str:
    """Return a line in which a command of the header runs the copy."""
    if not line.startswith("#"):
        return line
    path: Any = shlex.quote(str(target)).replace("\\", r"\\")
    return re.sub(rf"\brecipe={re.escape(name)}(?=\s|$)", f"recipe={path}", line)
