"""The source `csv`: files with one record a line on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.csv_reader import EXPECTED, Shape, read_csv
from ftrun_plugins.data.sources.file_signature import read_head
from ftrun_plugins.data.sources.local_files import local_files


class Csv:
    """One row a record, in UTF-8; every value is a text, and an empty field is an empty one."""

    name: ClassVar[str] = "csv"

    class Options(rows.Options):
        """Where the file is, or a folder, or a pattern; how its fields are told apart and called."""

        path: Path
        """File, folder, or glob pattern of files. A relative path starts at the folder of the file that sets it."""
        delimiter: str = Field(default=",", min_length=1, max_length=1)
        """Character between two fields."""
        quote: str | None = Field(default='"', min_length=1, max_length=1)
        """Character around fields that contain the delimiter. If null, quotes have no special meaning."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Names of the columns. Default: the first line of each file has the names."""

        @field_validator("delimiter", "quote")
        @classmethod
        def _is_a_mark(cls, mark: str | None) -> str | None:
            if mark is not None and mark in "\r\n\0 ":
                raise ValueError("one character that is no space and no line end")
            return mark

        @field_validator("columns")
        @classmethod
        def _differ(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
            if columns is not None and len(set(columns)) < len(columns):
                raise ValueError("names that differ")
            return columns

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The files. Raises `InvalidInput` where one is missing or its beginning is no text."""
        found = local_files(options.path, (".csv", ".tsv"), "a CSV file")
        for external in found:
            assert external.path is not None
            read_head(external.path, str(external.path), "CSV", EXPECTED)
        return found

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of the files' names and of their lines."""
        shape = Shape(options.delimiter, options.quote, options.columns)
        for name, path in files.items():
            yield from read_csv(path, name, shape)
