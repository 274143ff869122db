"""Static analysis of an installed package: parses its modules with `ast` and resolves names without importing it.

Importing would run code, but a recipe is only data. Therefore names are resolved from the files alone.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ftrun.utils.suggest import nearest

Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = Function | ast.ClassDef

# Modules that by convention are not an API for Python code.
NOT_API = frozenset({"cli", "conftest", "internal", "test", "tests"})
REPEATS = (("overload",), ("setter",), ("deleter",))
MAX_HOPS = 16  # re-exports to follow before a name counts as circular


@dataclass(frozen=True)
class Reference:
    """Name that refers to another name: `path`, which is resolved from the module `module`."""

    module: str
    path: tuple[str, ...]
    exported: bool


@dataclass(frozen=True)
class Definition:
    """Class or function, with the module that defines it and its path inside that module."""

    node: Node
    module: Module
    path: tuple[str, ...]

    def member(self, name: str) -> Definition | None:
        """Return the definition of a name in the body of a class, or None."""
        node = scope(self.node.body).get(name) if isinstance(self.node, ast.ClassDef) else None
        return Definition(node, self.module, (*self.path, name)) if isinstance(node, Node) else None


@dataclass(frozen=True, eq=False)
class Module:
    """One parsed file."""

    name: str
    file: Path
    tree: ast.Module

    @cached_property
    def names(self) -> dict[str, Node | Reference]:
        """Objects that the top-level names of the file are bound to."""
        imports_from = self.name if self.file.stem == "__init__" else self.name.rpartition(".")[0]
        return scope(self.tree.body, self.name, imports_from)

    @cached_property
    def exports(self) -> list[str]:
        """Public names, in the order of `__all__` or of the file."""
        all_names = _find_dunder_all(self.tree.body)
        own_names = [name for name, to in self.names.items() if not isinstance(to, Reference) or to.exported]
        return [name for name in (own_names if all_names is None else all_names) if not name.startswith("_")]


class Package:
    """Modules of one installed package, parsed on demand.

    Args:
        name: Name to import the package by.
        root: Folder or file of the package, by default the installed one.
        stubs: True to read a stub instead of its source if the stub has docstrings. Stubs of generated wrappers have
            the public classes with their true signatures, but the sources have only `Public = wrap(_Private)`.
    """

    def __init__(self, name: str, root: Path | None = None, *, stubs: bool = True) -> None:
        self.name = name
        self.root = root or _locate(name)
        self.suffixes = (".pyi", ".py") if stubs else (".py",)
        self._modules: dict[str, Module | None] = {}

    @cached_property
    def files(self) -> list[Path]:
        """All Python files of the package, sorted."""
        if self.root.is_file():
            return [self.root]
        return sorted(path for suffix in self.suffixes for path in self.root.rglob(f"*{suffix}"))

    def relative(self, file: Path) -> str:
        """Return the path of a file inside the package."""
        return file.name if self.root.is_file() else file.relative_to(self.root).as_posix()

    def public_modules(self) -> Iterator[Module]:
        """Yield the package itself, then its submodules by name, without those with private names."""
        for name in sorted({self._module_name(file) for file in self.files}):
            inner = name.split(".")[1:]
            if not any(part.startswith("_") or part in NOT_API for part in inner) and (module := self.module(name)):
                yield module

    def module(self, name: str) -> Module | None:
        """Return the module with a dotted name, or None if it is not part of the package."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def follow(self, reference: Reference, hops: int = MAX_HOPS) -> Definition | Module | None:
        """Return the object that a reference leads to, or None if the files of the package do not define it."""
        result: Definition | Module | None = self.module(reference.module)
        for part in reference.path:
            result = self.member(result, part, hops) if isinstance(result, Module) else None
        return result

    def member(self, module: Module, name: str, hops: int = MAX_HOPS) -> Definition | Module | None:
        """Return the object of a module's attribute: a name that the module binds, or else a submodule."""
        bound = module.names.get(name)
        if isinstance(bound, Reference):
            return self.follow(bound, hops - 1) if hops else None
        return Definition(bound, module, (name,)) if bound else self.module(f"{module.name}.{name}")

    def find(self, module: str, path: tuple[str, ...]) -> Definition | None:
        """Return the definition at a path inside a module. Follows wrappers and re-exports."""
        result = self.follow(Reference(module, path[:1], exported=False))
        for part in path[1:]:
            result = result.member(part) if isinstance(result, Definition) else None
        return result if isinstance(result, Definition) else None

    def _module_name(self, file: Path) -> str:
        inner = () if self.root.is_file() else file.relative_to(self.root).with_suffix("").parts
        return ".".join([self.name, *(part for part in inner if part != "__init__")])

    def _parse(self, name: str) -> Module | None:
        """Parse the stub if it has docstrings, else the source."""
        parsed = [Module(name, file, tree) for file in self._list_candidates(name) if (tree := _parse_file(file))]
        return next((module for module in parsed if _has_docstrings(module.tree)), parsed[-1] if parsed else None)

    def _list_candidates(self, name: str) -> list[Path]:
        if self.root.is_file():
            return [self.root] if name == self.name else []
        top, *inner = name.split(".")
        if top != self.name:
            return []
        stem = self.root.joinpath(*inner)
        paths = [stem / f"__init__{suffix}" for suffix in self.suffixes]
        if inner:
            paths += [stem.with_name(f"{inner[-1]}{suffix}") for suffix in self.suffixes]
        return [path for path in paths if path.is_file()]


