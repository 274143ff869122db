"""Files that are refused before their first row; the message names the file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib

from helpers.catalogue.case import Bad

GOOD = b'{"text": "fine"}\n'
PACKED = gzip.compress(GOOD * 100)


def bomb(megabytes: int) -> bytes:
    """Gzip of nothing but zeros: a thousandth of its size."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(b"0" * 1_000_000) for _ in range(megabytes)), packer.flush()])


BOMB = bomb(150)


def file(name: str, content: bytes, reason: str) -> Bad:
    return Bad(name, content, reason, "data.jsonl")


CASES = [
    file("empty", b"", "no-rows"),
    file("only line ends", b"\n\r\n \n", "no-rows"),
    file("only a BOM", b"\xef\xbb\xbf", "no-rows"),
    file("UTF-16", '{"text": "a"}\n'.encode("utf-16"), "invalid-encoding UTF-16"),
    file("UTF-16, big end first", b"\xfe\xff" + '{"text": "a"}'.encode("utf-16-be"), "invalid-encoding UTF-16"),
    file("gzip, twice", gzip.compress(PACKED), "wrong-format second time by gzip"),
    file("gzip, cut", PACKED[:-12], "damaged-file gzip"),
    file("gzip, with a byte changed", PACKED[:20] + b"\xff" + PACKED[21:], "damaged-file gzip"),
    file("gzip of nothing", gzip.compress(b""), "no-rows"),
    file("a gzip bomb", BOMB, "too-large gzip"),
    file("bzip2, cut", bz2.compress(GOOD)[:-8], "damaged-file bzip2"),
    file("xz", lzma.compress(GOOD), "wrong-format xz"),
    file("zstd, cut", b"\x28\xb5\x2f\xfd\x04", "damaged-file zstd"),
    file("zip", b"PK\x03\x04\x14", "wrong-format zip"),
    file("Parquet", b"PAR1\x15\x04", "wrong-format Parquet"),
    file("Arrow", b"ARROW1\0\0", "wrong-format Arrow"),
    file("a JSON array", b'[{"text": "a"}]', "wrong-format JSON array"),
    file("an object over lines", b'{\n  "text": "a"\n}\n', "wrong-format several lines"),
]  # fmt: skip
