"""Objects in the tree of a package: what names lead to, and what the authors say about them."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress

from griffe import (
    Alias,
    AliasResolutionError,
    Attribute,
    Class,
    CyclicAliasError,
    Docstring,
    ExprAttribute,
    ExprCall,
    ExprName,
    ExprSubscript,
    Function,
    Module,
    Object,
    Parameters,
)

from ftrun_plugins.data.sources.python_tree import REPLACED

MAX_HOPS = 16  # assignments to follow before a name counts as circular
# Marks that exclude a docstring from the documentation of a package, for Modal's generator and for Sphinx.
HIDDEN = ("mdmd:hidden", ":meta private:")
# A notice at the start of a line. Elsewhere, such as for an argument, the word "deprecated" does not count.
DEPRECATED = re.compile(r"^(?:\.\. |[*_`]*)(?:deprecated\b|note: .*\b(?:is|has been) deprecated)", re.I | re.M)
# Other marks for a generator, and the text that stubs have for an `__init__` without a docstring.
NO_DOCSTRING = re.compile(r"^(?:mdmd:\S+|Initialize self\. .*)\s*")
# Stubs copy the docstrings of builtins such as `dict` to classes without a docstring.
BUILTIN_DOCSTRINGS = frozenset(inspect.cleandoc(kind.__doc__) for kind in vars(builtins).values() if kind.__doc__)


def list_exports(module: Module) -> Iterator[tuple[str, Object]]:
    """Yield the public objects, in the order of `__all__` or of the file."""
    names = [name for name, item in module.members.items() if _is_export(module, item)]
    for name in names if module.exports is None else map(str, module.exports):
        found = module.members.get(name)
        item = resolve(module.extra[REPLACED].get(name) if isinstance(found, Module) else found)
        if item and not name.startswith("_"):
            yield name, item


def list_members(owner: Class) -> list[tuple[str, Object | Alias]]:
    """Return the members of a class. In a stub, the first overload stands for the method."""
    overloads = {name: items[0] for name, items in owner.overloads.items() if items}
    return list((overloads | owner.members).items())


def resolve(item: Object | Alias | None) -> Object | None:
    """Return the object that a name leads to, or None if the files of the package do not define it."""
    with suppress(AliasResolutionError, CyclicAliasError, KeyError):
        for _ in range(MAX_HOPS):
            item = item.final_target if isinstance(item, Alias) else item
            if not isinstance(item, Attribute) or "property" in item.labels:
                return item
            assert item.parent is not None
            if found := _find_call(item, item.parent) or item.parent.extra[REPLACED].get(item.name):
                return found
            item = item.modules_collection.get_member(_unwrap(item))
    return None


def find(package: Module, path: str) -> Object | None:
    """Return the object with a dotted path, or None. Follows wrappers and re-exports on the way."""
    top, *names = path.split(".")
    found: Object | None = package if package.name == top else None
    for name in names:
        found = resolve(found.members.get(name)) if found else None
    return found


def find_constructor(item: Object) -> Function | None:
    """Return the constructor of a class, or None if there is none or if it is hidden."""
    constructor = dict(list_members(item)).get("__init__") if isinstance(item, Class) else None
    return constructor if isinstance(constructor, Function) and not is_hidden(constructor) else None


def list_docstrings(item: Object) -> list[Docstring]:
    """Return the docstring, or that of an overload. For a class, the docstring of its constructor follows."""
    overloads = item.overloads or () if isinstance(item, Function) else ()
    own = next((part.docstring for part in (item, *overloads) if part.docstring and clean(part.docstring)), None)
    constructor = find_constructor(item)
    return [*([own] if own else []), *(list_docstrings(constructor) if constructor else [])]


def clean(docstring: Docstring) -> str:
    """Return the text of a docstring without marks for generators."""
    text = NO_DOCSTRING.sub("", docstring.value)
    return "" if text in BUILTIN_DOCSTRINGS else text


def list_decorators(item: Object) -> set[str]:
    """Return the last part of the name of each decorator."""
    decorators = item.decorators if isinstance(item, Class | Function) else ()
    return {decorator.callable_path.rpartition(".")[2] for decorator in decorators}


def is_property(item: Object) -> bool:
    """Return True if the object is an attribute, by `property` or a similar decorator such as `classproperty`."""
    return isinstance(item, Attribute) or any(name.endswith("property") for name in list_decorators(item))


def is_hidden(item: Object) -> bool:
    """Return True if the authors hide the object from the documentation or deprecate it."""
    doc = item.docstring.value if item.docstring else ""
    is_deprecated = "deprecated" in list_decorators(item)
    return is_deprecated or bool(DEPRECATED.search(doc)) or any(mark in doc for mark in HIDDEN)


def _is_export(module: Module, item: Object | Alias) -> bool:
    """Return True if the module defines the item or re-exports it. `__init__` re-exports what the package defines."""
    if not isinstance(item, Alias):
        return True
    return bool(item.public) or (module.is_init_module and item.target_path.startswith(f"{module.path}."))


def _unwrap(item: Attribute) -> str:
    """Return the path of `Other` in `Name = Other`, or of `_Name` in `Name = wrap(_Name)`, which makes it public.

    Raises:
        KeyError: If the value is another expression.
    """
    value = item.value
    if isinstance(value, ExprName | ExprAttribute):
        return value.canonical_path
    argument = value.arguments[0] if isinstance(value, ExprCall) and value.arguments else None
    if isinstance(argument, ExprName | ExprAttribute) and argument.canonical_name == f"_{item.name}":
        return argument.canonical_path
    raise KeyError(item.name)


def _find_call(item: Attribute, scope: Module | Class) -> Function | None:
    """Return `Spec.__call__` for `name: Spec`, if Spec is a class in the same scope. Stubs type wrappers this way.

    The function takes the place of the attribute in the scope.
    """
    annotation = item.annotation.left if isinstance(item.annotation, ExprSubscript) else item.annotation
    spec = scope.members.get(annotation.name) if isinstance(annotation, ExprName) else None
    call = dict(list_members(spec)).get("__call__") if isinstance(spec, Class) else None
    if not isinstance(call, Function):
        return None
    call.name = item.name
    call.parameters = Parameters(*list(call.parameters)[1:])
    call.labels.add("staticmethod")
    scope.set_member(item.name, call)
    return call
