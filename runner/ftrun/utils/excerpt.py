"""Short descriptions of values for messages: the JSON type of a value, the first characters of a long line."""

from __future__ import annotations

from typing import Any

from ftrun.utils.text import truncate

LONGEST = 200  # characters
TYPES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def type_name(value: Any) -> str:
    """Return the JSON type of a value, such as `a list`; for values that JSON does not have, the name of the class."""
    return TYPES.get(type(value), type(value).__name__)


def shorten(line: bytes) -> str:
    """Return the first characters of a line. Bytes that are not UTF-8 are replaced."""
    text = line[: 4 * LONGEST].decode(errors="replace").strip()
    return truncate(text, LONGEST)
