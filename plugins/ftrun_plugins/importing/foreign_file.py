"""Reading of configurations in YAML or JSON, with the line of each key. A key that occurs twice is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import KeyPath
from ftrun.recipe import yaml_files
from ftrun.utils.schema_messages import format_path

MERGE = "tag:yaml.org,2002:merge"


def read_foreign_file(file: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """Return the values of a configuration, and the line of each key path.

    Raises:
        InvalidInput: If the file cannot be read, is not YAML or JSON, is no mapping, or has a key twice.
    """
    text = _read_text(file)
    if file.suffix == ".json":
        text = _normalize_json(text, file)
    root = yaml_files.compose(text, file)
    if not isinstance(root, yaml.MappingNode):
        what = "the file is empty" if root is None else "the file is not a mapping of keys to values"
        raise InvalidInput(Problem("unknown-configuration", what, yaml_files.short(file), "KEY: VALUE"))
    if problems := list(_find_duplicates(root, file)):
        raise InvalidInput(problems)
    try:
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(yaml_files.syntax_problem(error, file)) from None
    except ValueError as error:  # a date that does not exist, for example
        raise InvalidInput(Problem("invalid-yaml", f"invalid YAML: {error}", yaml_files.short(file))) from None
    lines = dict(_find_lines(root))
    return {str(key): value for key, value in values.items()}, lines


def _read_text(file: Path) -> str:
    if not file.exists():
        raise InvalidInput(Problem("file-not-found", "the file does not exist", str(file)))
    if not file.is_file():
        raise InvalidInput(Problem("file-unreadable", "the path is not a file", str(file), "a YAML or JSON file"))
    try:
        return yaml_files.read_text(file) if file.suffix != ".json" else file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise InvalidInput(Problem("file-unreadable", what, str(file))) from None
    except UnicodeDecodeError as error:
        what = f"the file is not UTF-8 text: byte {error.start} is invalid"
        raise InvalidInput(Problem("invalid-encoding", what, str(file))) from None


def _normalize_json(text: str, file: Path) -> str:
    """Check a JSON text, and return it in a form that is YAML with the same lines: YAML refuses tabs."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at = f"{yaml_files.short(file)}:{error.lineno}:{error.colno}"
        raise InvalidInput(Problem("invalid-json", f"invalid JSON: {error.msg}", at)) from None
    except RecursionError:
        raise InvalidInput(Problem("invalid-json", "nested too deeply", yaml_files.short(file))) from None
    return text.replace("\t", " ")  # inside of texts, JSON writes a tab as \t


def _find_duplicates(node: yaml.Node, file: Path, path: KeyPath = ()) -> Iterator[Problem]:
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            inner = (*path, name)
            if name in first and key.tag != MERGE:
                what = f"`{format_path(inner)}` occurs twice, first in line {first[name]}"
                at = str(yaml_files.position(key, file))
                yield Problem("duplicate-key", what, at, hint="remove one of the two")
            first.setdefault(name, key.start_mark.line + 1)
            yield from _find_duplicates(value, file, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _find_duplicates(item, file, (*path, index))


def _find_lines(node: yaml.Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _find_lines(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _find_lines(item, (*path, index))
