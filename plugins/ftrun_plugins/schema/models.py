"""JSON Schema of pydantic models, with a description of each key, and access to nested schemas."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ftrun.utils.json_schema import REFERENCE, Schema

PART = "x-part"  # keyword with the name of the part, if several parts define a key


def definitions(cls: type[BaseModel], prefix: str) -> dict[str, Schema]:
    """Return the schemas of a model and of all models in it, by name. Each name begins with the prefix."""
    whole = cls.model_json_schema(by_alias=True, ref_template=f"{REFERENCE}{prefix}{{model}}")
    inner = whole.pop("$defs", {})
    classes = {model.__name__: model for model in _collect_models(cls)}
    schemas = {f"{prefix}{name}": _describe(schema, classes.get(name)) for name, schema in inner.items()}
    return {**schemas, f"{prefix}{cls.__name__}": _describe(whole, cls)}


def fields(cls: type[BaseModel], prefix: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the schemas of a model's keys, and the definitions that they refer to."""
    schemas = definitions(cls, prefix)
    return schemas.pop(f"{prefix}{cls.__name__}").get("properties", {}), schemas


def _describe(schema: Schema, cls: type[BaseModel] | None) -> Schema:
    """Return the schema with a description of each key: from its field, from its own model, or from `cls`."""
    if cls is None or "properties" not in schema:
        return schema
    known = {field.alias or name: field for name, field in cls.model_fields.items()}
    properties = {
        key: _add_description(value, _find_description(known[key]) or schema.get("description"))
        for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _add_description(schema: Schema, text: str | None) -> Schema:
    return {**schema, "description": text} if text else schema


def _find_description(field: FieldInfo) -> str | None:
    """Return the description of a field, or the docstring of the model at its key."""
    models = list(_find_models(field.annotation))
    docstring = models[0].__doc__ if len(models) == 1 else None
    return field.description or (inspect.cleandoc(docstring) if docstring else None)


def _collect_models(cls: type[BaseModel]) -> Iterator[type[BaseModel]]:
    visited: set[type[BaseModel]] = set()
    queue = [cls]
    while queue:
        model = queue.pop()
        if model not in visited:
            visited.add(model)
            yield model
            queue += [inner for field in model.model_fields.values() for inner in _find_models(field.annotation)]


def _find_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _find_models(inner)


def properties_of(schema: Schema, document: Schema) -> Mapping[str, Schema]:
    """Return the keys of all alternatives of a schema. References are followed.

    The schema of a key that several alternatives have is `anyOf` of their schemas.
    """
    schemas: dict[str, list[Schema]] = {}
    for option in alternatives(schema, document):
        part = part_of(option)
        for key, value in option.get("properties", {}).items():
            schemas.setdefault(key, []).append({**value, PART: part} if part else value)
    return {key: values[0] if len(values) == 1 else {"anyOf": values} for key, values in schemas.items()}


def part_of(schema: Schema) -> str | None:
    """Return the name of the part, such as a source, that a schema describes, or None."""
    tags = (item["const"] for item in (schema, *schema.get("properties", {}).values()) if "const" in item)
    return schema.get(PART) or next(tags, None)


def alternatives(schema: Schema, document: Schema) -> Iterator[Schema]:
    """Yield the alternatives of a schema. References are followed, nested alternatives are flattened."""
    if "$ref" in schema:
        yield from alternatives(document["$defs"][schema["$ref"].removeprefix(REFERENCE)], document)
    elif "anyOf" in schema or "oneOf" in schema:
        for option in schema.get("anyOf") or schema["oneOf"]:
            yield from alternatives(option, document)
    else:
        yield schema
