"""Reads composed values into pydantic models, with every problem as a finding at its key path."""

from __future__ import annotations

import json
import os
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError

from ftrun.api.issues import Issue
from ftrun.api.options import NAMED_TWICE
from ftrun.recipe.compose import Composed
from ftrun.recipe.yaml_files import KeyPath, Position
from ftrun.utils.suggest import nearest

M = TypeVar("M", bound=BaseModel)
LONGEST_VALUE = 60  # characters shown of a wrong value


def validate(cls: type[M], values: Any, prefix: KeyPath = ()) -> M | list[Issue]:
    """The typed object, or what is wrong with the values, under the path `prefix` of the recipe."""
    try:
        # through JSON, for there strict checks still take lists as tuples and texts as paths
        return cls.model_validate_json(_as_json(values), strict=True)
    except ValidationError as error:
        return [_finding(cls, values, prefix, details) for details in error.errors(include_url=False)]


def _as_json(values: Any) -> bytes:
    try:
        return orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number of more than 64 bits
        return json.dumps(values, default=str).encode()


def _finding(cls: type[BaseModel], values: Any, prefix: KeyPath, details: Any) -> Issue:
    path = _without_tags(details["loc"], values)
    name, kind = dotted((*prefix, *path)), details["type"]
    if kind == "extra_forbidden":
        known = sorted(known_keys(cls, path[:-1], values))
        return Issue(
            "unknown-key", (*prefix, *path), f"unknown key `{name}`", _one_of(known), nearest(str(path[-1]), known)
        )
    if kind == "union_tag_invalid":
        key, known = details["ctx"]["discriminator"].strip("'"), details["ctx"]["expected_tags"].split(", ")
        known, tag = [one.strip("'") for one in known], details["ctx"]["tag"]
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
    return Issue("invalid-value", (*prefix, *path), f"`{name}` is {value_text(details['input'])}", expected, also=also)


def _without_tags(location: Iterable[str | int], values: Any) -> KeyPath:
    """Pydantic puts the tags of unions into its locations; the recipe has no such level."""
    parts, found = list(location), []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        inside = (isinstance(values, dict) and part in values) or (isinstance(values, list) and isinstance(part, int))
        if inside and (last or isinstance(values[part], dict | list)):
            values = values[part]
        elif not last:
            continue
        found.append(part)
    return tuple(found)


def known_keys(cls: Any, path: KeyPath, values: Any) -> set[str]:
    """The keys that a model knows at a path below it; of several alternatives those of the kind that is named."""
    candidates = [cls]
    for part in path:
        candidates = [inner for candidate in candidates for inner in _below(candidate, part)]
        values = values[part]
    models = [candidate for candidate in candidates if _is_model(candidate) and _is_kind(candidate, values)]
    return {name for model in models for name in keys_of(model)}


def keys_of(model: type[BaseModel]) -> set[str]:
    """The keys that a model reads: its fields, or their aliases, for a field cannot have every name."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _is_kind(model: type[BaseModel], values: Any) -> bool:
    """Whether each fixed value of a model, such as `origin: folder`, is what the values say."""
    fixed = {name: field.annotation for name, field in model.model_fields.items()}
    return all(
        get_origin(annotation) is not Literal or values.get(name, None) in (None, *get_args(annotation))
        for name, annotation in fixed.items()
    )


def _below(annotation: Any, part: str | int) -> list[Any]:
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
    """Paths are relative to the file that sets them, or to the current folder where an override does."""
    found = dict(values)
    for name, field in cls.model_fields.items():
        if isinstance(values.get(name), str) and Path in _alternatives(field.annotation):
            origin = composed.origin((*prefix, name))
            base = origin.file.parent if isinstance(origin, Position) else Path.cwd()
            found[name] = _absolute(values[name], base)
    return found


def _absolute(path: str, base: Path) -> str:
    """The path without links and `..`; one that leads nowhere stays as it is, and whoever opens it says so."""
    try:
        return os.path.realpath(base / Path(path).expanduser())
    except (RuntimeError, ValueError):  # a home that nobody has, a NUL byte
        return str(base / path)


def dotted(path: KeyPath) -> str:
    """`("datasets", 0, "path")` as people write it: `datasets[0].path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def value_text(value: Any) -> str:
    """A value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _one_of(known: list[str]) -> str | None:
    return f"one of {', '.join(known)}" if 0 < len(known) <= 15 else None
