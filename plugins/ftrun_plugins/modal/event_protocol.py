"""Events between lines of output: `::ftrun {json}`, found anywhere in a line, for progress bars leave lines open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MARKER = b"::ftrun "
MARKED = re.compile(rb"\n?::ftrun \{[^\n]*\}\n")
LONGEST_LINE = 1 << 20  # bytes kept while the end of a line is awaited


def marked(event: dict[str, Any]) -> bytes:
    """An event as it is printed, in one write and on a line of its own."""
    return b"\n" + MARKER + json.dumps(event, default=str).encode() + b"\n"


def without_markers(output: bytes) -> bytes:
    """What was printed besides events."""
    return MARKED.sub(b"", output)


class Markers:
    """Finds events in output that comes in pieces."""

    def __init__(self) -> None:
        self._open = b""

    def read(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The events whose lines ended in this piece."""
        for line in self._lines(piece):
            _, found, text = line.partition(MARKER)
            event = _parsed(text) if found else None
            if event is not None:
                yield event

    def _lines(self, piece: bytes) -> list[bytes]:
        *lines, self._open = (self._open + piece).split(b"\n")
        self._open = self._open[-LONGEST_LINE:]
        return lines


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "kind" in event else None
