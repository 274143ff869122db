"""Reader of zstd files. Unlike the reader of `zstandard`, it reports a file that ends in the middle of a frame."""

from __future__ import annotations

from typing import Any, BinaryIO


class ZstdReader:
    """Unpacked bytes of a zstd file, which has one frame or several."""

    def __init__(self, file: BinaryIO) -> None:
        import zstandard

        self._new_frame: Any = zstandard.ZstdDecompressor().decompressobj
        self._file = file
        self._frame: Any = None
        self._packed = b""  # read from the file and not unpacked yet
        self._unpacked = b""

    def read(self, count: int) -> bytes:
        """Return at most `count` bytes; none at the end of the file.

        Raises:
            EOFError: If the file ends in the middle of a frame.
        """
        while not self._unpacked and self._unpack_next(count):
            pass
        data, self._unpacked = self._unpacked[:count], self._unpacked[count:]
        return data

    def _unpack_next(self, count: int) -> bool:
        """Unpack the next bytes of the file, and return False at its end."""
        # A few packed bytes at a time, because they may unpack to many.
        packed = self._packed or self._file.read(max(count // 64, 1024))
        if not packed:
            if self._frame is not None:
                raise EOFError("it ends in the middle of a frame")
            return False
        if self._frame is None:
            self._frame = self._new_frame()
        self._unpacked = self._frame.decompress(packed)
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame = self._frame.unused_data, None
        return True
