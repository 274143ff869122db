"""Digest of the code of a component: the modules that it consists of, without comments, and the data files beside them.

A module counts if the class of the component is in it, or if a module that counts imports it. Modules of installed
distributions outside the package of the component count by the version of the distribution. Not counted are the
standard library and ftrun, whose stages have versions.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ftrun.utils.digests import digest, sha256_of

CORE = "ftrun"
SHIPPED = "ftrun_plugins"  # its dependencies are those of ftrun
INSTALLED = ("site-packages", "dist-packages")  # folders of installed distributions
CODE = (".py", ".pyc", ".pyi")  # files that are no data


def source_digest(cls: type[Any]) -> str:
    """Return the digest of the code of a class."""
    top = cls.__module__.partition(".")[0]
    modules = sorted(_find_modules(cls.__module__, top))
    files = {name: _find_file(name) for name in modules}
    parts = {name: _code_digest(file) for name, file in files.items()}
    parts |= {f"{name}/{file.name}": sha256_of(file) for name, code in files.items() for file in _data_beside(code)}
    return digest(parts | _find_versions(modules, top))


def _find_modules(module: str, top: str) -> set[str]:
    modules: set[str] = set()
    queue = [module]
    while queue:
        name = queue.pop()
        if name not in modules:
            modules.add(name)
            queue.extend(other for other in _list_imports(name) if _counts(other, top))
    return modules


def _counts(module: str, top: str) -> bool:
    """Return whether the code of a module counts: it is of the same package, or of one that is not installed."""
    other = module.partition(".")[0]
    return other == top or (top != SHIPPED and _is_foreign(other) and not _is_installed(other))


def _find_versions(modules: list[str], top: str) -> dict[str, str]:
    """Return the versions of the distributions outside the package of the component, by the name of their package."""
    if top == SHIPPED:
        return {}
    imported = {other.partition(".")[0] for module in modules for other in _list_imports(module)} - {top}
    return {other: _version_of(other) for other in sorted(imported) if _is_foreign(other) and _is_installed(other)}


def _is_foreign(package: str) -> bool:
    return package not in (CORE, SHIPPED) and package not in sys.stdlib_module_names


@cache
def _is_installed(package: str) -> bool:
    return any(part in INSTALLED for part in _find_file(package).parts)


@cache
def _version_of(package: str) -> str:
    from importlib.metadata import packages_distributions, version  # slow, and rarely needed

    names = sorted(set(packages_distributions().get(package, ())))
    return ", ".join(f"{name} {version(name)}" for name in names)


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


def _data_beside(code: Path) -> list[Path]:
    """Return the files in the folder of a module that are no code, such as word lists and templates."""
    return sorted(
        file for file in code.parent.iterdir() if file.is_file() and file.suffix not in CODE and file.name[0] != "."
    )


@cache
def _code_digest(file: Path) -> str:
    """Return a digest of a module without its comments."""
    text = file.read_text(encoding="utf-8")
    return digest(list(_without_comments(text)) if "#" in text else text.split("\n"))


def _without_comments(text: str) -> Iterator[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = dict(token.start for token in tokens if token.type == tokenize.COMMENT)  # column by line
    for number, line in enumerate(text.split("\n"), 1):
        kept = line[: comments[number]].rstrip() if number in comments else line
        if kept or number not in comments:
            yield kept
