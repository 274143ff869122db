"""The source `text`: local files of plain text, as rows with the column `text`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.file_signature import read_head
from ftrun_plugins.data.sources.local_files import local_files
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding
from ftrun_plugins.data.sources.text_reader import read_text

By: TypeAlias = Literal["line", "paragraph", "file"]


class TextFiles:
    """Rows of local text files: `{"text": "…"}` for each line, paragraph or file."""

    name: ClassVar[str] = "text"

    class Options(rows.Options):
        """Path of a file, a folder or a pattern, and the unit that becomes a row."""

        path: Path
        """Text file, folder, or glob pattern. A relative path starts at the folder of the file that sets it."""
        by: By = "line"
        """Unit that becomes a row: a `line`, a `paragraph` (lines between blank lines), or a whole `file`."""
        encoding: Encoding = UTF8
        """Encoding of the files: a name in Python, such as `utf-16`, `cp1252` or `gb18030`."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files.

        Raises:
            InvalidInput: If a file is missing, or does not begin with text.
        """
        inputs = local_files(options.path, (".txt", ".text", ".md"), "a text file")
        for external in inputs:
            assert external.path is not None
            read_head(external.path, str(external.path), "text", "text", options.encoding)
        return inputs

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names and lines."""
        for name, path in files.items():
            yield from read_text(path, name, options.by, options.encoding)
