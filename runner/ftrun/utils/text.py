"""Short forms of texts for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPECIFIC = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|0x[0-9a-f]+|\\u[0-9a-f]{4}|\d[\d.,]*")
MOST_PLACES = 3  # places that a message lists
LONGEST_LINE = 300  # characters


def first_line(source: object, longest: int = LONGEST_LINE) -> str:
    """Return the first line of a text or of an error's message; empty if there is none."""
    lines = str(source).strip().splitlines()
    return lines[0][:longest] if lines else ""


def truncate(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters, with an ellipsis if its end is missing."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def dotted(path: Sequence[str | int], longest: int | None = None) -> str:
    """Return a key path as text: `datasets[0].path`. Each key has at most `longest` characters."""
    keys = [truncate(key, longest) if longest and isinstance(key, str) else key for key in path]
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def message_kind(text: str) -> str:
    """Return a message with `…` for names and numbers, which differ between messages of one kind."""
    return SPECIFIC.sub("…", text)


def list_places(places: Sequence[str], count: int, others: str) -> str:
    """Return the first places as text, and the number of all `others`: `a.jsonl:1, a.jsonl:4 and 12 more rows`."""
    first = places[:MOST_PLACES]
    more = count - len(first)
    return ", ".join(first) + (f" and {more:,} {others}" if more > 0 else "")
