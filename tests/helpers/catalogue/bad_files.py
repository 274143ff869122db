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
    file("empty", b"", "the file is empty"),
    file("only line ends", b"\n\r\n \n", "the file has only blank lines"),
    file("only a BOM", b"\xef\xbb\xbf", "the file has only blank lines"),
    file("UTF-16", '{"text": "a"}\n'.encode("utf-16"), "the file is in UTF-16, not JSON Lines"),
    file("UTF-16, big end first", b"\xfe\xff" + '{"text": "a"}'.encode("utf-16-be"), "the file is in UTF-16, not JSON Lines"),
    file("gzip, twice", gzip.compress(PACKED), "the file is compressed by gzip twice, not JSON Lines"),
    file("gzip, cut", PACKED[:-12], "the gzip file is damaged: …"),
    file("gzip, with a byte changed", PACKED[:20] + b"\xff" + PACKED[21:], "the gzip file is damaged: …"),
    file("gzip of nothing", gzip.compress(b""), "the file is empty"),
    file("a gzip bomb", BOMB, "the gzip file unpacks to more than 300 times its size"),
    file("bzip2", bz2.compress(GOOD), "the file is compressed by bzip2, not JSON Lines"),
    file("xz", lzma.compress(GOOD), "the file is compressed by xz, not JSON Lines"),
    file("zstd", b"\x28\xb5\x2f\xfd\x04", "the file is compressed by zstd, not JSON Lines"),
    file("zip", b"PK\x03\x04\x14", "the file is a zip archive, not JSON Lines"),
    file("Parquet", b"PAR1\x15\x04", "the file is a Parquet file, not JSON Lines"),
    file("Arrow", b"ARROW1\0\0", "the file is an Arrow file, not JSON Lines"),
    file("a JSON array", b'[{"text": "a"}]', "the file is a JSON array, not JSON Lines"),
    file("an object over lines", b'{\n  "text": "a"\n}\n', "the file has objects over several lines"),
]  # fmt: skip
