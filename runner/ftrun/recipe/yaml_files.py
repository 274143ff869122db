"""Reads YAML files with the position of every key, and refuses those made to exhaust a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import InvalidInput, Problem

LARGEST = 1 << 20  # bytes; the longest recipe known is under 10 kB
MOST_NODES = 20_000  # after aliases are expanded: ten lines of aliases can stand for billions of nodes
DEEPEST = 50

KeyPath = tuple[str | int, ...]
FileState = tuple[int, int, int, int]


@dataclass(frozen=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{short(self.file)}:{self.line}:{self.column}"


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """The values inside of mappings, with their paths; lists, and mappings that are empty, are values."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def short(file: Path) -> str:
    """Relative to the current folder where that is shorter to read."""
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def read_text(file: Path) -> str:
    """The text of a YAML file, checked for size, encoding, syntax and expansion.

    Raises:
        InvalidInput: with the place of the first thing that is wrong.
    """
    if file.stat().st_size > LARGEST:
        raise InvalidInput(
            Problem(
                "too-large",
                f"the file is larger than {LARGEST >> 20} MiB",
                at=short(file),
                expected="a recipe of some lines",
            )
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            Problem("invalid-encoding", f"not UTF-8 text: byte {error.start} cannot be read", at=short(file))
        ) from None
    compose(text, file)
    return text


def compose(text: str, file: Path) -> yaml.Node | None:
    """The node tree of a YAML text. Raises `InvalidInput` on a syntax error or a hostile shape."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(syntax_problem(error, file)) from None
    except yaml.YAMLError as error:
        raise InvalidInput(Problem("invalid-yaml", f"not YAML: {str(error).splitlines()[0]}", at=short(file))) from None
    except RecursionError:
        raise InvalidInput(Problem("invalid-yaml", f"nested deeper than {DEEPEST} levels", at=short(file))) from None
    if node is not None:
        _check_shape(node, file)
    return node


def syntax_problem(error: yaml.MarkedYAMLError, file: Path) -> Problem:
    """What is wrong with a YAML file, with its place."""
    mark = error.problem_mark or error.context_mark
    where = str(Position(file, mark.line + 1, mark.column + 1)) if mark else short(file)
    what = error.problem or error.context or "cannot be read"
    return Problem(
        "invalid-yaml",
        f"not YAML: {what}",
        at=where,
        hint="look at the indentation and quotes on this line and the one above",
    )


def _check_shape(root: yaml.Node, file: Path) -> None:
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int, open_nodes: frozenset[int]) -> int:
        where = str(position(node, file))
        if id(node) in open_nodes:
            raise InvalidInput(Problem("invalid-yaml", "an alias stands inside its own anchor", at=where))
        if depth > DEEPEST:
            raise InvalidInput(Problem("invalid-yaml", f"nested deeper than {DEEPEST} levels", at=where))
        if id(node) not in sizes:
            inner = open_nodes | {id(node)}
            sizes[id(node)] = 1 + sum(size(child, depth + 1, inner) for child in children(node))
        if sizes[id(node)] > MOST_NODES:
            raise InvalidInput(
                Problem("too-large", f"more than {MOST_NODES:,} values once its aliases are expanded", at=where)
            )
        return sizes[id(node)]

    size(root, 0, frozenset())


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    """The nodes right below a node, keys among them."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def file_state(file: Path) -> FileState:
    """Return values that change when a file is written again."""
    found = file.stat()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def positions(file: Path) -> Mapping[KeyPath, Position]:
    """Where each key path of a YAML file stands: keys at the key, list items at the item."""
    return _positions(file, file_state(file))


@lru_cache(maxsize=256)
def _positions(file: Path, state: FileState) -> Mapping[KeyPath, Position]:
    root = compose(file.read_text(encoding="utf-8-sig"), file)
    found: dict[KeyPath, Position] = {}

    def walk(node: yaml.Node, path: KeyPath) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                found.setdefault(inner, position(key, file))
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                found.setdefault((*path, index), position(item, file))
                walk(item, (*path, index))

    if root is not None:
        walk(root, ())
    return found


def position(node: yaml.Node, file: Path) -> Position:
    """Where a node begins."""
    return Position(file, node.start_mark.line + 1, node.start_mark.column + 1)
