"""The numeric keys of a JSON schema, at every depth, with the alternatives that are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"}


def numeric_keys(
    document: Mapping[str, Any], start: Mapping[str, Any] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """By path: `a.b` for a key below a key, `a[]` for an item of a list, `a.*` for any key of a mapping."""
    found: dict[str, list[dict[str, Any]]] = {}

    def walk(path: str, schema: Any, opened: tuple[str, ...]) -> None:
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in opened:
                walk(path, document["$defs"][name], (*opened, name))
        if schema.get("type") in ("integer", "number"):
            found.setdefault(path, []).append(schema)
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            walk(path, option, opened)
        for key, inner in schema.get("properties", {}).items():
            walk(f"{path}.{key}".lstrip("."), inner, opened)
        for inner in (schema.get("items"), *schema.get("prefixItems", ())):
            walk(f"{path}[]", inner, opened)
        walk(f"{path}.*".lstrip("."), schema.get("additionalProperties"), opened)

    walk("", start or document, ())
    return found


def bounds(schema: Mapping[str, Any]) -> set[str]:
    """The keywords of a schema that bound a number."""
    return BOUNDS & set(schema)
