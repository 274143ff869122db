"""Validation of composed values with pydantic models. Each error becomes an issue at its key path."""

from __future__ import annotations

import json
import os
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.options import NAMED_TWICE, UNKNOWN_NAME
from ftrun.recipe.compose import Composed
from ftrun.recipe.yaml_files import Position
from ftrun.utils.suggest import nearest
from ftrun.utils.text import dotted, truncate

M = TypeVar("M", bound=BaseModel)
LONGEST_VALUE = 60  # characters of a wrong value in a message


def validate(cls: type[M], values: Any, prefix: KeyPath = ()) -> M | list[Issue]:
    """Return an object of the model, or the issues with the values. `prefix` is their key path in the recipe."""
    if issue := next(_undecodable(values, prefix), None):
        return [issue]
    try:
        # Strict validation of JSON still accepts lists for tuples and texts for paths.
        return cls.model_validate_json(_to_json(values), strict=True)
    except ValidationError as error:
        return [_issue(cls, values, prefix, details) for details in error.errors(include_url=False)]


def _undecodable(value: Any, path: KeyPath) -> Iterator[Issue]:
    """Yield issues for texts with lone surrogates: names of files that are not UTF-8, which JSON cannot hold."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _undecodable(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _undecodable(inner, (*path, index))
    elif isinstance(value, str | Path) and not _is_text(str(value)):
        what = f"`{dotted(path)}` is {value_text(str(value))}, which is not UTF-8"
        yield Issue("invalid-encoding", path, what, hint="rename the file or its folder")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_json(values: Any) -> bytes:
    try:
        return orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number of more than 64 bits
        return json.dumps(values, default=str).encode()


def _issue(cls: type[BaseModel], values: Any, prefix: KeyPath, details: Any) -> Issue:
    """Return the issue for an error of pydantic."""
    path = _drop_tags(details["loc"], values)
    name, kind = dotted((*prefix, *path)), details["type"]
    if kind == "extra_forbidden":
        known = sorted(known_keys(cls, path[:-1], values))
        return Issue(
            "unknown-key", (*prefix, *path), f"unknown key `{name}`", _one_of(known), nearest(str(path[-1]), known)
        )
    if kind == "union_tag_invalid":
        key, known = details["ctx"]["discriminator"].strip("'"), details["ctx"]["expected_tags"].split(", ")
        known, tag = [name.strip("'") for name in known], details["ctx"]["tag"]
        return Issue(
            "invalid-value",
            (*prefix, *path, key),
            f"`{name}.{key}` is {value_text(tag)}",
            _one_of(known),
            nearest(tag, known),
        )
    if kind == "missing":
        return Issue(
            "missing-key", (*prefix, *path), f"`{name}` is missing", hint="set it in the recipe or as an override"
        )
    expected = str(details["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    is_set = kind == NAMED_TWICE and details["ctx"]["is_set"]
    also = ((*prefix, *path[:-1], details["ctx"]["other"]),) if is_set else ()
    did_you_mean = nearest(details["input"], details["ctx"]["known"]) if kind == UNKNOWN_NAME else ()
    what = f"`{name}` is {value_text(details['input'])}"
    return Issue("invalid-value", (*prefix, *path), what, expected, did_you_mean, also=also)


def _drop_tags(location: Iterable[str | int], values: Any) -> KeyPath:
    """Return a location of pydantic without the tags of unions, because the recipe has no level for them."""
    parts, path = list(location), []
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        exists = (isinstance(values, dict) and part in values) or (isinstance(values, list) and isinstance(part, int))
        if exists and (is_last or isinstance(values[part], dict | list)):
            values = values[part]
        elif not is_last:
            continue
        path.append(part)
    return tuple(path)


def known_keys(cls: Any, path: KeyPath, values: Any) -> set[str]:
    """Return the keys that a model has at a path below it.

    If a key has several alternative models, only those that fit the fixed values, such as `origin: folder`, count.
    """
    candidates = [cls]
    for part in path:
        candidates = [inner for candidate in candidates for inner in _inner_types(candidate, part)]
        values = values[part]
    models = [candidate for candidate in candidates if _is_model(candidate) and _is_kind(candidate, values)]
    return {name for model in models for name in keys_of(model)}


def keys_of(model: type[BaseModel]) -> set[str]:
    """Return the keys that a model reads: the aliases of its fields, or their names if they have no alias."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _is_kind(model: type[BaseModel], values: Any) -> bool:
    """Return True if the values have the fixed values of a model, such as `origin: folder`, or do not set them."""
    fixed = {name: field.annotation for name, field in model.model_fields.items()}
    return all(
        get_origin(annotation) is not Literal or values.get(name, None) in (None, *get_args(annotation))
        for name, annotation in fixed.items()
    )


def _inner_types(annotation: Any, part: str | int) -> list[Any]:
    """Return the possible types of the value at a key or index."""
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return _alternatives(field.annotation) if field else []
    arguments = get_args(annotation)
    return _alternatives(arguments[-1]) if get_origin(annotation) in (dict, list, tuple) and arguments else []


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for argument in get_args(annotation) for inner in _alternatives(argument)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def with_absolute_paths(
    cls: type[BaseModel], values: dict[str, Any], prefix: KeyPath, composed: Composed
) -> dict[str, Any]:
    """Return the values with absolute paths.

    A path is relative to the file that sets it, or to the current folder if an override sets it.
    """
    resolved = dict(values)
    for name, field in cls.model_fields.items():
        if isinstance(values.get(name), str) and Path in _alternatives(field.annotation):
            resolved[name] = absolute_path(values[name], (*prefix, name), composed)
    return resolved


def absolute_path(path: str, key: KeyPath, composed: Composed) -> str:
    """Return a path that a key of the recipe sets, relative to the file that sets it or to the current folder."""
    origin = composed.origin(key)
    return _resolve(path, origin.file.parent if isinstance(origin, Position) else Path.cwd())


def _resolve(path: str, base: Path) -> str:
    """Return the path without links and `..`. A path that cannot be resolved is an error only when it is opened."""
    try:
        return os.path.realpath(base / Path(path).expanduser())
    except (RuntimeError, ValueError):  # the home of an unknown user, a NUL byte
        return str(base / path)


def value_text(value: Any) -> str:
    """Return a value as text for a message, shortened to `LONGEST_VALUE` characters."""
    return truncate(repr(value), LONGEST_VALUE)


def _one_of(known: list[str]) -> str | None:
    return f"one of {', '.join(known)}" if 0 < len(known) <= 15 else None
