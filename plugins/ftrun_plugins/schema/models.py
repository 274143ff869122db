"""JSON Schema of pydantic models as recipe files use them: deltas, in which nothing is required."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ftrun.utils.json_schema import REFERENCE, Schema

PART = "x-part"  # at one of several schemas of a key: the part that means it so


def definitions(cls: type[BaseModel], prefix: str) -> dict[str, Schema]:
    """The schemas of a model and of all inside of it, by names that begin with the prefix."""
    whole = cls.model_json_schema(by_alias=True, ref_template=f"{REFERENCE}{prefix}{{model}}")
    inner = whole.pop("$defs", {})
    classes = {one.__name__: one for one in _inside(cls)}
    found = {f"{prefix}{name}": _describe(schema, classes.get(name)) for name, schema in inner.items()}
    return {**found, f"{prefix}{cls.__name__}": _describe(whole, cls)}


def fields(cls: type[BaseModel], prefix: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schemas of a model's keys, and the definitions that they refer to."""
    found = definitions(cls, prefix)
    return found.pop(f"{prefix}{cls.__name__}").get("properties", {}), found


def _describe(schema: Schema, cls: type[BaseModel] | None) -> Schema:
    """Return the schema with a description of each key: that of its field, of the model at the key, or of the whole."""
    if cls is None or "properties" not in schema:
        return schema
    known = {field.alias or name: field for name, field in cls.model_fields.items()}
    properties = {
        key: _with_description(value, _description(known[key]) or schema.get("description"))
        for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _with_description(schema: Schema, text: str | None) -> Schema:
    return {**schema, "description": text} if text else schema


def _description(field: FieldInfo) -> str | None:
    """Return the description of a field, or the docstring of the model at its key."""
    models = list(_models(field.annotation))
    docstring = models[0].__doc__ if len(models) == 1 else None
    return field.description or (inspect.cleandoc(docstring) if docstring else None)


def _inside(cls: type[BaseModel]) -> Iterator[type[BaseModel]]:
    seen: set[type[BaseModel]] = set()
    waiting = [cls]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield one
            waiting += [inner for field in one.model_fields.values() for inner in _models(field.annotation)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def properties_of(schema: Schema, document: Schema) -> Mapping[str, Schema]:
    """The keys of all alternatives of a schema, references followed; one that several have is any of theirs."""
    found: dict[str, list[Schema]] = {}
    for option in alternatives(schema, document):
        whose = part_of(option)
        for key, value in option.get("properties", {}).items():
            found.setdefault(key, []).append({**value, PART: whose} if whose else value)
    return {key: values[0] if len(values) == 1 else {"anyOf": values} for key, values in found.items()}


def part_of(schema: Schema) -> str | None:
    """The name of the part that a schema is of, or of the one whose options it holds."""
    tags = (one["const"] for one in (schema, *schema.get("properties", {}).values()) if "const" in one)
    return schema.get(PART) or next(tags, None)


def alternatives(schema: Schema, document: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, references followed, nested ones flattened."""
    if "$ref" in schema:
        yield from alternatives(document["$defs"][schema["$ref"].removeprefix(REFERENCE)], document)
    elif "anyOf" in schema or "oneOf" in schema:
        for option in schema.get("anyOf") or schema["oneOf"]:
            yield from alternatives(option, document)
    else:
        yield schema
