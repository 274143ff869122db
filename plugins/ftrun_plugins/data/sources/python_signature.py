"""Signatures on one line for readers: without `self`, private parameters or the paths of type names."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from ftrun_plugins.data.sources.python_package import Function, split_dotted


def render_function(name: str, function: Function, *, is_method: bool) -> str:
    """Return the signature of a function, such as `name(x: int = 1) -> str`."""
    returns = _render_type(function.returns)
    bound = is_method and "staticmethod" not in _list_decorators(function)
    return f"{name}({_render_arguments(function.args, skip_first=bound)}){f' -> {returns}' if returns else ''}"


def render_property(name: str, function: Function) -> str:
    """Return the signature of a property, such as `name: type`, or only its name if it has no type."""
    returns = _render_type(function.returns)
    return f"{name}: {returns}" if returns else name


def render_class(name: str, node: ast.ClassDef, constructor: Function | None) -> str:
    """Return the call that creates an instance, or `class name` if the arguments are not known."""
    arguments = _render_arguments(constructor.args, skip_first=True) if constructor else "*args, **kwargs"
    if arguments != "*args, **kwargs":  # the arguments of a wrapper say nothing about the class
        return f"{name}({arguments})"
    if "dataclass" in _list_decorators(node):
        return f"{name}({', '.join(_render_fields(node))})"
    return f"class {name}"


def is_property(function: Function) -> bool:
    """Return True if the function is an attribute, by `property` or a similar decorator such as `cached_property`."""
    return any(decorator.endswith("property") for decorator in _list_decorators(function))


def is_deprecated(node: Function | ast.ClassDef) -> bool:
    """Return True if a decorator of any library deprecates the object."""
    return "deprecated" in _list_decorators(node)


def is_overload(node: Function | ast.ClassDef) -> bool:
    """Return True if the definition is one of several overloads."""
    return "overload" in _list_decorators(node)


def _list_decorators(node: Function | ast.ClassDef) -> list[str]:
    """Return the last part of the name of each decorator."""
    plain = (item.func if isinstance(item, ast.Call) else item for item in node.decorator_list)
    return [parts[-1] for item in plain if (parts := split_dotted(item))]


def _render_arguments(arguments: ast.arguments, *, skip_first: bool) -> str:
    positional = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    rendered = [
        _render_argument(a, default) for a, default in zip(positional, [*padding, *arguments.defaults], strict=True)
    ]
    if arguments.posonlyargs:
        rendered.insert(len(arguments.posonlyargs), "/")
    if skip_first:
        rendered = rendered[2:] if rendered[1:2] == ["/"] else rendered[1:]
    keywords = [
        _render_argument(argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if not argument.arg.startswith("_")
    ]
    if arguments.vararg:
        rendered.append(f"*{_render_argument(arguments.vararg)}")
    elif keywords:
        rendered.append("*")
    rendered += keywords
    if arguments.kwarg:
        rendered.append(f"**{_render_argument(arguments.kwarg)}")
    return ", ".join(text for text in rendered if not text.startswith("_"))


def _render_argument(argument: ast.arg, default: ast.expr | None = None) -> str:
    kind = _render_type(argument.annotation)
    text = f"{argument.arg}: {kind}" if kind else argument.arg
    if default is None:
        return text
    value = "..." if _is_private(default) else ast.unparse(_ShortValue().visit(copy.deepcopy(default)))
    return f"{text} = {value}" if kind else f"{text}={value}"


def _render_fields(node: ast.ClassDef) -> Iterator[str]:
    """Yield the arguments of a dataclass, from the fields in its own body."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                # `field(default=...)` shows readers only that there is a default.
                default = ast.Constant(...) if isinstance(statement.value, ast.Call) else statement.value
                yield _render_argument(ast.arg(name, statement.annotation), default)


def _render_type(annotation: ast.expr | None) -> str:
    """Return the annotation with bare names (`Image`, not `modal.image.Image`), or nothing if it is private."""
    # `*args: P.args` is only for type checkers.
    if annotation is None or split_dotted(annotation)[-1:] in (("args",), ("kwargs",)):
        return ""
    short = _Short().visit(copy.deepcopy(annotation))
    return "" if _is_private(short) else ast.unparse(short)


def _is_private(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id.startswith("_") for node in ast.walk(expression))


class _ShortValue(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Shorten `modal.stream_type.StreamType.PIPE` to `StreamType.PIPE`."""
        *modules, owner, name = ("", *split_dotted(node)) if split_dotted(node) else ("", "", "")
        return ast.Attribute(ast.Name(owner), name) if len(modules) > 1 and owner[:1].isupper() else node


class _Short(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        parts = split_dotted(node)
        return ast.Name(parts[-1]) if parts else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Remove the quotes of a quoted annotation."""
        if not isinstance(node.value, str):
            return node
        try:
            expression: ast.expr = self.visit(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return node  # not a type, but text in `Annotated`
        return expression

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        outer = split_dotted(node.value)[-1:]
        if outer == ("Literal",):
            return ast.Subscript(ast.Name("Literal"), node.slice)
        self.generic_visit(node)
        if outer == ("Optional",):
            return ast.BinOp(node.slice, ast.BitOr(), ast.Constant(None))
        if outer == ("Union",) and isinstance(node.slice, ast.Tuple):
            first, *others = node.slice.elts
            for other in others:
                first = ast.BinOp(first, ast.BitOr(), other)
            return first
        return node
