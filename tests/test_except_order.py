"""An `except` after one of its base classes never runs, and neither ruff nor mypy reports it."""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("runner", "plugins") for path in (PROJECT / folder).rglob("*.py"))


def known_classes(tree: ast.Module) -> dict[str, Any]:
    """Return the builtins, and the names that are imported from ftrun."""
    known = dict(vars(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ftrun."):
            try:
                module = importlib.import_module(node.module or "")
            except ImportError:  # it needs torch or the like
                continue
            known |= {alias.asname or alias.name: getattr(module, alias.name, None) for alias in node.names}
    return known


def handled(handler: ast.ExceptHandler, known: dict[str, Any]) -> list[type[BaseException]]:
    """Return the classes of one `except`, as far as they are known."""
    if handler.type is None:
        return [BaseException]
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    found = [known.get(ast.unparse(name)) for name in names]
    return [each for each in found if isinstance(each, type) and issubclass(each, BaseException)]


def unreachable(source: str) -> Iterator[int]:
    """Yield the lines of `except` clauses whose classes are all caught before."""
    tree = ast.parse(source)
    known = known_classes(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try | ast.TryStar):
            continue
        before: list[type[BaseException]] = []
        for handler in node.handlers:
            classes = handled(handler, known)
            if classes and all(issubclass(each, tuple(before)) for each in classes):
                yield handler.lineno
            before += classes


def test_every_except_can_run() -> None:
    found = [f"{path}:{line}" for path in SOURCES for line in unreachable(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [("FtrunError", "StageError", [6]), ("StageError", "FtrunError", []), ("OSError", "(ValueError, IOError)", [])],
)
def test_a_base_class_first_is_found(first: str, second: str, lines: list[int]) -> None:
    source = (
        "from ftrun.api.errors import FtrunError, StageError\n"
        f"try:\n    pass\nexcept {first}:\n    pass\nexcept {second}:\n    pass\n"
    )
    assert list(unreachable(source)) == lines
