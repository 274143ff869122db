"""Files of an installed package. They are found without an import of the package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from functools import cached_property
from pathlib import Path

from ftrun.utils.suggest import nearest

# Folders and modules of tests, which can be as large as the package.
TESTS = frozenset({"conftest", "test", "tests"})


class Package:
    """Files of one installed package.

    Args:
        name: Name to import the package by.
        root: Folder or file of the package, by default the installed one.
    """

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.name = name
        self.root = root or _locate(name)

    @cached_property
    def files(self) -> list[Path]:
        """All Python files of the package, sorted."""
        if self.root.is_file():
            return [self.root]
        return sorted(path for suffix in (".pyi", ".py") for path in self.root.rglob(f"*{suffix}"))

    def relative(self, file: Path) -> str:
        """Return the path of a file inside the package."""
        return file.name if self.root.is_file() else file.relative_to(self.root).as_posix()

    def choose_files(self, *, stubs: bool) -> dict[tuple[str, ...], Path]:
        """Return one file for each module, by the parts of the module's name.

        Args:
            stubs: True to choose a stub instead of its source if the stub has docstrings. Stubs of generated wrappers
                have the public classes with their true signatures, but the sources have only `Public = wrap(_Private)`.
        """
        chosen: dict[tuple[str, ...], Path] = {}
        for file in self.files:  # `x.py` comes before `x.pyi`
            if file.suffix == ".py" or (stubs and b'"""' in file.read_bytes()):
                inner = () if self.root.is_file() else file.relative_to(self.root).with_suffix("").parts
                if TESTS.isdisjoint(inner):
                    chosen[self.name, *(part for part in inner if part != "__init__")] = file
        return chosen


def _locate(name: str) -> Path:
    """Return the folder of a package, or its file if the package is a single module."""
    # Only top-level names, because `find_spec` imports the parents of a dotted name.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec and spec.has_location and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    raise ValueError(f"there is no installed package {name!r} with Python files; {_suggest_package(name)}")


def _suggest_package(name: str) -> str:
    installed = importlib.metadata.packages_distributions()
    # Users may write the name on PyPI instead of the import name, so both lead to the import name.
    names = {alias: top for top, dists in installed.items() for alias in (top, *dists) if not top.startswith("_")}
    close = sorted({names[alias] for alias in nearest(name, names, most=5)})
    return f"nearest installed: {', '.join(close)}" if close else "no installed package has a similar name"
