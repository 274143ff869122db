"""Reading of YAML files with the position of every key. Files that would exhaust memory or time are errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import KeyPath
from ftrun.utils.encoding_guess import conversion_command, guess_encoding, guess_wide
from ftrun.utils.text import first_line
from ftrun.utils.yaml_shape import TOO_DEEP, ShapeError, check_shape

LARGEST = 1 << 20  # bytes; the longest known recipe has less than 10 kB

FileState = tuple[int, int, int, int]


@dataclass(frozen=True)
class Position:
    """Position in a file. Line and column count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{short(self.file)}:{self.line}:{self.column}"


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the values in nested mappings with their key paths. Lists and empty mappings are values."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def short(file: Path) -> str:
    """Return the path of a file, relative to the current folder if the file is in it."""
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def read_text(file: Path) -> str:
    """Read a YAML file and check its size, encoding, syntax and expanded size.

    Raises:
        InvalidInput: If a check fails. The error has the place of the first problem.
    """
    if file.stat().st_size > LARGEST:
        raise InvalidInput(
            Problem(
                "too-large",
                f"the file is larger than {LARGEST >> 20} MiB",
                at=short(file),
                expected="a recipe of a few kB",
            )
        )
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(_encoding_problem(data, error.start, file)) from None
    if guess_wide(data):  # UTF-16 without a byte order mark
        raise InvalidInput(_encoding_problem(data, data.index(b"\0"), file))
    compose(text, file)
    return text


def _encoding_problem(data: bytes, start: int, file: Path) -> Problem:
    line = data.count(b"\n", 0, start)
    what = f"the file is not UTF-8: byte 0x{data[start]:02x}"
    likely = guess_encoding(data)
    convert = f"it is probably {likely}; convert it: {conversion_command(likely, short(file))}" if likely else None
    hint = convert or "save the file as UTF-8"
    return Problem("invalid-encoding", what, f"{short(file)}:{line + 1}", "a YAML file in UTF-8", hint=hint)


def compose(text: str, file: Path) -> yaml.Node | None:
    """Return the node tree of a YAML text, or None if the text is empty.

    Raises:
        InvalidInput: If the text has a syntax error, too many values or too many levels.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(syntax_problem(error, file)) from None
    except yaml.YAMLError as error:
        what = f"invalid YAML: {first_line(error)}"
        raise InvalidInput(Problem("invalid-yaml", what, at=short(file))) from None
    except RecursionError:
        raise InvalidInput(Problem("invalid-yaml", TOO_DEEP, at=short(file))) from None
    if node is not None:
        try:
            check_shape(node)
        except ShapeError as error:
            where = str(position(error.node, file))
            raise InvalidInput(Problem(error.code, error.what, where, error.expected)) from None
    return node


def syntax_problem(error: yaml.MarkedYAMLError, file: Path) -> Problem:
    """Return the problem for a syntax error in a YAML file, with its place."""
    mark = error.problem_mark or error.context_mark
    where = str(Position(file, mark.line + 1, mark.column + 1)) if mark else short(file)
    what = error.problem or error.context or "unknown syntax error"
    return Problem(
        "invalid-yaml",
        f"invalid YAML: {what}",
        at=where,
        hint="check the indentation and quotes on this line and the line above",
    )


def file_state(file: Path) -> FileState:
    """Return values that change if the file is written again."""
    stat = file.stat()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def positions(file: Path) -> Mapping[KeyPath, Position]:
    """Return the position of each key path in a YAML file: of the key, or of the item of a list."""
    return _positions(file, file_state(file))


@lru_cache(maxsize=256)
def _positions(file: Path, state: FileState) -> Mapping[KeyPath, Position]:
    root = compose(file.read_text(encoding="utf-8-sig"), file)
    result: dict[KeyPath, Position] = {}

    def walk(node: yaml.Node, path: KeyPath) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                result.setdefault(inner, position(key, file))
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                result.setdefault((*path, index), position(item, file))
                walk(item, (*path, index))

    if root is not None:
        walk(root, ())
    return result


def container_kinds(file: Path) -> dict[KeyPath, type[yaml.Node]]:
    """Return the kind of each mapping and list below mappings of a YAML file, by key path."""
    result: dict[KeyPath, type[yaml.Node]] = {}

    def walk(node: yaml.Node | None, path: KeyPath) -> None:
        if not isinstance(node, yaml.ScalarNode) and node is not None:
            result[path] = type(node)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, (*path, str(key.value)))

    walk(compose(file.read_text(encoding="utf-8-sig"), file), ())
    return result


def position(node: yaml.Node, file: Path) -> Position:
    """Return the position of the start of a node."""
    return Position(file, node.start_mark.line + 1, node.start_mark.column + 1)
