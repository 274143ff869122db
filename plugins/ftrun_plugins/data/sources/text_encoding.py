"""Encodings of data files: names that a recipe may use, and conversion to UTF-8 while a file is read."""

from __future__ import annotations

import codecs
import encodings.aliases
import io
from typing import TYPE_CHECKING, Annotated, BinaryIO, TypeAlias, cast

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from ftrun.api.options import UNKNOWN_NAME

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UTF8 = "utf-8"
# Codecs for parts of a text or of a program, not for files.
NOT_OF_FILES = frozenset(
    {"charmap", "idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
KEEP_BYTES = "ftrun.keep_bytes"
BYTE_BASE = 0xDC00  # a byte that is not text becomes the surrogate of this number plus the byte


def canonical_name(name: str) -> str:
    """Return the name of an encoding in Python, such as `cp1252` for `Windows-1252`. UTF-8 has one name.

    Raises:
        PydanticCustomError: If Python has no encoding of text with this name.
    """
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name.replace("_", "-") in NOT_OF_FILES:
        known = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()} - NOT_OF_FILES)
        expected = "the name of an encoding in Python, such as utf-8, utf-16, cp1252, gb18030 or shift_jis"
        raise PydanticCustomError(UNKNOWN_NAME, expected, {"known": known})
    return UTF8 if codec.name == "utf-8-sig" else codec.name


Encoding: TypeAlias = Annotated[str, AfterValidator(canonical_name)]
"""Encoding of text files, by its name in Python or an alias of it."""


def convert(file: BinaryIO, encoding: str, block: int) -> BinaryIO:
    """Return a stream of the text of a file in UTF-8.

    Bytes that are no text in the encoding become lone surrogates, which are no valid UTF-8. `find_byte` returns them.
    """
    return cast(BinaryIO, io.BufferedReader(_Converted(file, encoding, block), block))


def find_byte(line: bytes) -> tuple[int, int] | None:
    """Return the first byte of a converted line that is no text in the encoding, and its position in characters."""
    text = line.decode(errors="surrogatepass")
    found = next((index for index, mark in enumerate(text) if 0 <= ord(mark) - BYTE_BASE < 256), None)
    return None if found is None else (ord(text[found]) - BYTE_BASE, found)


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(BYTE_BASE + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(KEEP_BYTES, _keep_bytes)


class _Converted(io.RawIOBase):
    """Stream of the bytes of a file, decoded and encoded again as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str, block: int) -> None:
        self._file, self._block = file, block
        self._decoder = codecs.getincrementaldecoder(encoding)(KEEP_BYTES)
        self._ready = b""
        self._at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._ready and not self._at_end:
            data = self._file.read(self._block)
            self._at_end = not data
            self._ready = _encode(self._decoder.decode(data, self._at_end))
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
