"""An installed package as text: its modules parsed with `ast` and its names followed, without importing any of it.

Importing runs code, and a recipe is data; so what a name stands for is worked out from the files alone.
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

# Conventional homes of code that nobody calls from Python.
NOT_API = frozenset({"cli", "conftest", "internal", "test", "tests"})
REPEATS = (("overload",), ("setter",), ("deleter",))
MAX_HOPS = 16  # re-exports followed before a name counts as circular


@dataclass(frozen=True)
class Reference:
    """A name bound to something written elsewhere: `path`, looked up from the module called `module`."""

    module: str
    path: tuple[str, ...]
    exported: bool


@dataclass(frozen=True)
class Definition:
    """A class or function, the module whose text defines it, and its path inside that module."""

    node: Node
    module: Module
    path: tuple[str, ...]

    def member(self, name: str) -> Definition | None:
        """What the body of a class defines by that name."""
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
        """What each top-level name of the file is bound to."""
        imports_from = self.name if self.file.stem == "__init__" else self.name.rpartition(".")[0]
        return scope(self.tree.body, self.name, imports_from)

    @cached_property
    def exports(self) -> list[str]:
        """The public names, in the order of `__all__` or of the file."""
        listed = _dunder_all(self.tree.body)
        own = [name for name, to in self.names.items() if not isinstance(to, Reference) or to.exported]
        return [name for name in (own if listed is None else listed) if not name.startswith("_")]


class Package:
    """The modules of one installed package, read when asked for.

    Args:
        name: The name it is imported by.
        root: The folder or file that holds it; by default where it is installed.
        stubs: Whether a stub stands for its source where it carries docstrings. Stubs of generated wrappers have
            the public classes with their true signatures, where the sources only have `Public = wrap(_Private)`.
    """

    def __init__(self, name: str, root: Path | None = None, *, stubs: bool = True) -> None:
        self.name = name
        self.root = root or _locate(name)
        self.suffixes = (".pyi", ".py") if stubs else (".py",)
        self._modules: dict[str, Module | None] = {}

    @cached_property
    def files(self) -> list[Path]:
        """Every file that can be read, sorted."""
        if self.root.is_file():
            return [self.root]
        return sorted(path for suffix in self.suffixes for path in self.root.rglob(f"*{suffix}"))

    def relative(self, file: Path) -> str:
        """The file's path inside the package."""
        return file.name if self.root.is_file() else file.relative_to(self.root).as_posix()

    def public_modules(self) -> Iterator[Module]:
        """The package itself, then its submodules by name, without those that are private by their name."""
        for name in sorted({self._module_name(file) for file in self.files}):
            inner = name.split(".")[1:]
            if not any(part.startswith("_") or part in NOT_API for part in inner) and (module := self.module(name)):
                yield module

    def module(self, name: str) -> Module | None:
        """The module of that dotted name, or None if it is not part of the package."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def follow(self, reference: Reference, hops: int = MAX_HOPS) -> Definition | Module | None:
        """What a reference ends at, or None where the package's text does not say."""
        found: Definition | Module | None = self.module(reference.module)
        for part in reference.path:
            found = self.member(found, part, hops) if isinstance(found, Module) else None
        return found

    def member(self, module: Module, name: str, hops: int = MAX_HOPS) -> Definition | Module | None:
        """What a module's attribute is: something it binds, or else its submodule."""
        bound = module.names.get(name)
        if isinstance(bound, Reference):
            return self.follow(bound, hops - 1) if hops else None
        return Definition(bound, module, (name,)) if bound else self.module(f"{module.name}.{name}")

    def find(self, module: str, path: tuple[str, ...]) -> Definition | None:
        """The definition at a path inside a module, through wrappers and re-exports."""
        found = self.follow(Reference(module, path[:1], exported=False))
        for part in path[1:]:
            found = found.member(part) if isinstance(found, Definition) else None
        return found if isinstance(found, Definition) else None

    def _module_name(self, file: Path) -> str:
        inner = () if self.root.is_file() else file.relative_to(self.root).with_suffix("").parts
        return ".".join([self.name, *(part for part in inner if part != "__init__")])

    def _parse(self, name: str) -> Module | None:
        """Read the stub where it carries docstrings, else the source."""
        parsed = [Module(name, file, tree) for file in self._candidates(name) if (tree := _tree(file))]
        return next((module for module in parsed if _has_docstrings(module.tree)), parsed[-1] if parsed else None)

    def _candidates(self, name: str) -> list[Path]:
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
    """What the statements of a module or class bind names to.

    Args:
        body: The statements.
        module: The module they stand in.
        imports_from: The package that a relative import of one dot means.
    """
    names: dict[str, Node | Reference] = {}
    for statement in _flat(body):
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if not _is_settled(names.get(name), statement):
                    names[name] = statement
            case ast.ImportFrom(names=aliases):
                names |= _imported(statement, aliases, module, imports_from)
            case ast.Import(names=aliases):
                for alias in aliases:
                    target = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or target] = Reference(target, (), exported=False)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if path := _wrapped(name, value):
                    names[name] = Reference(module, path, exported=True)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if call := _call_of(annotation, names):
                    names[name] = call
    return names


