"""Opening of data files. Unpacks them while reading, up to limits that ordinary files do not reach."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.data.sources.text_encoding import UTF8, convert
from ftrun_plugins.data.sources.zstd_reader import ZstdReader

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 20  # bytes read at a time
FREE = 100_000_000  # bytes; limit for small files
MOST_TIMES = 300  # limit for larger files, as a multiple of their size; text reaches 20
MAGIC_BYTES = 4


@dataclass(frozen=True)
class Compression:
    """Compression of a file: its name, the ending of file names, its first bytes and its reader."""

    name: str
    suffix: str
    magic: bytes
    open: Callable[[BinaryIO], Any]


COMPRESSIONS = (
    Compression("gzip", ".gz", b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file, mode="rb")),
    Compression("bzip2", ".bz2", b"BZh", lambda file: bz2.BZ2File(file)),
    Compression("zstd", ".zst", b"\x28\xb5\x2f\xfd", ZstdReader),
)
PACKED: Mapping[str, Compression] = {compression.suffix: compression for compression in COMPRESSIONS}


def unpacked_name(name: str) -> str:
    """Return the name of a file in lower case, without the ending of its compression."""
    name = name.lower()
    suffix = next((suffix for suffix in PACKED if name.endswith(suffix)), "")
    return name.removesuffix(suffix)


@contextmanager
def open_data(path: Path, name: str, encoding: str = UTF8) -> Iterator[BinaryIO]:
    """Open a file for reading from its beginning, in UTF-8.

    Args:
        path: The file.
        name: Name of the file in messages.
        encoding: Encoding of the file.

    Raises:
        InvalidInput: If the file cannot be opened, or, while it is read, if it is damaged or unpacks to too many bytes.
    """
    try:
        file = path.open("rb", buffering=BLOCK)
    except OSError as error:
        raise InvalidInput(Problem("file-unreadable", f"the file cannot be read: {error.strerror}", name)) from error
    with file:
        first = file.read(MAGIC_BYTES)
        file.seek(0)
        compression = next((each for each in COMPRESSIONS if first.startswith(each.magic)), None)
        stream: BinaryIO = file
        if compression:
            unpacked = _Unpacked(compression, file, path.stat().st_size, name)
            stream = cast(BinaryIO, io.BufferedReader(unpacked, BLOCK))
        yield stream if encoding == UTF8 else convert(stream, encoding, BLOCK)


class _Unpacked(io.RawIOBase):
    """Stream of the unpacked bytes of a compressed file, up to a limit."""

    def __init__(self, compression: Compression, file: BinaryIO, size: int, name: str) -> None:
        self._file, self._kind, self._name = compression.open(file), compression.name, name
        self._remaining = max(FREE, size * MOST_TIMES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._read(len(view))
        self._remaining -= len(data)
        if self._remaining < 0:
            what = f"the {self._kind} file unpacks to more than {MOST_TIMES} times its size"
            raise InvalidInput(
                Problem(
                    "too-large", what, self._name, hint="check its content; if the content is right, unpack the file"
                )
            )
        view[: len(data)] = data
        return len(data)

    def _read(self, count: int) -> bytes:
        try:
            data: bytes = self._file.read1(count) if hasattr(self._file, "read1") else self._file.read(count)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise self._damaged(error) from error
        except Exception as error:  # that of zstandard, which is imported for zstd files only
            if type(error).__name__ != "ZstdError":
                raise
            raise self._damaged(error) from error
        return data

    def _damaged(self, error: Exception) -> InvalidInput:
        what = f"the {self._kind} file is damaged: {error}"
        return InvalidInput(Problem("damaged-file", what, self._name, hint="fetch it again"))
