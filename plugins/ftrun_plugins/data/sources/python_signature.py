"""Signatures on one line for readers: without `self`, private parameters or the paths of type names."""

from __future__ import annotations

import ast
import re

from griffe import Expr, ExprName, Function, Parameter, Parameters

Code = Expr | str | None  # a type or a default

PATH = re.compile(r"(?:\w+\.)+(?=[A-Z]\w*\.\w+\Z)")  # `modal.stream_type.` of `modal.stream_type.StreamType.PIPE`


def render_function(name: str, function: Function, *, is_bound: bool) -> str:
    """Return the signature of a function, such as `name(x: int = 1) -> str`."""
    parameters = [
        Parameter(item.name, kind=item.kind, annotation=_render_type(item.annotation), default=_render(item.default))
        for item in list(function.parameters)[is_bound:]
        if not item.name.startswith("_")
    ]
    public = Function(name, parameters=Parameters(*parameters), returns=_render_type(function.returns))
    return public.signature()


def render_property(name: str, returns: Code) -> str:
    """Return the signature of a property, such as `name: type`, or only its name if it has no type."""
    kind = _render_type(returns)
    return f"{name}: {kind}" if kind else name


def render_class(name: str, constructor: Function | None) -> str:
    """Return the call that creates an instance, or `class name` if the arguments are not known."""
    call = render_function(name, constructor, is_bound=True).partition(" -> ")[0] if constructor else ""
    # The arguments of a wrapper say nothing about the class.
    return f"class {name}" if call in ("", f"{name}(*args, **kwargs)") else call


def _render(default: Code) -> str | None:
    """Return the code of a default, or three dots if it is private."""
    names = [part for part in default.iterate() if isinstance(part, ExprName)] if isinstance(default, Expr) else []
    if any(name.path.startswith("_") for name in names):
        return "..."
    return None if default is None else PATH.sub("", str(default))


def _render_type(annotation: Code) -> str | None:
    """Return the annotation with bare names (`Image`, not `modal.image.Image`), or None if it is private."""
    if annotation is None:
        return None
    try:
        short = _Short().visit(ast.parse(str(annotation), mode="eval").body)
    except SyntaxError:
        return str(annotation)  # `*Types`
    is_private = any(isinstance(node, ast.Name) and node.id.startswith("_") for node in ast.walk(short))
    # `*args: P.args` is only for type checkers.
    return None if is_private or ast.unparse(short) in ("args", "kwargs") else ast.unparse(short)


class _Short(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(node.attr)

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
        """Write unions with `|`. The method `modernize` of griffe leaves out those in lists, and fails at others."""
        outer = ast.unparse(self.visit(node.value))
        if outer == "Literal":
            return ast.Subscript(ast.Name("Literal"), node.slice)
        self.generic_visit(node)
        if outer == "Optional":
            return ast.BinOp(node.slice, ast.BitOr(), ast.Constant(None))
        if outer == "Union" and isinstance(node.slice, ast.Tuple):
            first, *others = node.slice.elts
            for other in others:
                first = ast.BinOp(first, ast.BitOr(), other)
            return first
        return node
