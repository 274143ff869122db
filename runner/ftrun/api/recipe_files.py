"""Reading of small files that a recipe names, such as a chat template or a configuration in JSON.

The content of such a file replaces its path: it is checked and becomes part of keys like a value in the recipe itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.suggest import nearest

__all__ = ["LARGEST_FILE", "parse_json", "read_recipe_file", "syntax_error"]

LARGEST_FILE = 1 << 20  # bytes; the longest known chat template has 40 kB


def read_recipe_file(path: Path) -> str:
    """Return the text of a file that a recipe names.

    Raises:
        InvalidInput: If the file does not exist, is no regular file, cannot be read, is too large, or is no UTF-8 text.
    """
    try:
        if not path.exists():
            names = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
            raise _error("file-not-found", "the file does not exist", path, did_you_mean=nearest(path.name, names))
        if not path.is_file():
            raise _error("file-unreadable", "it is not a regular file", path)
        if path.stat().st_size > LARGEST_FILE:
            raise _error("too-large", f"the file is larger than {LARGEST_FILE >> 20} MiB", path)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"the file is not UTF-8 text: byte {error.start} is invalid"
        raise _error("invalid-encoding", what, path) from None
    except (OSError, ValueError) as error:  # no permission, a loop of links, a NUL byte in the path
        what = f"the file cannot be read: {getattr(error, 'strerror', None) or error}"
        raise _error("file-unreadable", what, path) from None


def parse_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        InvalidInput: If the file cannot be read, has a syntax error, or holds another value than an object.
    """
    text = read_recipe_file(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise syntax_error("invalid-json", f"invalid JSON: {error.msg}", path, error.lineno, error.colno) from None
    except (RecursionError, ValueError):
        raise _error("too-deep", "the JSON is nested too deeply or has a number that is too long", path) from None
    if not isinstance(value, dict):
        raise _error("wrong-format", "the file does not hold a JSON object", path)
    return value


def syntax_error(code: str, what: str, path: Path, line: int, column: int | None = None) -> InvalidInput:
    """Return the error for a syntax error in a file, with its position."""
    position = f"{line}" if column is None else f"{line}:{column}"
    return InvalidInput(Problem(code, what, f"{path}:{position}"))


def _error(code: str, what: str, path: Path, did_you_mean: tuple[str, ...] = ()) -> InvalidInput:
    return InvalidInput(Problem(code, what, str(path), did_you_mean=did_you_mean))
