"""Writes a value as a recipe file has it, on one short line, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 40  # characters


def shorten_value(value: Any, longest: int = LONGEST, nothing: str = "unset") -> str:
    """`true`, `[a, b]`, `{…}`; what is long loses its end, and null is `nothing`."""
    text = nothing if value is None else to_yaml(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def to_yaml(value: Any) -> str:
    """The whole of it but for what is in a mapping; line ends become spaces."""
    if isinstance(value, bool | None):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(to_yaml, value))}]"
    return " ".join(str(value).split())
