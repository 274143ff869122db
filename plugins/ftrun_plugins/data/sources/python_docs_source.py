"""The source `python_docs`: rows about an installed package, with the places of their docstrings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ftrun.api import rows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun_plugins.data.sources.python_docs import PythonDocs
from ftrun_plugins.data.sources.python_package import Package


class PythonDocsSource:
    """Questions and answers about an installed package. All rows from one docstring have the same `group`."""

    name: ClassVar[str] = "python_docs"
    group_column: ClassVar[str] = "group"

    class Options(PythonDocs.Options, rows.Options):
        """Options of `PythonDocs`."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return all files of the package.

        Raises:
            InvalidInput: If the package is not installed.
        """
        try:
            package = Package(options.package)
        except ValueError as error:
            raise InvalidInput(
                Problem("unknown-name", str(error), hint="install it in the environment of ftrun, or correct `package`")
            ) from error
        return [InputFile(name=_qualify(package, package.relative(file)), path=file) for file in package.files]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in a fixed order, from the files of the plan at their current paths."""
        with tempfile.TemporaryDirectory() as folder:
            for name, path in files.items():
                link = Path(folder) / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
            root = Path(folder) / next(iter(files)).partition("/")[0]
            try:
                for values, file, line in PythonDocs().rows(options, root):
                    yield Row(values, file if root.is_file() else f"{root.name}/{file}", line)
            except ValueError as error:
                raise InvalidInput(Problem("no-rows", str(error))) from error


def _qualify(package: Package, file: str) -> str:
    """Return the path of a file relative to `site-packages`."""
    return file if package.root.is_file() else f"{package.root.name}/{file}"
