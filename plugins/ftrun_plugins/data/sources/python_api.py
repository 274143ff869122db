"""Public names of an installed package that have a docstring, in the form that users write."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ftrun_plugins.data.sources import python_signature as signature
from ftrun_plugins.data.sources.python_package import (
    Definition,
    Function,
    Module,
    Package,
    Reference,
    scope,
    split_dotted,
)

Kind = Literal["function", "class", "method", "property", "module"]

# Marks that exclude a docstring from the documentation of a package, for Modal's generator and for Sphinx.
HIDDEN = ("mdmd:hidden", ":meta private:")
# A notice at the start of a line. Elsewhere, such as for an argument, the word "deprecated" does not count.
DEPRECATED = re.compile(r"^(?:\.\. |[*_`]*)(?:deprecated\b|note: .*\b(?:is|has been) deprecated)", re.I | re.M)
# Other marks for a generator, and the text that stubs have for an `__init__` without a docstring.
NO_DOCSTRING = re.compile(r"^(?:mdmd:\S+|Initialize self\. .*)\s*")
# Stubs copy the docstrings of builtins such as `dict` to classes without a docstring.
BUILTIN_DOCSTRINGS = frozenset(inspect.cleandoc(kind.__doc__) for kind in vars(builtins).values() if kind.__doc__)


@dataclass(frozen=True)
class Documented:
    """Public name with its signature and its docstring."""

    name: str
    kind: Kind
    signature: str
    doc: str
    file: str
    line: int


def list_documented(package: str, minimum: int = 60, root: Path | None = None) -> Iterator[Documented]:
    """Yield each public name of the package with a docstring of at least `minimum` characters, once, in a fixed order.

    Args:
        package: Name to import the package by.
        minimum: Minimum number of characters of a docstring.
        root: Folder or file of the package, by default the installed one.

    Raises:
        ValueError: If the package is not installed, or if no public name has such a docstring.
    """
    is_empty = True
    for item in _Reader(package, root).iterate():
        if len(item.doc) >= minimum:
            is_empty = False
            yield item
    if is_empty:
        raise ValueError(f"no public name of the package {package!r} has a docstring of {minimum} characters or more")


class _Reader:
    """One walk over a package. An object with several public names is yielded only under the first."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.package = Package(name, root)
        self.sources = Package(name, root, stubs=False)
        self.yielded: set[ast.AST] = set()
        self.visited: set[ast.AST] = set()
        top = self.package.module(name)
        exports = [self.package.member(top, export) for export in top.exports] if top else []
        self.top_level = {definition.node for definition in exports if isinstance(definition, Definition)}

    def iterate(self) -> Iterator[Documented]:
        for module in self.package.public_modules():
            if _is_hidden(module.tree):
                continue
            file = self.package.relative(module.file)
            yield Documented(module.name, "module", f"import {module.name}", _get_docstring(module.tree), file, 1)
            for name in module.exports:
                if isinstance(definition := self.package.member(module, name), Definition):
                    yield from self._visit_definition(f"{module.name}.{name}", definition)

    def _visit_definition(self, name: str, definition: Definition) -> Iterator[Documented]:
        if definition.node in self.yielded or self._is_hidden(definition):
            return
        self.yielded.add(definition.node)
        if isinstance(definition.node, ast.ClassDef):
            yield self._document(
                name,
                "class",
                signature.render_class(name, definition.node, _find_constructor(definition.node)),
                definition,
            )
            yield from self._visit_members(name, definition)
        else:
            is_method = definition.node.name == "__call__"
            yield self._document(
                name, "function", signature.render_function(name, definition.node, is_method=is_method), definition
            )

    def _visit_members(self, name: str, owner: Definition) -> Iterator[Documented]:
        if owner.node in self.visited:
            return
        self.visited.add(owner.node)
        for member in scope(owner.node.body):
            definition = owner.member(member)
            if member.startswith("_") or definition is None or self._is_hidden(definition):
                continue
            if signature.is_overload(definition.node):
                definition = self._find_original(definition)
            public = f"{name}.{member}"
            if isinstance(definition.node, ast.ClassDef):
                yield from self._visit_definition(public, definition)
            elif signature.is_property(definition.node):
                yield self._document(public, "property", signature.render_property(public, definition.node), definition)
                yield from self._visit_returned(public, definition.node, definition.module)
            else:
                yield self._document(
                    public, "method", signature.render_function(public, definition.node, is_method=True), definition
                )

    def _visit_returned(self, name: str, function: Function, module: Module) -> Iterator[Documented]:
        """Yield the members of the class that a property returns, such as `modal.Dict.objects.create`.

        A class that has a top-level name is yielded under that name instead.
        """
        path = split_dotted(function.returns) if function.returns else ()
        definition = self.package.follow(Reference(module.name, path, exported=False)) if path else None
        if not isinstance(definition, Definition) or definition.node in self.top_level or self._is_hidden(definition):
            return
        if isinstance(definition.node, ast.ClassDef):
            yield from self._visit_members(name, definition)

    def _document(self, name: str, kind: Kind, line: str, definition: Definition) -> Documented:
        """Return the name with its docstring from the source. Generated stubs may lose docstrings or backslashes."""
        original = self._find_original(definition)
        documented = original if _get_full_docstring(original.node) else definition
        file = self.package.relative(documented.module.file)
        return Documented(name, kind, line, _get_full_docstring(documented.node), file, documented.node.lineno)

    def _find_original(self, definition: Definition) -> Definition:
        is_stub = definition.module.file.suffix == ".pyi"
        return (is_stub and self.sources.find(definition.module.name, definition.path)) or definition

    def _is_hidden(self, definition: Definition) -> bool:
        return _is_hidden(definition.node) or _is_hidden(self._find_original(definition).node)


def _get_docstring(node: ast.Module | ast.ClassDef | Function) -> str:
    doc = NO_DOCSTRING.sub("", inspect.cleandoc(ast.get_docstring(node, clean=False) or ""))
    return "" if doc in BUILTIN_DOCSTRINGS else doc


def _get_full_docstring(node: ast.ClassDef | Function) -> str:
    """Return the docstring. For a class, the docstring of its constructor follows."""
    constructor = _find_constructor(node) if isinstance(node, ast.ClassDef) else None
    docs = [_get_docstring(part) for part in (node, constructor) if part]
    return "\n\n".join(filter(None, docs))


def _is_hidden(node: ast.Module | ast.ClassDef | Function) -> bool:
    """Return True if the authors hide the object from the documentation or deprecate it."""
    doc = ast.get_docstring(node) or ""
    deprecated = not isinstance(node, ast.Module) and signature.is_deprecated(node)
    return deprecated or bool(DEPRECATED.search(doc)) or any(mark in doc for mark in HIDDEN)


def _find_constructor(node: ast.ClassDef) -> Function | None:
    definition = scope(node.body).get("__init__")
    return definition if isinstance(definition, Function) and not _is_hidden(definition) else None
