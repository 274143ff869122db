"""JSON Schema of pydantic models as recipe files use them: deltas, in which nothing is required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from ftrun.recipe.described import about, descriptions

Schema = dict[str, Any]
REFERENCE = "#/$defs/"
PART = "x-part"  # at one of several schemas of a key: the part that means it so
ANYTHING = {"type": "string", "pattern": r"\$\{|^\?\?\?$"}  # an interpolation, or a value that is yet to be set


def definitions(cls: type[BaseModel], prefix: str) -> dict[str, Schema]:
    """The schemas of a model and of all inside of it, by names that begin with the prefix."""
    whole = cls.model_json_schema(by_alias=True, ref_template=f"{REFERENCE}{prefix}{{model}}")
    inner = whole.pop("$defs", {})
    classes = {one.__name__: one for one in _inside(cls)}
    found = {f"{prefix}{name}": _described(schema, classes.get(name)) for name, schema in inner.items()}
    return {**found, f"{prefix}{cls.__name__}": _described(whole, cls)}


def fields(cls: type[BaseModel], prefix: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schemas of a model's keys, and the definitions that they refer to."""
    found = definitions(cls, prefix)
    return found.pop(f"{prefix}{cls.__name__}").get("properties", {}), found


def partial(schema: Any) -> Any:
    """A schema for files that hold only what differs: without required keys, titles and bounds on what is absent."""
    if isinstance(schema, list):
        return [partial(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: partial(value) for key, value in schema.items() if key != "required" and not _is_title(key, value)}
    if isinstance(schema.get("anyOf"), list) and all("required" in one for one in schema["anyOf"]):
        del kept["anyOf"]  # one of several keys is needed in the whole, and not in each file
    return kept


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)


def or_interpolation(schema: Schema) -> Schema:
    """The schema of a value that a file may also take from elsewhere: `${train.sequence_len}`."""
    if schema.get("type") in ("object", "string") or "$ref" in schema or "const" in schema:
        return schema
    outside: Schema = {key: schema[key] for key in ("description", "default", "deprecated") if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    options = inside["anyOf"] if set(inside) == {"anyOf"} else [inside]
    return {**outside, "anyOf": [*options, ANYTHING]}


def _described(schema: Schema, cls: type[BaseModel] | None) -> Schema:
    if cls is None:
        return schema
    known, whole = descriptions(cls), about(cls)
    schema = {**schema, **({"description": whole} if whole else {})}
    if "properties" in schema:
        schema["properties"] = {
            key: _with_description(value, known.get(key) or _meant(cls, key) or whole)
            for key, value in schema["properties"].items()
        }
    return schema


def _with_description(schema: Schema, text: str | None) -> Schema:
    return {**schema, "description": text} if text else schema


def _meant(cls: type[BaseModel], key: str) -> str | None:
    """What the model says that stands at a key."""
    field = next((field for name, field in cls.model_fields.items() if (field.alias or name) == key), None)
    models = list(_models(field.annotation)) if field else []
    return about(models[0]) if len(models) == 1 else None


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
