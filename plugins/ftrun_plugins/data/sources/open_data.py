"""Opening of data files. Unpacks gzip while reading, up to limits that ordinary files do not reach."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ftrun.api.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 20  # bytes read at a time
GZIP = b"\x1f\x8b"
FREE = 100_000_000  # bytes; limit for small files
MOST_TIMES = 300  # limit for larger files, as a multiple of their size; text reaches 20


@contextmanager
def open_data(path: Path, name: str) -> Iterator[BinaryIO]:
    """Open a file for reading from its beginning; `name` is for messages.

    Raises:
        InvalidInput: If the file cannot be opened, or, while it is read, if it is damaged or unpacks to too many bytes.
    """
    try:
        file = path.open("rb", buffering=BLOCK)
    except OSError as error:
        raise InvalidInput(Problem("file-unreadable", f"the file cannot be read: {error.strerror}", name)) from error
    with file:
        is_gzip = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if is_gzip:
            unpacked = _Unpacked(gzip.GzipFile(fileobj=file, mode="rb"), path.stat().st_size, name)
            yield cast(BinaryIO, io.BufferedReader(unpacked, BLOCK))
        else:
            yield file


class _Unpacked(io.RawIOBase):
    """Stream of the unpacked bytes of a gzip file, up to a limit."""

    def __init__(self, file: gzip.GzipFile, size: int, name: str) -> None:
        self._file, self._name = file, name
        self._remaining = max(FREE, size * MOST_TIMES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            data = self._file.read1(len(view))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InvalidInput(
                Problem("damaged-file", f"the gzip file is damaged: {error}", self._name, hint="fetch it again")
            ) from error
        self._remaining -= len(data)
        if self._remaining < 0:
            what = f"the gzip file unpacks to more than {MOST_TIMES} times its size"
            raise InvalidInput(
                Problem(
                    "too-large", what, self._name, hint="check its content; if the content is right, unpack the file"
                )
            )
        view[: len(data)] = data
        return len(data)
