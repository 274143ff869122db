"""Checks of a data file before its rows are read: it must exist and must have the format of the source."""

from __future__ import annotations

import re
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.encoding_guess import guess_wide
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.sources.encoding_errors import remedies
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.path_checks import check_path
from ftrun_plugins.data.sources.text_encoding import UTF8

HEAD_BYTES = 4096
TURNS = re.compile(rb'\[\s*\{\s*"(role|from|content|value)"\s*:[^\n]*\n?')  # first line of rows that are lists of turns
JSON_LINES = "one JSON object per line"
WIDE = ("utf-16", "utf-32")  # encodings with several bytes for each character
UTF8_BOM = b"\xef\xbb\xbf"
# First bytes of a file, the format that they show, and a remedy.
FOREIGN = (
    (b"\x1f\x8b", "is compressed twice, the second time by gzip", "unpack it: gunzip --keep"),
    (b"PK\x03\x04", "is a zip archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed twice, the second time by zstd", "unpack it: zstd --decompress"),
    (b"BZh", "is compressed twice, the second time by bzip2", "unpack it: bunzip2 --keep"),
    (b"\xfd7zXZ\x00", "is compressed by xz", "unpack it: unxz --keep"),
    (b"PAR1", "is a Parquet file", "use the source for it: dataset.source.name=parquet"),
    (b"ARROW1", "is an Arrow file", "convert it to JSON Lines"),
)


def check_exists(path: Path, kind: str = "a JSON Lines file") -> None:
    """Check that a file exists and can be read.

    Raises:
        InvalidInput: If not. The problem has the most similar names in the folder.
    """
    check_path(path, kind)
    if path.exists() and not path.is_file():
        raise InvalidInput(Problem("wrong-format", "it is neither a file nor a folder", str(path), kind))
    if not path.parent.is_dir():
        raise InvalidInput(
            Problem("file-not-found", "neither the file nor its folder exists", str(path), hint=_suggest_folder(path))
        )
    if not path.exists():
        names = [file.name for file in path.parent.iterdir()]
        raise InvalidInput(
            Problem("file-not-found", "the file does not exist", str(path), did_you_mean=nearest(path.name, names))
        )


def read_head(
    path: Path, name: str, kind: str = "JSON Lines", expected: str = JSON_LINES, encoding: str = UTF8
) -> bytes:
    """Return the first bytes of a file in UTF-8, without a byte order mark (BOM).

    Raises:
        InvalidInput: If the file is unreadable or empty, or if the bytes show another format or encoding.
    """
    with open_data(path, name) as file:
        first = file.read(HEAD_BYTES)
    if not first:
        raise InvalidInput(Problem("no-rows", "the file is empty", name, expected))
    _check_encoding(first, name, encoding)
    if encoding != UTF8:
        with open_data(path, name, encoding) as file:
            first = file.read(HEAD_BYTES)
    for magic, what, remedy in FOREIGN:
        if first.startswith(magic):
            raise InvalidInput(Problem("wrong-format", f"the file {what}, not {kind}", name, expected, hint=remedy))
    return first.removeprefix(UTF8_BOM)


def _check_encoding(first: bytes, name: str, encoding: str) -> None:
    actual = guess_wide(first)
    if actual and actual[:6] != encoding[:6]:
        what = f"the file is in {actual.upper()}, not {encoding.upper()}"
        raise InvalidInput(Problem("invalid-encoding", what, name, hint=remedies(actual, name)))
    if not actual and encoding.startswith(WIDE) and b"\0" not in first:
        what = f"the file is not {encoding.upper()}: its first {len(first)} bytes have no byte order mark and no NUL"
        hint = "set dataset.source.encoding to the encoding of the file, or remove it for UTF-8"
        raise InvalidInput(Problem("invalid-encoding", what, name, hint=hint))


def check_is_jsonl(path: Path, name: str, encoding: str = UTF8) -> None:
    """Check that the first bytes of a file can be JSON Lines.

    Raises:
        InvalidInput: If the bytes show another format.
    """
    text = read_head(path, name, encoding=encoding).lstrip()
    if text.startswith(b"[") and not TURNS.match(text):
        remedy = "use the source for it: dataset.source.name=json"
        raise InvalidInput(
            Problem("wrong-format", "the file is a JSON array, not JSON Lines", name, JSON_LINES, hint=remedy)
        )
    if text.partition(b"\n")[0].rstrip() == b"{":
        remedy = f"put each object on one line: jq --compact-output . {name} > {Path(name).stem}.rows.jsonl"
        raise InvalidInput(
            Problem("wrong-format", "the file has objects that span several lines", name, JSON_LINES, hint=remedy)
        )


def blank_file_error(name: str) -> InvalidInput:
    """Return the error for a file that has only blank lines."""
    return InvalidInput(Problem("no-rows", "the file has only blank lines", name, JSON_LINES))


def _suggest_folder(path: Path) -> str:
    folder = next(parent for parent in path.parents if parent.is_dir())
    return f"the last folder of this path that exists is {folder}"
