"""Signatures as a reader wants them: one line, without `self`, private parameters or the paths of type names."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from ftrun_plugins.data.sources.python_package import Function, dotted


def of_function(name: str, function: Function, *, is_method: bool) -> str:
    """`name(x: int = 1) -> str`."""
    returns = _type(function.returns)
    bound = is_method and "staticmethod" not in _decorators(function)
    return f"{name}({_arguments(function.args, skip_first=bound)}){f' -> {returns}' if returns else ''}"


def of_property(name: str, function: Function) -> str:
    """`name: type`."""
    returns = _type(function.returns)
    return f"{name}: {returns}" if returns else name


def of_class(name: str, node: ast.ClassDef, constructor: Function | None) -> str:
    """The call that makes an instance, where the class says how, else `class name`."""
    arguments = _arguments(constructor.args, skip_first=True) if constructor else "*args, **kwargs"
    if arguments != "*args, **kwargs":  # what a wrapper takes says nothing of the class behind it
        return f"{name}({arguments})"
    if "dataclass" in _decorators(node):
        return f"{name}({', '.join(_fields(node))})"
    return f"class {name}"


def is_property(function: Function) -> bool:
    """Whether the function is read as an attribute, by `property` or a kin (`cached_property`, `classproperty`)."""
    return any(decorator.endswith("property") for decorator in _decorators(function))


def is_deprecated(node: Function | ast.ClassDef) -> bool:
    """Whether a decorator says so, whatever library it is from."""
    return "deprecated" in _decorators(node)


def is_overload(node: Function | ast.ClassDef) -> bool:
    """Whether it tells one way among several to call the function."""
    return "overload" in _decorators(node)


def _decorators(node: Function | ast.ClassDef) -> list[str]:
    """The last part of each decorator's name."""
    plain = (item.func if isinstance(item, ast.Call) else item for item in node.decorator_list)
    return [parts[-1] for item in plain if (parts := dotted(item))]


def _arguments(arguments: ast.arguments, *, skip_first: bool) -> str:
    positional = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    rendered = [_argument(a, default) for a, default in zip(positional, [*padding, *arguments.defaults], strict=True)]
    if arguments.posonlyargs:
        rendered.insert(len(arguments.posonlyargs), "/")
    if skip_first:
        rendered = rendered[2:] if rendered[1:2] == ["/"] else rendered[1:]
    keywords = [
        _argument(argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if not argument.arg.startswith("_")
    ]
    if arguments.vararg:
        rendered.append(f"*{_argument(arguments.vararg)}")
    elif keywords:
        rendered.append("*")
    rendered += keywords
    if arguments.kwarg:
        rendered.append(f"**{_argument(arguments.kwarg)}")
    return ", ".join(text for text in rendered if not text.startswith("_"))


def _argument(argument: ast.arg, default: ast.expr | None = None) -> str:
    kind = _type(argument.annotation)
    text = f"{argument.arg}: {kind}" if kind else argument.arg
    if default is None:
        return text
    value = "..." if _is_private(default) else ast.unparse(_ShortValue().visit(copy.deepcopy(default)))
    return f"{text} = {value}" if kind else f"{text}={value}"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """The arguments that a dataclass takes, as its own body says."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                # `field(default=...)` says nothing to a reader beyond that there is a default.
                default = ast.Constant(...) if isinstance(statement.value, ast.Call) else statement.value
                yield _argument(ast.arg(name, statement.annotation), default)


def _type(annotation: ast.expr | None) -> str:
    """The annotation by bare names (`Image`, not `modal.image.Image`), or nothing where it is private."""
    # `*args: P.args` tells a type checker something, a reader nothing.
    if annotation is None or dotted(annotation)[-1:] in (("args",), ("kwargs",)):
        return ""
    short = _Short().visit(copy.deepcopy(annotation))
    return "" if _is_private(short) else ast.unparse(short)


def _is_private(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id.startswith("_") for node in ast.walk(expression))


class _ShortValue(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`StreamType.PIPE`, not `modal.stream_type.StreamType.PIPE`."""
        *modules, owner, name = ("", *dotted(node)) if dotted(node) else ("", "", "")
        return ast.Attribute(ast.Name(owner), name) if len(modules) > 1 and owner[:1].isupper() else node


class _Short(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        parts = dotted(node)
        return ast.Name(parts[-1]) if parts else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A quoted annotation, without its quotes."""
        if not isinstance(node.value, str):
            return node
        try:
            expression: ast.expr = self.visit(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return node  # no type, but a remark in `Annotated`
        return expression

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        outer = dotted(node.value)[-1:]
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
