"""JSON Schemas for recipe files, which contain only the values that differ from the defaults."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
REFERENCE = "#/$defs/"
ANYTHING = {"type": "string", "pattern": r"\$\{|^\?\?\?$"}  # an interpolation, or a value that must still be set


def partial(schema: Any) -> Any:
    """Return a schema without required keys and titles, for files that hold only a part of the whole."""
    if isinstance(schema, list):
        return [partial(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: partial(value) for key, value in schema.items() if key != "required" and not _is_title(key, value)}
    if isinstance(schema.get("anyOf"), list) and all("required" in item for item in schema["anyOf"]):
        del result["anyOf"]  # it requires one of several keys in the whole recipe, not in each file
    return result


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)


def or_interpolation(schema: Schema) -> Schema:
    """Return the schema of a value that may also be an interpolation, such as `${train.sequence_len}`."""
    if schema.get("type") in ("object", "string") or "$ref" in schema or "const" in schema:
        return schema
    outside: Schema = {key: schema[key] for key in ("description", "default", "deprecated") if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    options = inside["anyOf"] if set(inside) == {"anyOf"} else [inside]
    return {**outside, "anyOf": [*options, ANYTHING]}
