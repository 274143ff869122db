"""Digests of values, files, folders and source code, from which keys are computed."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SHA256 = re.compile("[0-9a-f]{64}")


def digest(value: Any) -> str:
    """Return a digest of a JSON value that does not depend on the order of keys.

    Raises:
        TypeError: If the value cannot be represented in JSON.
        ValueError: If it contains NaN or an infinity.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class FileDigests:
    """SHA-256 of files, cached by path, size, time and inode, so that a plan does not read gigabytes again."""

    def __init__(self, cache_file: Path | None = None) -> None:
        from platformdirs import user_cache_path  # only on the client; stages in other environments import this module

        self._cache_file = cache_file or user_cache_path("ftrun") / "digests.json"
        self._known: dict[str, str] = _read_json(self._cache_file)
        self._changed = False

    def file(self, path: Path) -> str:
        """Return the digest of a file's content."""
        stat = path.stat()
        name = f"{path.absolute()}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ino}"
        if name not in self._known:
            self._known[name] = sha256_of(path)
            self._changed = True
        return self._known[name]

    def folder(self, path: Path) -> str:
        """Return a digest of the names and contents of all files in a folder."""
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return digest({file.relative_to(path).as_posix(): self.file(file) for file in files})

    def save(self) -> None:
        """Save the cache for the next plan. A cache that cannot be written is ignored."""
        if not self._changed:
            return
        try:
            self._cache_file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._cache_file.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(dict(list(self._known.items())[-5000:])))
            temporary.replace(self._cache_file)
        except OSError:
            return


def _read_json(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str) and SHA256.fullmatch(value)}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, which is read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_digest(cls: type[Any]) -> str:
    """Return a digest of the module of a class and of the modules that it imports from its top-level package.

    Imports of `ftrun` are left out, because the versions of stages cover changes in the core.
    """
    top = cls.__module__.partition(".")[0]
    modules = sorted(_find_modules(cls.__module__, top))
    return digest({name: sha256_of(_find_file(name)) for name in modules})


def _find_modules(module: str, top: str) -> set[str]:
    modules: set[str] = set()
    queue = [module]
    while queue:
        name = queue.pop()
        if name not in modules:
            modules.add(name)
            queue.extend(other for other in _list_imports(name) if other.partition(".")[0] == top)
    return modules


@cache
def _list_imports(module: str) -> frozenset[str]:
    tree = ast.parse(_find_file(module).read_bytes())
    return frozenset(name for node in ast.walk(tree) for name in _parse_imports(node, module))


def _parse_imports(node: ast.AST, module: str) -> Iterator[str]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = (
            importlib.util.resolve_name("." * node.level + (node.module or ""), _get_package(module))
            if node.level
            else node.module or ""
        )
        names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
    yield from (name for name in names if name and _is_module(name))


def _get_package(module: str) -> str:
    return module if _find_file(module).name == "__init__.py" else module.rpartition(".")[0]


def _is_module(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and bool(spec.origin) and str(spec.origin).endswith(".py")


def _find_file(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)
