"""The source `jsonl`: JSON Lines files on this machine, one object a line."""

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


class JsonLines:
    """One row a line of local files."""

    name: ClassVar[str] = "jsonl"

    class Options(rows.Options):
        """Where the file is, or a folder, or a pattern."""

        path: Path
        """File, folder, or glob pattern of files. A relative path starts at the folder of the file that sets it."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The files. Raises `InvalidInput` where one is missing or its beginning is not JSON Lines."""
        found = local_files(options.path, (".jsonl", ".ndjson"), "a JSON Lines file")
        for external in found:
            assert external.path is not None
            check_is_jsonl(external.path, str(external.path))
        return found

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of their lines."""
        for name, path in files.items():
            yield from read_rows(path, name)
