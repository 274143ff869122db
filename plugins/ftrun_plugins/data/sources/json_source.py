"""The source `json`: JSON files on this machine, each one list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.json_reader import check_is_array, read_array
from ftrun_plugins.data.sources.local_files import local_files


class JsonArray:
    """One row an object of the list; a place counts rows, not lines."""

    name: ClassVar[str] = "json"

    class Options(rows.Options):
        """Where the file is, or a folder, or a pattern; and the key that holds the list, where it is not all."""

        path: Path
        """File, folder, or glob pattern of files. A relative path starts at the folder of the file that sets it."""
        field: str | None = None
        """Key of the list of rows. Default: the whole file is the list."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The files. Raises `InvalidInput` where one is missing or its beginning is something else."""
        found = local_files(options.path, (".json",), "a JSON file")
        for external in found:
            assert external.path is not None
            check_is_array(external.path, str(external.path), options.field)
        return found

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of the files' names and of their lists."""
        for name, path in files.items():
            yield from read_array(path, name, options.field)
