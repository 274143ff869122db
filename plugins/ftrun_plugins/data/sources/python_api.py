"""The public names of an installed package that carry a docstring, each under the name that a user writes."""

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
from ftrun_plugins.data.sources.python_package import Definition, Function, Module, Package, Reference, dotted, scope

Kind = Literal["function", "class", "method", "property", "module"]

# How packages keep a docstring out of their own documentation: Modal's generator, and Sphinx.
HIDDEN = ("mdmd:hidden", ":meta private:")
# A notice at the start of a line, so that an argument's description may say "deprecated".
DEPRECATED = re.compile(r"^(?:\.\. |[*_`]*)(?:deprecated\b|note: .*\b(?:is|has been) deprecated)", re.I | re.M)
# Other remarks to a generator, and what stubs say of an `__init__` without a docstring.
NO_DOCSTRING = re.compile(r"^(?:mdmd:\S+|Initialize self\. .*)\s*")
# Stubs repeat what `dict` and its like say of themselves where a class of theirs says nothing.
OF_BUILTINS = frozenset(inspect.cleandoc(kind.__doc__) for kind in vars(builtins).values() if kind.__doc__)


@dataclass(frozen=True)
class Documented:
    """A public name and what its package says about it."""

    name: str
    kind: Kind
    signature: str
    doc: str
    file: str
    line: int


def documented(package: str, minimum: int = 60, root: Path | None = None) -> Iterator[Documented]:
    """Each public name of the package with a docstring of at least `minimum` characters, once, in a fixed order.

    `root` is the package's folder or file where it is not the one that is installed here.

    Raises:
        ValueError: The package is not installed, or nothing public in it has such a docstring.
    """
    found = False
    for item in _Reader(package, root).everything():
        if len(item.doc) >= minimum:
            found = True
            yield item
    if not found:
        raise ValueError(f"no public name of the package {package!r} has a docstring of {minimum} characters or more")


class _Reader:
    """One walk over a package. Something public by several names is told by the first."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.package = Package(name, root)
        self.sources = Package(name, root, stubs=False)
        self.told: set[ast.AST] = set()
        self.entered: set[ast.AST] = set()
        top = self.package.module(name)
        exports = [self.package.member(top, export) for export in top.exports] if top else []
        self.top_level = {found.node for found in exports if isinstance(found, Definition)}

    def everything(self) -> Iterator[Documented]:
        for module in self.package.public_modules():
            if _is_hidden(module.tree):
                continue
            file = self.package.relative(module.file)
            yield Documented(module.name, "module", f"import {module.name}", _docstring(module.tree), file, 1)
            for name in module.exports:
                if isinstance(found := self.package.member(module, name), Definition):
                    yield from self._definition(f"{module.name}.{name}", found)

    def _definition(self, name: str, found: Definition) -> Iterator[Documented]:
        if found.node in self.told or self._is_hidden(found):
            return
        self.told.add(found.node)
        if isinstance(found.node, ast.ClassDef):
            yield self._item(name, "class", signature.of_class(name, found.node, _constructor(found.node)), found)
            yield from self._members(name, found)
        else:
            is_method = found.node.name == "__call__"
            yield self._item(name, "function", signature.of_function(name, found.node, is_method=is_method), found)

    def _members(self, name: str, owner: Definition) -> Iterator[Documented]:
        if owner.node in self.entered:
            return
        self.entered.add(owner.node)
        for member in scope(owner.node.body):
            found = owner.member(member)
            if member.startswith("_") or found is None or self._is_hidden(found):
                continue
            if signature.is_overload(found.node):
                found = self._original(found)
            public = f"{name}.{member}"
            if isinstance(found.node, ast.ClassDef):
                yield from self._definition(public, found)
            elif signature.is_property(found.node):
                yield self._item(public, "property", signature.of_property(public, found.node), found)
                yield from self._behind(public, found.node, found.module)
            else:
                yield self._item(public, "method", signature.of_function(public, found.node, is_method=True), found)

    def _behind(self, name: str, function: Function, module: Module) -> Iterator[Documented]:
        """The members of what a property returns, as in `modal.Dict.objects.create`.

        A class with a name of its own at the top level is told there instead.
        """
        path = dotted(function.returns) if function.returns else ()
        found = self.package.follow(Reference(module.name, path, exported=False)) if path else None
        if not isinstance(found, Definition) or found.node in self.top_level or self._is_hidden(found):
            return
        if isinstance(found.node, ast.ClassDef):
            yield from self._members(name, found)

    def _item(self, name: str, kind: Kind, line: str, found: Definition) -> Documented:
        """The name with its docstring as it was written: a generated stub may have lost it, or its backslashes."""
        original = self._original(found)
        told = original if _full_docstring(original.node) else found
        file = self.package.relative(told.module.file)
        return Documented(name, kind, line, _full_docstring(told.node), file, told.node.lineno)

    def _original(self, found: Definition) -> Definition:
        is_stub = found.module.file.suffix == ".pyi"
        return (is_stub and self.sources.find(found.module.name, found.path)) or found

    def _is_hidden(self, found: Definition) -> bool:
        return _is_hidden(found.node) or _is_hidden(self._original(found).node)


def _docstring(node: ast.Module | ast.ClassDef | Function) -> str:
    doc = NO_DOCSTRING.sub("", inspect.cleandoc(ast.get_docstring(node, clean=False) or ""))
    return "" if doc in OF_BUILTINS else doc


def _full_docstring(node: ast.ClassDef | Function) -> str:
    """The docstring; a class's goes on with its constructor's."""
    constructor = _constructor(node) if isinstance(node, ast.ClassDef) else None
    docs = [_docstring(part) for part in (node, constructor) if part]
    return "\n\n".join(filter(None, docs))


def _is_hidden(node: ast.Module | ast.ClassDef | Function) -> bool:
    """Whether its authors would rather not have it used."""
    doc = ast.get_docstring(node) or ""
    deprecated = not isinstance(node, ast.Module) and signature.is_deprecated(node)
    return deprecated or bool(DEPRECATED.search(doc)) or any(mark in doc for mark in HIDDEN)


def _constructor(node: ast.ClassDef) -> Function | None:
    found = scope(node.body).get("__init__")
    return found if isinstance(found, Function) and not _is_hidden(found) else None
