"""JSON Schema of the trainer's keys for `ftrun schema`, with descriptions of the common keys from `keys.yaml`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.trainers import TrainerSchema
from ftrun.utils.json_schema import REFERENCE, Schema, or_interpolation, partial
from ftrun_plugins.axolotl.config.build import RESERVED_KEYS, UNSET_VALUES
from ftrun_plugins.axolotl.config.key_ranges import RANGES
from ftrun_plugins.axolotl.config.number_range import Range
from ftrun_plugins.axolotl.config.range_check import ANY_KEY, ITEM, PATHS
from ftrun_plugins.axolotl.config.unsupported_keys import UNSUPPORTED, UNSUPPORTED_ENTRY_KEYS, Limitation

FOLDER = Path(__file__).parent
PREFIX = "axolotl."
NAME = f"{PREFIX}Config"
ENTRY = f"{PREFIX}SFTDataset"


@cache
def load_descriptions() -> dict[str, dict[str, str]]:
    """Return descriptions by key, under `trainer` for the trainer and under `dataset` for its dataset entry."""
    texts: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "keys.yaml").read_text(encoding="utf-8"))
    return texts


def trainer_schema() -> TrainerSchema:
    """Return the schemas of axolotl's keys."""
    return TrainerSchema(definitions(), NAME, ENTRY)


def definitions() -> dict[str, Schema]:
    """Return the schemas of the trainer's configuration and of everything in it, without keys that ftrun sets.

    Numbers have the bounds of `RANGES`. An unsupported key accepts only null and false, which select nothing.
    """
    whole = _add_prefix(json.loads((FOLDER / "schema.json").read_text(encoding="utf-8")))
    inner = {f"{PREFIX}{name}": partial(schema) for name, schema in whole["$defs"].items()}
    bounded = {"properties": whole["properties"]}
    for name, allowed in RANGES.items():
        if name not in UNSET_VALUES:
            bounded = _add_range(bounded, PATHS[name], allowed, inner)
    known = {key: schema for key, schema in bounded["properties"].items() if key not in RESERVED_KEYS}
    inner[NAME] = _build_object(known, load_descriptions()["trainer"])
    inner[NAME]["properties"] |= {key: _build_unsupported_key(why) for key, why in UNSUPPORTED.items()}
    inner[ENTRY] = _build_object(inner[ENTRY]["properties"], load_descriptions()["dataset"])
    inner[ENTRY]["properties"] |= {key: _build_unsupported_key(why) for key, why in UNSUPPORTED_ENTRY_KEYS.items()}
    return inner


def _add_range(schema: Schema, parts: Sequence[str], allowed: Range, definitions: dict[str, Schema]) -> Schema:
    """Return a schema with the bounds of a range at a path below it. The definitions that it refers to are changed."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        definitions[name] = _add_range(definitions[name], parts, allowed, definitions)
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [_add_range(option, parts, allowed, definitions) for option in schema["anyOf"]]}
    if not parts:
        return _add_bounds(schema, allowed)
    part, *rest = parts
    holder = {ITEM: "items", ANY_KEY: "additionalProperties"}.get(part, "properties")
    below = schema.get(holder)
    if not isinstance(below, dict):
        return schema
    if holder != "properties":
        return {**schema, holder: _add_range(below, rest, allowed, definitions)}
    known = {part: _add_range(below[part], rest, allowed, definitions)} if part in below else {}
    return {**schema, holder: {**below, **known}}


def _add_bounds(schema: Schema, allowed: Range) -> Schema:
    """Return the schema of a key with the bounds of a range for its numbers."""
    if "x-meaning" in schema:  # numbers that YAML 1.1 reads as text
        return {**schema, "x-meaning": "a number in quotes"}
    return schema | allowed.keywords() if schema.get("type") in ("integer", "number") else schema


def _build_unsupported_key(limitation: Limitation) -> Schema:
    return {"enum": [None, False], "description": f"Not supported: {limitation.reason}. A key of axolotl."}


def _build_object(properties: dict[str, Schema], texts: dict[str, str]) -> Schema:
    return {
        "type": "object",
        "properties": {key: _build_key(schema, texts.get(key)) for key, schema in properties.items()},
        "additionalProperties": False,
    }


def _build_key(schema: Schema, text: str | None) -> Schema:
    """Return the schema of one key, with its marks as part of the description."""
    result = {key: value for key, value in partial(schema).items() if not key.startswith("x-")}
    mark, plugin = schema.get("x-deprecated"), schema.get("x-plugin")
    words = [text] if text else []
    if mark:
        use = " and ".join(mark["use"])
        state = "No longer works" if mark.get("removed") else "Deprecated"
        words.append(f"{state}: {f'use {use}' if use else 'leave it out'}.")
        result["deprecated"] = True
    if plugin:
        words.append(f"Needs `plugins: [{plugin}]`.")
    words.append("A key of axolotl.")
    return or_interpolation({**result, "description": " ".join(words)})


def _add_prefix(value: Any) -> Any:
    if isinstance(value, list):
        return [_add_prefix(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: _add_prefix(item) for key, item in value.items()}
    if isinstance(value.get("$ref"), str):
        result["$ref"] = value["$ref"].replace(REFERENCE, f"{REFERENCE}{PREFIX}")
    return result
