"""Starts a module of ftrun in an interpreter that ftrun is not installed in. Run by path; standard library only.

    python -I bootstrap.py PACKAGES MODULE ARGUMENT...

`PACKAGES` is a JSON object: top-level package -> folder that holds it. Those packages, and nothing else of the client's,
become importable, behind the environment's own packages: a newer pydantic of the client can never shadow the trainer's.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType


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
    packages, module, *arguments = sys.argv[1:]
    sys.meta_path.append(CarriedPackages(json.loads(packages)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
