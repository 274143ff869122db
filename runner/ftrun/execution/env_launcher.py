"""Starts a module of ftrun in an interpreter that ftrun is not installed in. Run by path; standard library only.

    FTRUN_PACKAGES='{"ftrun": "/folder/that/holds/it"}' python -I bootstrap.py MODULE ARGUMENT...

The packages named in the variable, and nothing else of the client's, become importable, behind the environment's own
packages: a newer pydantic of the client can never shadow the trainer's. Processes that the module spawns by
`multiprocessing` run this file again as their main module, and so find the same packages.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType

VARIABLE = "FTRUN_PACKAGES"


class CarriedPackages(importlib.abc.MetaPathFinder):
    """Finds the named top-level packages in their folders; everything below them is then found as usual."""

    def __init__(self, folders: dict[str, str]) -> None:
        self._folders = folders

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        folder = self._folders.get(fullname)
        return importlib.machinery.PathFinder.find_spec(fullname, [folder]) if folder and path is None else None


def main() -> None:
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()


def carry(folders: dict[str, str]) -> None:
    """Make packages importable, in place of those that were carried before."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _carries(finder)]
    sys.meta_path.append(CarriedPackages(folders))


def _carries(finder: object) -> bool:
    return type(finder).__name__ == CarriedPackages.__name__  # this file is `__main__` and may be imported as well


if __name__ in ("__main__", "__mp_main__"):
    carry(json.loads(os.environ[VARIABLE]))
if __name__ == "__main__":
    main()
