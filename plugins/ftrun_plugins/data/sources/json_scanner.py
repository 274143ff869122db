"""Cuts the values of a JSON list out of a stream of bytes, one at a time, without making sense of what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.data.sources.file_signature import UTF8_BOM
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from ftrun_plugins.data.sources.open_data import BLOCK

TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _nested(levels: int) -> bytes:
    """A pattern for a value in brackets. It never goes back, so it takes time in proportion to the value's length."""
    inner = b"|" + _nested(levels - 1) if levels else b""
    return rb'[\[{](?:[^"\[\]{}]++|' + TEXT + inner + rb")*+[\]}]"


SPACE = re.compile(rb"[ \t\r\n]*")
# A text, whose last quote is missing where the buffer ends inside of it, or a bracket.
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[\[\]{}]', re.DOTALL)
PLAIN = re.compile(rb"[^ \t\r\n,\]}]*")  # a number, or a word
LEVELS = 6  # of brackets that one match goes through; what is deeper, or is cut, takes a token at a time
QUOTE, STEPS = ord('"'), {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
SHALLOW = re.compile(_nested(LEVELS), re.DOTALL)
SHOWN = 20  # bytes of what stands where something else should


class Scanner:
    """A position in a file, and a buffer that begins near it.

    Every method raises `InvalidInput` where the file ends too early, or something else stands at the position.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._buffer, self._at = file.read(len(UTF8_BOM)).removeprefix(UTF8_BOM), 0
        self._line, self._counted = 1, 0  # the line that the buffer's first `_counted` bytes end in
        self._before = 0  # bytes of the buffer's first line that are forgotten

    @property
    def line(self) -> int:
        """The number of the line that the position is in, from 1."""
        self._line += self._buffer.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> bytes:
        """The next byte that is no space; nothing at the end of the file."""
        while True:
            space = SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def take(self, byte: bytes) -> bool:
        """Goes past a byte, if it is the next one that is no space."""
        if self.peek() != byte:
            return False
        self._at += 1
        return True

    def need(self, byte: bytes, expected: str) -> None:
        """Goes past a byte that has to be the next one."""
        if not self.take(byte):
            raise self.wrong(expected)

    def items(self) -> Iterator[tuple[bytes, int]]:
        """The values of the list that begins here, each with the number of its first line."""
        self.need(b"[", "a list")
        if self.take(b"]"):
            return
        while True:
            self.peek()
            line = self.line
            yield self.value(), line
            if self.take(b"]"):
                return
            self.need(b",", "a comma, or the end of the list,")

    def members(self) -> Iterator[bytes]:
        """The keys of the object that begins here, as they are written; whoever takes one goes past its value."""
        self.need(b"{", "an object")
        if self.take(b"}"):
            return
        while True:
            if self.peek() != b'"':
                raise self.wrong("a key")
            key = self.value()
            self.need(b":", "a colon")
            yield key
            if self.take(b"}"):
                return
            self.need(b",", "a comma, or the end of the object,")

    def skip(self) -> None:
        """Goes past a value of any size that is made of smaller ones."""
        first = self.peek()
        if first == b"[":
            for _ in self.items():
                pass
        elif first == b"{":
            for _ in self.members():
                self.value()
        else:
            self.value()

    def value(self) -> bytes:
        """Goes past a value and returns it. What is inside its brackets may be anything."""
        first = self.peek()
        if first not in (b'"', b"[", b"{"):
            return self._plain()
        if whole := SHALLOW.match(self._buffer, self._at):
            return self._cut(whole.end() - self._at)
        depth, scanned = 0, 0  # bytes behind the position
        while True:
            token = TOKEN.search(self._buffer, self._at + scanned)
            if token is None:
                scanned = len(self._buffer) - self._at
            elif (mark := self._buffer[token.start()]) == QUOTE and not token.group(1):
                scanned = token.start() - self._at  # of a text that is cut: from its quote, once more is there
            else:
                scanned = token.end() - self._at
                depth += STEPS.get(mark, 0)
                if depth == 0:
                    return self._cut(scanned)
                continue
            self._need_more()

    def wrong(self, expected: str) -> InvalidInput:
        """The error for what stands at the position."""
        if len(self._buffer) - self._at < SHOWN:
            self._more()
        found = self._buffer[self._at : self._at + SHOWN].decode(errors="replace")
        what = f"{found!r} stands where {expected} should" if found else f"the file ends where {expected} should stand"
        column = self._column() + 1
        return InvalidInput(
            Problem("invalid-json", f"{what} (line {self.line}, column {column})", self._name, "sound JSON")
        )

    def _plain(self) -> bytes:
        while True:
            word = PLAIN.match(self._buffer, self._at)
            length = word.end() - self._at if word else 0
            if length == 0:
                raise self.wrong("a value")
            if self._at + length < len(self._buffer) or not self._more():
                return self._cut(length)
            self._check_length()

    def _cut(self, length: int) -> bytes:
        value = self._buffer[self._at : self._at + length]
        self._at += length
        return value

    def _need_more(self) -> None:
        self._check_length()
        line = self.line
        if not self._more():
            raise InvalidInput(
                Problem("invalid-json", f"the file ends inside the value that begins in line {line}", self._name)
            )

    def _check_length(self) -> None:
        if len(self._buffer) - self._at > MAX_ROW_BYTES:
            what = f"the value that begins in line {self.line} is longer than {MAX_ROW_BYTES // 1_000_000} MB"
            raise InvalidInput(Problem("too-large", what, self._name, "a list of rows"))

    def _column(self) -> int:
        """How many bytes stand before the position in its line."""
        line_end = self._buffer.rfind(b"\n", 0, self._at)
        return self._at + self._before if line_end < 0 else self._at - line_end - 1

    def _more(self) -> bool:
        """Reads on and forgets what lies before the position."""
        self._before = self._column()
        self._line = self.line
        block = self._file.read(BLOCK)
        self._buffer, self._at, self._counted = self._buffer[self._at :] + block, 0, 0
        return bool(block)
