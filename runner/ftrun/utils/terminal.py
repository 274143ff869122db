"""Output to a terminal, without control characters of text that comes from outside.

Such text can set the clipboard, hide what follows, or replace lines that are already on the screen. `escaped_output`
replaces the streams of this process, so that no command can forget to escape. A console of `make_console` adds only
its own colours and movements of the cursor.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

# Control characters but line ends and tabs, and characters that change the direction or the end of a line.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = re.compile("\x1b\\[[0-9;:]*[mK]")


def escape_controls(text: str) -> str:
    """Return the text with an escape sequence in hexadecimal for each character that controls a terminal."""
    return UNSAFE.sub(_escape, text)


def drop_colours(text: str) -> str:
    """Return the text without the sequences that set colours or erase the rest of a line."""
    return COLOURS.sub("", text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class EscapedStream:
    """Text stream that escapes control characters. Everything else is that of the `unescaped` stream."""

    def __init__(self, stream: TextIO) -> None:
        self.unescaped = stream

    def write(self, text: str) -> int:
        self.unescaped.write(escape_controls(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape control characters in everything that this process prints."""
    old = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", EscapedStream(stream)) if stream else stream for stream in old)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = old


@contextmanager
def unescaped_output() -> Iterator[None]:
    """Restore the streams for a library that prints its own control characters."""
    old = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (getattr(stream, "unescaped", stream) for stream in old)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = old


def make_console(stream: TextIO, **options: Any) -> Console:
    """Return a console that escapes control characters in what it renders, and writes its own ones."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class EscapingConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                text = segment.text if segment.control else escape_controls(segment.text)
                yield Segment(text, segment.style, segment.control)

    return EscapingConsole(file=getattr(stream, "unescaped", stream), highlight=False, **options)