def dotted(expression: ast.expr) -> tuple[str, ...]:
    """`a.b.c` as its parts; nothing for any other expression."""
    match expression:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=value, attr=attribute):
            parts = dotted(value)
            return (*parts, attribute) if parts else ()
    return ()


def _locate(name: str) -> Path:
    """The package's folder, or its file if it is a single module."""
    # Only a top-level name is found without importing anything: the parents of a dotted one would be imported.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec and spec.has_location and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    raise ValueError(f"no installed package {name!r} with Python files to read; {_nearest(name)}")


def _nearest(name: str) -> str:
    installed = importlib.metadata.packages_distributions()
    # People write the name on PyPI where the import name is meant, so both lead to the import name.
    names = {written: top for top, dists in installed.items() for written in (top, *dists) if not top.startswith("_")}
    close = sorted({names[written] for written in nearest(name, names, most=5)})
    return f"nearest installed: {', '.join(close)}" if close else "no installed name is near it"


def _tree(file: Path) -> ast.Module | None:
    """The parsed file; nothing for one that Python could not import either, such as a template."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of invalid escapes and the like: no concern of the reader's
            return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # Python 3.11 raises ValueError for null bytes
        return None


def _has_docstrings(tree: ast.Module) -> bool:
    return any(isinstance(node, Node) and ast.get_docstring(node) for node in ast.walk(tree))


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements, with the contents of `if TYPE_CHECKING`, `try` and `with` among them."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for block in ("body", "orelse", "finalbody"):
                yield from _flat(getattr(statement, block, []))
        else:
            yield statement


def _is_settled(before: Node | Reference | None, again: Node) -> bool:
    """Whether an earlier definition stands: overloads and setters repeat a name, the documented or first one counts."""
    repeats = any(dotted(decorator)[-1:] in REPEATS for decorator in again.decorator_list)
    return isinstance(before, Node) and (repeats or bool(ast.get_docstring(before)))


def _imported(
    statement: ast.ImportFrom, aliases: list[ast.alias], module: str, imports_from: str
) -> dict[str, Node | Reference]:
    base = imports_from.split(".")
    base = base[: len(base) - statement.level + 1] if statement.level else []
    source = ".".join([*base, *filter(None, [statement.module])])
    # A package's own file re-exports what it imports from inside itself; others say so by `import X as X`.
    inside = module == imports_from and f"{source}.".startswith(f"{module}.")
    return {
        alias.asname or alias.name: Reference(source, (alias.name,), exported=inside or alias.asname == alias.name)
        for alias in aliases
    }


def _wrapped(name: str, value: ast.expr) -> tuple[str, ...]:
    """The path behind `Name = Other`, or behind a wrapper that makes a private name public: `Name = wrap(_Name)`."""
    if isinstance(value, ast.Call) and value.args:
        path = dotted(value.args[0])
        return path if path and path[-1] in (name, f"_{name}") else ()
    return dotted(value)


def _call_of(annotation: ast.expr, names: dict[str, Node | Reference]) -> Function | None:
    """The `__call__` behind `name: Spec`, where Spec is a protocol of the same scope: how stubs type such wrappers."""
    if isinstance(annotation, ast.Subscript):
        is_class_variable = dotted(annotation.value)[-1:] == ("ClassVar",)
        return _call_of(annotation.slice if is_class_variable else annotation.value, names)
    spec = names.get(".".join(dotted(annotation)))
    if not isinstance(spec, ast.ClassDef):
        return None
    call = scope(spec.body).get("__call__")
    return call if isinstance(call, Function) else None


def _dunder_all(body: Iterable[ast.stmt]) -> list[str] | None:
    found: list[str] | None = None
    for statement in _flat(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                found = _strings(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                found = [*(found or []), *_strings(value)]
    return found


def _strings(value: ast.expr) -> list[str]:
    return [node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
