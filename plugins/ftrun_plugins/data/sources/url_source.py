"""The source `url`: a file at a web address, identified by its digest, in the format of its suffix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import Field

from ftrun.api import rows
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.readers import read_file
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding


class Url:
    """Rows of a file at a web address, which the stage `fetch` downloads and checks."""

    name: ClassVar[str] = "url"

    class Options(rows.Options):
        """Address, digest of the content, and name of the file in messages."""

        url: str = Field(pattern=r"^https?://[^/\s]+/?\S*$")
        """URL of the file."""
        sha256: str = Field(pattern="^[0-9a-f]{64}$")
        """SHA-256 digest of the file. A download with another digest is an error."""
        file_name: str | None = Field(default=None, min_length=1)
        """Name of the file in messages. Its suffix decides the format. Default: the last part of the URL."""
        encoding: Encoding = UTF8
        """Encoding of the file, unless it is Parquet: a name in Python, such as `utf-16` or `cp1252`."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the file. Its default name is the last part of the address."""
        last = unquote(urlsplit(options.url).path.rpartition("/")[2])
        return [InputFile(name=options.file_name or last or "download", url=options.url, sha256=options.sha256)]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of the file."""
        for name, path in files.items():
            yield from read_file(path, name, encoding=options.encoding)
