"""Digests of values, files, folders and source code: the raw material of keys."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


def digest(value: Any) -> str:
    """A digest of a JSON value that does not depend on the order of keys. Raises `TypeError` for anything else."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class FileDigests:
    """SHA-256 of files, remembered by path, size, time and inode, so that a plan need not read gigabytes again."""

    def __init__(self, memory: Path | None = None) -> None:
        from platformdirs import user_cache_path  # only on the client; stages in other environments import this module

        self._memory = memory or user_cache_path("ftrun") / "digests.json"
        self._known: dict[str, str] = _read_json(self._memory)
        self._changed = False

    def file(self, path: Path) -> str:
        stat = path.stat()
        name = f"{path.absolute()}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ino}"
        if name not in self._known:
            self._known[name] = sha256_of(path)
            self._changed = True
        return self._known[name]

    def folder(self, path: Path) -> str:
        """Of the names and contents of all files in a folder."""
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return digest({file.relative_to(path).as_posix(): self.file(file) for file in files})

    def save(self) -> None:
        """Keeps what was learnt for the next plan; a cache that cannot be written is done without."""
        if not self._changed:
            return
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            aside = self._memory.with_suffix(f".{os.getpid()}")
            aside.write_text(json.dumps(dict(list(self._known.items())[-5000:])))
            aside.replace(self._memory)
        except OSError:
            return


def _read_json(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_digest(cls: type[Any]) -> str:
    """A digest of the module of a class and of the modules that it imports from its own top-level package.

    Imports of `ftrun` itself are left out: the meaning of the core is in the stages' versions.
    """
    top = cls.__module__.partition(".")[0]
    modules = sorted(_closure(cls.__module__, top))
    return digest({name: sha256_of(_file_of(name)) for name in modules})


def _closure(module: str, top: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(other for other in _imports(name) if other.partition(".")[0] == top)
    return found


@cache
def _imports(module: str) -> frozenset[str]:
    tree = ast.parse(_file_of(module).read_bytes())
    return frozenset(name for node in ast.walk(tree) for name in _imported_by(node, module))


def _imported_by(node: ast.AST, module: str) -> Iterator[str]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = (
            importlib.util.resolve_name("." * node.level + (node.module or ""), _package(module))
            if node.level
            else node.module or ""
        )
        names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
    yield from (name for name in names if name and _is_module(name))


def _package(module: str) -> str:
    return module if _file_of(module).name == "__init__.py" else module.rpartition(".")[0]


def _is_module(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and bool(spec.origin) and str(spec.origin).endswith(".py")


def _file_of(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)
