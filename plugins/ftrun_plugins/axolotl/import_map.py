"""Remembers which of transformers' modules holds which name, which it reads out of thousands of files at each import.

It asks twice, for `transformers` and for `transformers.models`, and reads for a second each time; a preview may not
take that long. An environment never changes once it is made, so the answer is kept in it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from ftrun.utils.atomic_io import read_json, write_json

MODULE = "transformers.utils.import_utils"
KEPT = Path(sys.prefix) / "share" / "ftrun" / "transformers_import_map.json"

# The packages that some modules need -> module -> the names in it.
Structure = Mapping[frozenset[str], Mapping[str, set[str]]]


class Remembering(importlib.abc.MetaPathFinder):
    """Finds `transformers.utils.import_utils`, and gives it the answer that was kept."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.__dict__["define_import_structure"] = remembered(module.__dict__["define_import_structure"])


def remembered(ask: Callable[..., Structure], kept: Path = KEPT) -> Callable[..., Structure]:
    """The function `define_import_structure` of transformers, which keeps its answer for the folder `models`."""

    def answer(module_path: str | Path, prefix: str | None = None) -> Structure:
        path = Path(module_path)
        folder = path.parent if path.name == "__init__.py" else path
        if folder.parts[-2:] != ("transformers", "models"):
            return ask(module_path, prefix)
        known = None
        with suppress(OSError, ValueError):  # another user's, or not whole
            known = read_json(kept)
        if known is None:
            known = [[sorted(needs), _sorted(names)] for needs, names in ask(str(folder)).items()]
            with suppress(OSError):  # a full disk, or an environment of another user
                write_json(kept, known)
        start = f"{prefix}." if prefix else ""
        return {
            frozenset(needs): {f"{start}{module}": set(found) for module, found in names.items()}
            for needs, names in known
        }

    return answer


def _sorted(names: Mapping[str, set[str]]) -> dict[str, list[str]]:
    return {module: sorted(found) for module, found in names.items()}
