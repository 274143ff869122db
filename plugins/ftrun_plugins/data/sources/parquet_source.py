"""The source `parquet`: Parquet files on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ftrun.api import rows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.local_files import local_files
from ftrun_plugins.data.sources.parquet_reader import read_parquet

MAGIC = b"PAR1"


class Parquet:
    """One row a row of the table; a place counts rows. Read where pyarrow is: in the trainer's environment."""

    name: ClassVar[str] = "parquet"
    environment: ClassVar[str] = "trainer"

    class Options(rows.Options):
        """Where the file is, or a folder, or a pattern; and the columns that are read, by default all."""

        path: Path
        """File, folder, or glob pattern of files. A relative path starts at the folder of the file that sets it."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Columns to read. Default: all."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The files. Raises `InvalidInput` where one is missing, or does not begin as Parquet does."""
        found = local_files(options.path, (".parquet",), "a Parquet file")
        for external in found:
            assert external.path is not None
            _refuse_foreign(external.path)
        return found

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of the files' names and of their rows."""
        for name, path in files.items():
            yield from read_parquet(path, name, options.columns)


def _refuse_foreign(path: Path) -> None:
    """Both ends of a Parquet file are marked, so that a download that was cut is found out at once."""
    try:
        with path.open("rb") as file:
            first = file.read(len(MAGIC))
            size = file.seek(0, 2)
            file.seek(max(0, size - len(MAGIC)))
            last = file.read()
    except OSError as error:
        raise InvalidInput(
            Problem("file-unreadable", f"the file cannot be read: {error.strerror}", str(path))
        ) from error
    if not first:
        raise InvalidInput(Problem("no-rows", "the file is empty", str(path), "a Parquet file"))
    if first != MAGIC:
        raise InvalidInput(
            Problem("wrong-format", "the file is no Parquet file", str(path), "a file that begins with PAR1")
        )
    if last != MAGIC or size < 2 * len(MAGIC):
        raise InvalidInput(
            Problem("damaged-file", "the Parquet file is cut: its end is missing", str(path), hint="fetch it again")
        )
