"""The source `jsonl`: a JSON Lines file on this machine, one object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ftrun import examples
from ftrun.contracts import BadRow, External
from ftrun.examples import Row
from ftrun_plugins.sources.files import refuse_foreign, refuse_missing
from ftrun_plugins.sources.lines import read_rows


class JsonLines:
    """One row a line of a local file."""

    name: ClassVar[str] = "jsonl"

    class Options(examples.Options):
        """Where the file is."""

        path: Path

    def externals(self, options: Options) -> Sequence[External]:
        """The file. Raises `Refused` where it is missing or its beginning is not JSON Lines."""
        refuse_missing(options.path)
        refuse_foreign(options.path, str(options.path))
        return [External(name=options.path.name, path=options.path)]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of their lines."""
        for name, path in files.items():
            yield from read_rows(path, name)
