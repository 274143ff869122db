"""How messages show what they are about: the kind of a value, the beginning of something long."""

from __future__ import annotations

from typing import Any

LONGEST = 200  # characters
TYPES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def type_name(value: Any) -> str:
    """`a list` for a list, and so on; the class's own name for what JSON does not have."""
    return TYPES.get(type(value), type(value).__name__)


def shorten(line: bytes) -> str:
    """The beginning of a line as text, whatever its bytes are."""
    text = line[: 4 * LONGEST].decode(errors="replace").strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
