"""What each key of a model means, in the words that stand beside it in the code: the one place where they are written.

A field is described by `Field(description=…)`, by a text below it, or by the comment behind it, in this order.
"""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel


def about(cls: type[BaseModel]) -> str | None:
    """What a model says of itself."""
    text = cls.__dict__.get("__doc__")
    return inspect.cleandoc(text) if isinstance(text, str) else None


@cache
def descriptions(cls: type[BaseModel]) -> Mapping[str, str]:
    """The description of each field that has one, by the key that recipes use; those of a base class too."""
    written: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            written |= dict(_written(one))
    found = {}
    for name, field in cls.model_fields.items():
        text = field.description or written.get(name)
        if text:
            found[field.alias or name] = text
    return found


def _written(cls: type[BaseModel]) -> Iterator[tuple[str, str]]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # a class that was made at run time has no source
        return
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and not token.string.startswith(("# noqa", "# type:", "# fmt:"))
    }
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = _text(following) or comments.get(node.end_lineno or node.lineno)
            if text:
                yield node.target.id, text


def _text(node: ast.stmt | None) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return None
