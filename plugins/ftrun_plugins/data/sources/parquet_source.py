"""The source `parquet`: local Parquet files."""

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
    """Rows of local Parquet files. Places count rows.

    They are read in the environment `trainer`, because it has pyarrow.
    """

    name: ClassVar[str] = "parquet"
    environment: ClassVar[str] = "trainer"

    class Options(rows.Options):
        """Path of a file, a folder or a pattern, and the columns to read, by default all."""

        path: Path
        """Parquet file, folder, or glob pattern. A relative path starts at the folder of the file that sets it."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Columns to read. Default: all."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files.

        Raises:
            InvalidInput: If a file is missing, or does not begin and end like Parquet.
        """
        inputs = local_files(options.path, (".parquet",), "a Parquet file")
        for external in inputs:
            assert external.path is not None
            _check_marks(external.path)
        return inputs

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names and rows."""
        for name, path in files.items():
            yield from read_parquet(path, name, options.columns)


def _check_marks(path: Path) -> None:
    """Check the marks at both ends of a Parquet file, to report an incomplete download early."""
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
            Problem("wrong-format", "the file is not a Parquet file", str(path), "a file that begins with PAR1")
        )
    if last != MAGIC or size < 2 * len(MAGIC):
        raise InvalidInput(
            Problem(
                "damaged-file", "the Parquet file is incomplete: its end is missing", str(path), hint="fetch it again"
            )
        )