def scope(body: Iterable[ast.stmt], module: str = "", imports_from: str = "") -> dict[str, Node | Reference]:
    """Return the names that the statements of a module or class bind, with their objects.

    Args:
        body: The statements.
        module: Name of the module of the statements.
        imports_from: Package that a relative import with one dot refers to.
    """
    names: dict[str, Node | Reference] = {}
    for statement in _flatten(body):
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if not _keeps_earlier(names.get(name), statement):
                    names[name] = statement
            case ast.ImportFrom(names=aliases):
                names |= _resolve_import(statement, aliases, module, imports_from)
            case ast.Import(names=aliases):
                for alias in aliases:
                    target = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or target] = Reference(target, (), exported=False)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if path := _unwrap(name, value):
                    names[name] = Reference(module, path, exported=True)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if call := _find_call(annotation, names):
                    names[name] = call
    return names


def split_dotted(expression: ast.expr) -> tuple[str, ...]:
    """Return the parts of `a.b.c`, or nothing for any other expression."""
    match expression:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=value, attr=attribute):
            parts = split_dotted(value)
            return (*parts, attribute) if parts else ()
    return ()


def _locate(name: str) -> Path:
    """Return the folder of a package, or its file if the package is a single module."""
    # Only top-level names, because `find_spec` imports the parents of a dotted name.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec and spec.has_location and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    raise ValueError(f"there is no installed package {name!r} with Python files; {_suggest_package(name)}")


def _suggest_package(name: str) -> str:
    installed = importlib.metadata.packages_distributions()
    # Users may write the name on PyPI instead of the import name, so both lead to the import name.
    names = {alias: top for top, dists in installed.items() for alias in (top, *dists) if not top.startswith("_")}
    close = sorted({names[alias] for alias in nearest(name, names, most=5)})
    return f"nearest installed: {', '.join(close)}" if close else "no installed package has a similar name"


def _parse_file(file: Path) -> ast.Module | None:
    """Return the parsed file, or None for a file that is not valid Python, such as a template."""
    try:
        with warnings.catch_warnings(action="ignore"):  # such as warnings about invalid escapes
            return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # Python 3.11 raises ValueError for null bytes
        return None


def _has_docstrings(tree: ast.Module) -> bool:
    return any(isinstance(node, Node) and ast.get_docstring(node) for node in ast.walk(tree))


def _flatten(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements, including those inside `if TYPE_CHECKING`, `try` and `with`."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for block in ("body", "orelse", "finalbody"):
                yield from _flatten(getattr(statement, block, []))
        else:
            yield statement


def _keeps_earlier(earlier: Node | Reference | None, later: Node) -> bool:
    """Return True if an earlier definition of a name counts.

    Overloads and setters repeat a name. Of these, the documented or first definition counts.
    """
    repeats = any(split_dotted(decorator)[-1:] in REPEATS for decorator in later.decorator_list)
    return isinstance(earlier, Node) and (repeats or bool(ast.get_docstring(earlier)))


def _resolve_import(
    statement: ast.ImportFrom, aliases: list[ast.alias], module: str, imports_from: str
) -> dict[str, Node | Reference]:
    base = imports_from.split(".")
    base = base[: len(base) - statement.level + 1] if statement.level else []
    source = ".".join([*base, *filter(None, [statement.module])])
    # `__init__` re-exports its imports from inside the package. Other modules re-export with `import X as X`.
    is_internal = module == imports_from and f"{source}.".startswith(f"{module}.")
    return {
        alias.asname or alias.name: Reference(source, (alias.name,), exported=is_internal or alias.asname == alias.name)
        for alias in aliases
    }


def _unwrap(name: str, value: ast.expr) -> tuple[str, ...]:
    """Return the path of `Other` in `Name = Other`, or of `_Name` in `Name = wrap(_Name)`, which makes it public."""
    if isinstance(value, ast.Call) and value.args:
        path = split_dotted(value.args[0])
        return path if path and path[-1] in (name, f"_{name}") else ()
    return split_dotted(value)


def _find_call(annotation: ast.expr, names: dict[str, Node | Reference]) -> Function | None:
    """Return `Spec.__call__` for `name: Spec`, if Spec is a class in the same scope. Stubs type wrappers this way."""
    if isinstance(annotation, ast.Subscript):
        is_class_variable = split_dotted(annotation.value)[-1:] == ("ClassVar",)
        return _find_call(annotation.slice if is_class_variable else annotation.value, names)
    spec = names.get(".".join(split_dotted(annotation)))
    if not isinstance(spec, ast.ClassDef):
        return None
    call = scope(spec.body).get("__call__")
    return call if isinstance(call, Function) else None


def _find_dunder_all(body: Iterable[ast.stmt]) -> list[str] | None:
    result: list[str] | None = None
    for statement in _flatten(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                result = _list_strings(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                result = [*(result or []), *_list_strings(value)]
    return result


def _list_strings(value: ast.expr) -> list[str]:
    return [node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
