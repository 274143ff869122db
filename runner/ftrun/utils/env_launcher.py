"""Launcher of ftrun modules in interpreters without ftrun. Run by path; uses only the standard library.

    FTRUN_PACKAGES='{"ftrun": "/folder/with/the/package"}' python -I env_launcher.py MODULE ARGUMENT...

The packages named in the variable become importable, and no other package of the client. They come after the packages
of the environment, so a newer pydantic of the client never shadows that of the trainer. Processes that the module
starts through `multiprocessing` run this file again as their main module, and therefore find the same packages.
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
    """Import finder for top-level packages in given folders; Python then finds their submodules itself."""

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
    """Make packages importable from their folders; replaces the packages of an earlier call."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_carrier(finder)]
    sys.meta_path.append(CarriedPackages(folders))


def _is_carrier(finder: object) -> bool:
    # Compare names: this file runs as `__main__` and may also be imported, so the class may exist twice.
    return type(finder).__name__ == CarriedPackages.__name__


if __name__ in ("__main__", "__mp_main__"):
    carry(json.loads(os.environ[VARIABLE]))
if __name__ == "__main__":
    main()
