"""Refuses a data file as a whole, before any of its rows: where it is missing, or is something else than JSON Lines."""

from __future__ import annotations

from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.path_checks import check_path

HEAD_BYTES = 4096
JSON_LINES = "one JSON object a line"
UTF8_BOM = b"\xef\xbb\xbf"
# What a file begins with, what that makes it, and what to do about it.
FOREIGN = (
    (b"\x1f\x8b", "is compressed by gzip twice", "unpack it: gunzip --keep"),
    (b"PK\x03\x04", "is a zip archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd", "unpack it: zstd --decompress"),
    (b"BZh", "is compressed by bzip2", "unpack it: bunzip2 --keep"),
    (b"\xfd7zXZ\x00", "is compressed by xz", "unpack it: unxz --keep"),
    (b"PAR1", "is a Parquet file", "read it as such: dataset.source.name=parquet"),
    (b"ARROW1", "is an Arrow file", "convert it to JSON Lines"),
    (b"\xff\xfe", "is in UTF-16", "convert it: iconv --from-code UTF-16 --to-code UTF-8"),
    (b"\xfe\xff", "is in UTF-16", "convert it: iconv --from-code UTF-16 --to-code UTF-8"),
)


def check_exists(path: Path, kind: str = "a JSON Lines file") -> None:
    """Raises `InvalidInput` where there is no file that can be read, with the nearest names beside it."""
    check_path(path, kind)
    if path.exists() and not path.is_file():
        raise InvalidInput(Problem("wrong-format", "it is neither a file nor a folder", str(path), kind))
    if not path.parent.is_dir():
        raise InvalidInput(
            Problem(
                "file-not-found", "there is no such file, and no such folder", str(path), hint=_nearest_folder(path)
            )
        )
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()]
        raise InvalidInput(
            Problem("file-not-found", "there is no such file", str(path), did_you_mean=nearest(path.name, beside))
        )


def read_head(path: Path, name: str, kind: str = "JSON Lines", expected: str = JSON_LINES) -> bytes:
    """The first bytes without a BOM. Raises `InvalidInput` where they tell that the file is unreadable, empty, or binary."""
    with open_data(path, name) as file:
        first = file.read(HEAD_BYTES)
    if not first:
        raise InvalidInput(Problem("no-rows", "the file is empty", name, expected))
    for magic, what, remedy in FOREIGN:
        if first.startswith(magic):
            raise InvalidInput(Problem("wrong-format", f"the file {what}, not {kind}", name, expected, hint=remedy))
    return first.removeprefix(UTF8_BOM)


def check_is_jsonl(path: Path, name: str) -> None:
    """Raises `InvalidInput` where the first bytes tell that the file is no JSON Lines."""
    text = read_head(path, name).lstrip()
    if text.startswith(b"["):
        remedy = "read it as such: dataset.source.name=json"
        raise InvalidInput(
            Problem("wrong-format", "the file is a JSON array, not JSON Lines", name, JSON_LINES, hint=remedy)
        )
    if text.partition(b"\n")[0].rstrip() == b"{":
        remedy = f"put each object on one line: jq --compact-output . {name} > {Path(name).stem}.rows.jsonl"
        raise InvalidInput(
            Problem("wrong-format", "the file has objects over several lines", name, JSON_LINES, hint=remedy)
        )


def only_blank_lines(name: str) -> InvalidInput:
    """The error for a file that has lines but no row."""
    return InvalidInput(Problem("no-rows", "the file has only blank lines", name, JSON_LINES))


def _nearest_folder(path: Path) -> str:
    there = next(folder for folder in path.parents if folder.is_dir())
    return f"look into {there}, the last folder of that path that there is"
