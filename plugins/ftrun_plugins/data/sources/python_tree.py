"""Tree of the objects of a package, which griffe builds from its files.

griffe only parses the files. Importing would run code, but a recipe is only data.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from griffe import (
    Alias,
    Class,
    Extension,
    Function,
    GriffeLoader,
    Module,
    ModulesCollection,
    Object,
    load_extensions,
    logger,
    visit,
)

REPLACED = "ftrun_replaced"  # namespace of the `extra` of an object, with members whose names have a new meaning


class _Marks(Extension):
    """Facts that griffe does not keep."""

    def on_alias_instance(self, *, node: Any, alias: Alias, **_: Any) -> None:
        """Mark `import X as X`, which exports X."""
        alias.public = any(name.name == name.asname == alias.name for name in node.names)

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Keep a definition, because `X = wrap(X)` replaces it."""
        if isinstance(obj, Class | Function) and obj.parent:
            obj.parent.extra[REPLACED][obj.name] = obj


def parse(files: Mapping[tuple[str, ...], Path]) -> Module | None:
    """Return the package that the files make up, or None if none of them is valid Python.

    Files are parsed one by one, because the loader of griffe runs git, and fails at stubs that it cannot merge.

    Args:
        files: The files of the modules, by the parts of their names.
    """
    loader = GriffeLoader(extensions=load_extensions(_Marks), allow_inspection=False)
    modules = loader.modules_collection
    with logger.disable(), warnings.catch_warnings(action="ignore"):  # such as warnings about invalid escapes
        for (*parents, name), file in sorted(files.items()):
            owner = _get_owner(modules, parents)
            with suppress(RecursionError, SyntaxError, ValueError):  # not Python, such as a template
                _add_module(owner, name, file, loader)
        package = next(iter(modules.members.values()), None)
        if package is not None:
            loader.expand_exports(package)
            loader.expand_wildcards(package, external=False)
            loader.extensions.call("on_package", pkg=package, loader=loader)  # adds the constructors of dataclasses
    return package


def _get_owner(modules: ModulesCollection, parts: list[str]) -> Module | ModulesCollection:
    """Return the module that contains a file. It is empty if there is no `__init__.py`."""
    owner: Module | ModulesCollection = modules
    for name in parts:
        member = owner.members.get(name)
        if not isinstance(member, Module):
            member = Module(name, filepath=[], modules_collection=modules)
            owner.set_member(name, member)
        owner = member
    return owner


def _add_module(owner: Module | ModulesCollection, name: str, file: Path, loader: GriffeLoader) -> None:
    parent = owner if isinstance(owner, Module) else None
    module = visit(
        name,
        file,
        file.read_text(encoding="utf-8-sig"),
        extensions=loader.extensions,
        parent=parent,
        modules_collection=loader.modules_collection,
    )
    if parent and name in parent.members:  # an object that has the name of a submodule
        parent.extra[REPLACED][name] = parent.members[name]
    owner.set_member(name, module)
