"""The source `csv`: local CSV files."""

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
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding


class Csv:
    """Rows of local CSV files, one per record. All values are strings; an empty field is an empty string."""

    name: ClassVar[str] = "csv"

    class Options(rows.Options):
        """Path of a file, a folder or a pattern, and the format of the files."""

        path: Path
        """CSV file, folder, or glob pattern. A relative path starts at the folder of the file that sets it."""
        delimiter: str = Field(default=",", min_length=1, max_length=1)
        """Character between two fields."""
        quote: str | None = Field(default='"', min_length=1, max_length=1)
        """Character around fields that contain the delimiter. If null, quotes have no special meaning."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Names of the columns. Default: the first line of each file has the names."""
        encoding: Encoding = UTF8
        """Encoding of the files: a name in Python, such as `utf-16`, `cp1252` or `gb18030`."""

        @field_validator("delimiter", "quote")
        @classmethod
        def _check_mark(cls, mark: str | None) -> str | None:
            if mark is not None and mark in "\r\n\0 ":
                raise ValueError("one character other than a space or a line end")
            return mark

        @field_validator("columns")
        @classmethod
        def _check_unique(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
            if columns is not None and len(set(columns)) < len(columns):
                raise ValueError("different names")
            return columns

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files.

        Raises:
            InvalidInput: If a file is missing, or does not begin with text.
        """
        inputs = local_files(options.path, (".csv", ".tsv"), "a CSV file")
        for external in inputs:
            assert external.path is not None
            read_head(external.path, str(external.path), "CSV", EXPECTED, options.encoding)
        return inputs

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names and lines."""
        shape = Shape(options.delimiter, options.quote, options.columns, options.encoding)
        for name, path in files.items():
            yield from read_csv(path, name, shape)
