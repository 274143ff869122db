"""Events in the output of a function, written as `::ftrun {json}`.

An event may start anywhere in a line, because progress bars leave their lines open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MARKER = b"::ftrun "
EVENT = re.compile(rb"\n?::ftrun \{[^\n]*\}\n")
LONGEST_LINE = 1 << 20  # bytes kept of an incomplete line


def encode_event(event: dict[str, Any]) -> bytes:
    """Return an event as bytes to print in one write. The event is on a separate line."""
    return b"\n" + MARKER + json.dumps(event, default=str).encode() + b"\n"


def strip_events(output: bytes) -> bytes:
    """Return output without its events."""
    return EVENT.sub(b"", output)


class Markers:
    """Parser of events in output that arrives in pieces."""

    def __init__(self) -> None:
        self._incomplete = b""

    def read(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events whose lines end in this piece."""
        for line in self._split_lines(piece):
            _, marker, text = line.partition(MARKER)
            event = _parse(text) if marker else None
            if event is not None:
                yield event

    def _split_lines(self, piece: bytes) -> list[bytes]:
        *lines, self._incomplete = (self._incomplete + piece).split(b"\n")
        self._incomplete = self._incomplete[-LONGEST_LINE:]
        return lines


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "kind" in event else None
