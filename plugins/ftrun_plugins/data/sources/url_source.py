"""The source `url`: a file behind a web address, known by its digest: JSON Lines, or what its name says."""

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


class Url:
    """One row a line of a file that the stage `fetch` downloads and checks."""

    name: ClassVar[str] = "url"

    class Options(rows.Options):
        """The address, the digest of what it must deliver, and how messages call it."""

        url: str = Field(pattern=r"^https?://[^/\s]+/?\S*$")
        """URL of the file."""
        sha256: str = Field(pattern="^[0-9a-f]{64}$")
        """SHA-256 digest of the file. A download with another digest is an error."""
        file_name: str | None = Field(default=None, min_length=1)
        """Name of the file in messages. Its suffix decides the format. Default: the last part of the URL."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The file, by default under the last name in its address."""
        last = unquote(urlsplit(options.url).path.rpartition("/")[2])
        return [InputFile(name=options.file_name or last or "download", url=options.url, sha256=options.sha256)]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of their lines."""
        for name, path in files.items():
            yield from read_file(path, name)
