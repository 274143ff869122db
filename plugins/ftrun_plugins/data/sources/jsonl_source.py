"""The source `jsonl`: local JSON Lines files, one object per line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.file_signature import check_is_jsonl
from ftrun_plugins.data.sources.jsonl_reader import read_rows
from ftrun_plugins.data.sources.local_files import local_files
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding


class JsonLines:
    """Rows of local JSON Lines files, one per line."""

    name: ClassVar[str] = "jsonl"

    class Options(rows.Options):
        """Path of a file, a folder or a pattern, and the encoding of the files."""

        path: Path
        """JSON Lines file, folder, or glob pattern. A relative path starts at the folder of the file that sets it."""
        encoding: Encoding = UTF8
        """Encoding of the files: a name in Python, such as `utf-16`, `cp1252` or `gb18030`."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files.

        Raises:
            InvalidInput: If a file is missing, or does not begin like JSON Lines.
        """
        inputs = local_files(options.path, (".jsonl", ".ndjson"), "a JSON Lines file")
        for external in inputs:
            assert external.path is not None
            check_is_jsonl(external.path, str(external.path), options.encoding)
        return inputs

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names and lines."""
        for name, path in files.items():
            yield from read_rows(path, name, options.encoding)
