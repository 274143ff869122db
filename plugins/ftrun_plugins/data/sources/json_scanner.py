"""Scanner that cuts the values of a JSON list out of a stream of bytes, one at a time, without parsing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.data.sources.file_signature import UTF8_BOM
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from ftrun_plugins.data.sources.open_data import BLOCK

TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _build_nested_pattern(levels: int) -> bytes:
    """Return a pattern for a value in brackets. It never backtracks, so its time is linear in the value's length."""
    inner = b"|" + _build_nested_pattern(levels - 1) if levels else b""
    return rb'[\[{](?:[^"\[\]{}]++|' + TEXT + inner + rb")*+[\]}]"


SPACE = re.compile(rb"[ \t\r\n]*")
# A bracket, or a string, without its last quote if the buffer ends inside the string.
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[\[\]{}]', re.DOTALL)
PLAIN = re.compile(rb"[^ \t\r\n,\]}]*")  # a number or a word
LEVELS = 6  # of brackets that one match covers; deeper or incomplete values are scanned by token
QUOTE, STEPS = ord('"'), {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
SHALLOW = re.compile(_build_nested_pattern(LEVELS), re.DOTALL)
CONTINUATION = bytes(range(0x80, 0xC0))  # bytes of a character in UTF-8 after its first
SHOWN = 20  # bytes of unexpected content in a message


class Scanner:
    """Position in a file, with a buffer that begins near it.

    Every method raises `InvalidInput` if the file ends too early, or if other content is at the position.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._buffer, self._at = file.read(len(UTF8_BOM)).removeprefix(UTF8_BOM), 0
        self._line, self._counted = 1, 0  # the line that the buffer's first `_counted` bytes end in
        self._dropped = 0  # characters of the buffer's first line that are no longer in the buffer

    @property
    def line(self) -> int:
        """Number of the line of the position, from 1."""
        self._line += self._buffer.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> bytes:
        """Return the next byte that is not a space, or nothing at the end of the file."""
        while True:
            space = SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._read_block():
                return b""

    def take(self, byte: bytes) -> bool:
        """Skip a byte if it is the next byte that is not a space. Return True if it was skipped."""
        if self.peek() != byte:
            return False
        self._at += 1
        return True

    def need(self, byte: bytes, expected: str) -> None:
        """Skip a byte that must be the next one."""
        if not self.take(byte):
            raise self.error(expected)

    def items(self) -> Iterator[tuple[bytes, int]]:
        """Yield the values of the list at the position, each with the number of its first line."""
        self.need(b"[", "a list")
        if self.take(b"]"):
            return
        while True:
            self.peek()
            line = self.line
            yield self.value(), line
            if self.take(b"]"):
                return
            self.need(b",", "a comma or the end of the list")

    def members(self) -> Iterator[bytes]:
        """Yield the keys of the object at the position, as JSON. The caller must skip the value after each key."""
        self.need(b"{", "an object")
        if self.take(b"}"):
            return
        while True:
            if self.peek() != b'"':
                raise self.error("a key")
            key = self.value()
            self.need(b":", "a colon")
            yield key
            if self.take(b"}"):
                return
            self.need(b",", "a comma or the end of the object")

    def skip(self) -> None:
        """Skip a value of any size that consists of smaller values."""
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
        """Return the value at the position and skip it. Does not check the content of brackets."""
        first = self.peek()
        if first not in (b'"', b"[", b"{"):
            return self._read_plain()
        if match := SHALLOW.match(self._buffer, self._at):
            return self._cut(match.end() - self._at)
        depth, scanned = 0, 0  # bytes behind the position
        while True:
            token = TOKEN.search(self._buffer, self._at + scanned)
            if token is None:
                scanned = len(self._buffer) - self._at
            elif (mark := self._buffer[token.start()]) == QUOTE and not token.group(1):
                scanned = token.start() - self._at  # an incomplete string is scanned again from its quote
            else:
                scanned = token.end() - self._at
                depth += STEPS.get(mark, 0)
                if depth == 0:
                    return self._cut(scanned)
                continue
            self._require_block()

    def error(self, expected: str) -> InvalidInput:
        """Return the error for unexpected content at the position."""
        if len(self._buffer) - self._at < SHOWN:
            self._read_block()
        content = self._buffer[self._at : self._at + SHOWN].decode(errors="replace")
        what = f"expected {expected}, but found {content!r}" if content else f"expected {expected}, but the file ends"
        column = self._get_column() + 1
        return InvalidInput(
            Problem("invalid-json", f"{what} (line {self.line}, column {column})", self._name, "valid JSON")
        )

    def _read_plain(self) -> bytes:
        while True:
            word = PLAIN.match(self._buffer, self._at)
            length = word.end() - self._at if word else 0
            if length == 0:
                raise self.error("a value")
            if self._at + length < len(self._buffer) or not self._read_block():
                return self._cut(length)
            self._check_length()

    def _cut(self, length: int) -> bytes:
        value = self._buffer[self._at : self._at + length]
        self._at += length
        return value

    def _require_block(self) -> None:
        self._check_length()
        line = self.line
        if not self._read_block():
            raise InvalidInput(
                Problem("invalid-json", f"the file ends inside the value that begins in line {line}", self._name)
            )

    def _check_length(self) -> None:
        if len(self._buffer) - self._at > MAX_ROW_BYTES:
            what = f"the value that begins in line {self.line} is longer than {MAX_ROW_BYTES // 1_000_000} MB"
            raise InvalidInput(Problem("too-large", what, self._name, "a list of rows"))

    def _get_column(self) -> int:
        """Return the number of characters before the position in its line."""
        line_end = self._buffer.rfind(b"\n", 0, self._at)
        characters = len(self._buffer[line_end + 1 : self._at].translate(None, CONTINUATION))
        return characters + self._dropped if line_end < 0 else characters

    def _read_block(self) -> bool:
        """Read the next block and drop the bytes before the position. Return False at the end of the file."""
        self._dropped = self._get_column()
        self._line = self.line
        block = self._file.read(BLOCK)
        self._buffer, self._at, self._counted = self._buffer[self._at :] + block, 0, 0
        return bool(block)
