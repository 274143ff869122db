"""Selection of a reader by the suffix of a file, for files of the Hugging Face hub and of web addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources.csv_reader import Shape, read_csv
from ftrun_plugins.data.sources.file_signature import read_head
from ftrun_plugins.data.sources.json_reader import read_array
from ftrun_plugins.data.sources.jsonl_reader import read_rows
from ftrun_plugins.data.sources.open_data import unpacked_name
from ftrun_plugins.data.sources.text_encoding import UTF8

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, without the ending of its compression."""
    return Path(unpacked_name(name)).suffix


def read_file(
    path: Path, name: str, columns: Sequence[str] | None = None, encoding: str = UTF8
) -> Iterator[Row | BadRow]:
    """Yield the rows of a file, in the format of its suffix.

    Files with an unknown suffix are JSON Lines, and so are `.json` files that do not begin with a list.
    """
    suffix = suffix_of(name)
    if suffix == ".parquet":
        from ftrun_plugins.data.sources.parquet_reader import read_parquet

        return read_parquet(path, name, columns)
    if suffix in (".csv", ".tsv"):
        return read_csv(path, name, Shape("\t" if suffix == ".tsv" else ",", encoding=encoding))
    if suffix == ".json" and read_head(path, name, encoding=encoding).lstrip().startswith(b"["):
        return read_array(path, name, encoding=encoding)
    return read_rows(path, name, encoding)
