"""Format of recipe values in messages: as in a recipe file, on one short line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun.utils.text import truncate

LONGEST = 40  # characters


def shorten_value(value: Any, longest: int = LONGEST, nothing: str = "unset") -> str:
    """Return a value as short text, such as `true`, `[a, b]` or `{…}`. Long text is cut; None becomes `nothing`."""
    text = nothing if value is None else to_yaml(value)
    return truncate(text, longest)


def to_yaml(value: Any) -> str:
    """Return a value as text on one line. A mapping becomes `{…}`; nothing else is shortened."""
    if isinstance(value, bool | None):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(to_yaml, value))}]"
    return " ".join(str(value).split())
