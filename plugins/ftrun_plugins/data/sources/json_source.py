"""The source `json`: local JSON files, each with a list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.json_reader import check_is_array, read_array
from ftrun_plugins.data.sources.local_files import local_files
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding


class JsonArray:
    """Rows of local JSON files, one per object of the list. Places count rows, not lines."""

    name: ClassVar[str] = "json"

    class Options(rows.Options):
        """Path of a file, a folder or a pattern, and the key of the list, if it is not at the top level."""

        path: Path
        """JSON file, folder, or glob pattern. A relative path starts at the folder of the file that sets it."""
        field: str | None = None
        """Key of the list of rows. Default: the whole file is the list."""
        encoding: Encoding = UTF8
        """Encoding of the files: a name in Python, such as `utf-16`, `cp1252` or `gb18030`."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files.

        Raises:
            InvalidInput: If a file is missing, or does not begin like JSON.
        """
        inputs = local_files(options.path, (".json",), "a JSON file")
        for external in inputs:
            assert external.path is not None
            check_is_array(external.path, str(external.path), options.field, options.encoding)
        return inputs

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names and lists."""
        for name, path in files.items():
            yield from read_array(path, name, options.field, options.encoding)
