"""Public names of an installed package that have a docstring, in the form that users write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from griffe import Attribute, Class, ExprAttribute, ExprName, Function, Module, Object

from ftrun_plugins.data.sources import python_objects as objects
from ftrun_plugins.data.sources import python_signature as signature
from ftrun_plugins.data.sources.python_package import Package
from ftrun_plugins.data.sources.python_tree import parse

Kind = Literal["function", "class", "method", "property", "module"]

# Modules that by convention are not an API for Python code, besides tests.
NOT_API = frozenset({"cli", "internal"})


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
    for item in _Reader(Package(package, root)).iterate():
        if len(item.doc) >= minimum:
            is_empty = False
            yield item
    if is_empty:
        raise ValueError(f"no public name of the package {package!r} has a docstring of {minimum} characters or more")


class _Reader:
    """One walk over a package. An object with several public names is yielded only under the first."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.top = parse(package.choose_files(stubs=True))
        self.top_level = {item.path for _, item in objects.list_exports(self.top)} if self.top else set()
        self.yielded: set[str] = set()  # paths of objects
        self.visited: set[str] = set()

    def iterate(self) -> Iterator[Documented]:
        modules = _walk_modules(self.top) if self.top else ()
        for module in sorted(modules, key=lambda module: module.path):
            if objects.is_hidden(module):
                continue
            yield from self._document(module.path, "module", f"import {module.path}", module)
            for name, item in objects.list_exports(module):
                if isinstance(item, Class | Function):
                    yield from self._visit(f"{module.path}.{name}", item)

    def _visit(self, name: str, item: Class | Function) -> Iterator[Documented]:
        if item.path in self.yielded or self._is_hidden(item):
            return
        self.yielded.add(item.path)
        if isinstance(item, Class):
            line = signature.render_class(name, objects.find_constructor(item))
            yield from self._document(name, "class", line, item)
            yield from self._visit_members(name, item)
        else:
            yield from self._document(name, "function", signature.render_function(name, item, is_bound=False), item)

    def _visit_members(self, name: str, owner: Class) -> Iterator[Documented]:
        if owner.path in self.visited:
            return
        self.visited.add(owner.path)
        for member, found in objects.list_members(owner):
            item = objects.resolve(found)
            if member.startswith("_") or item is None or item.parent is not owner or self._is_hidden(item):
                continue
            if "overload" in objects.list_decorators(item):
                item = self._find_original(item)
            public = f"{name}.{member}"
            if isinstance(item, Class):
                yield from self._visit(public, item)
            elif isinstance(item, Attribute | Function) and objects.is_property(item):
                line = signature.render_property(public, item.annotation)
                yield from self._document(public, "property", line, item)
                yield from self._visit_returned(public, item)
            elif isinstance(item, Function):
                line = signature.render_function(public, item, is_bound="staticmethod" not in item.labels)
                yield from self._document(public, "method", line, item)

    def _visit_returned(self, name: str, item: Attribute | Function) -> Iterator[Documented]:
        """Yield the members of the class that a property returns, such as `modal.Dict.objects.create`.

        A class that has a top-level name is yielded under that name instead.
        """
        if isinstance(item.annotation, ExprName | ExprAttribute):
            returned = self.top and objects.find(self.top, item.annotation.canonical_path)
            if isinstance(returned, Class) and returned.path not in self.top_level and not self._is_hidden(returned):
                yield from self._visit_members(name, returned)

    def _document(self, name: str, kind: Kind, line: str, item: Object) -> Iterator[Documented]:
        """Yield the name with its docstring from the source. Generated stubs may lose docstrings or backslashes."""
        for documented in (self._find_original(item), item):
            if docstrings := objects.list_docstrings(documented):
                doc = "\n\n".join(map(objects.clean, docstrings))
                file = documented.module.filepath
                assert isinstance(file, Path)
                yield Documented(name, kind, line, doc, self.package.relative(file), docstrings[0].lineno or 1)
                return

    @cached_property
    def source(self) -> Module | None:
        return parse(self.package.choose_files(stubs=False))

    def _find_original(self, item: Object) -> Object:
        """Return the object in the source for an object in a stub."""
        is_stub = str(item.module.filepath).endswith(".pyi")
        return (is_stub and self.source and objects.find(self.source, item.path)) or item

    def _is_hidden(self, item: Object) -> bool:
        return objects.is_hidden(item) or objects.is_hidden(self._find_original(item))


def _walk_modules(module: Module) -> Iterator[Module]:
    """Yield the module, and its submodules with public names."""
    yield module
    for name, item in module.members.items():
        if isinstance(item, Module) and not name.startswith("_") and name not in NOT_API:
            yield from _walk_modules(item)
