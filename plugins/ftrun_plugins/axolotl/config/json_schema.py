"""The trainer's keys as a part of the schema, with descriptions of our own of those that recipes commonly use."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.trainers import TrainerSchema
from ftrun.utils.json_schema import REFERENCE, Schema, or_interpolation, partial
from ftrun_plugins.axolotl.config.build import OWNED, UNSET
from ftrun_plugins.axolotl.config.key_ranges import RANGES, Range
from ftrun_plugins.axolotl.config.unsupported_keys import UNSUPPORTED, UNSUPPORTED_ENTRY_KEYS, Unsupported

HERE = Path(__file__).parent
PREFIX = "axolotl."
NAME = f"{PREFIX}Config"
ENTRY = f"{PREFIX}SFTDataset"


@cache
def described() -> dict[str, dict[str, str]]:
    """Our descriptions: of the trainer's keys, and of those of its dataset entry."""
    found: dict[str, dict[str, str]] = yaml.safe_load((HERE / "keys.yaml").read_text(encoding="utf-8"))
    return found


def trainer_schema() -> TrainerSchema:
    """Return the schemas of axolotl's keys."""
    return TrainerSchema(definitions(), NAME, ENTRY)


def definitions() -> dict[str, Schema]:
    """The trainer's configuration and all inside of it, without keys that are not a recipe's to set.

    Numbers have ftrun's bounds. A key that ftrun cannot run takes the values that select nothing.
    """
    whole = _renamed(json.loads((HERE / "schema.json").read_text(encoding="utf-8")))
    inner = {f"{PREFIX}{name}": partial(schema) for name, schema in whole["$defs"].items()}
    known = {
        key: _bounded(schema, RANGES[key]) if key in RANGES and key not in UNSET else schema
        for key, schema in whole["properties"].items()
        if key not in OWNED
    }
    inner[NAME] = _object(known, described()["trainer"])
    inner[NAME]["properties"] |= {key: _unsupported(why) for key, why in UNSUPPORTED.items()}
    inner[ENTRY] = _object(inner[ENTRY]["properties"], described()["dataset"])
    inner[ENTRY]["properties"] |= {key: _unsupported(why) for key, why in UNSUPPORTED_ENTRY_KEYS.items()}
    return inner


def _bounded(schema: Schema, allowed: Range) -> Schema:
    """The schema of a key whose numbers are in a range."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_bounded(option, allowed) for option in schema["anyOf"]]}
    if "x-meaning" in schema:  # numbers that YAML 1.1 reads as text
        return {**schema, "x-meaning": "a number in quotes"}
    return schema | allowed.keywords() if schema.get("type") in ("integer", "number") else schema


def _unsupported(why: Unsupported) -> Schema:
    return {"enum": [None, False], "description": f"Not supported: {why.reason}. A key of axolotl."}


def _object(properties: dict[str, Schema], texts: dict[str, str]) -> Schema:
    return {
        "type": "object",
        "properties": {key: _key(schema, texts.get(key)) for key, schema in properties.items()},
        "additionalProperties": False,
    }


def _key(schema: Schema, text: str | None) -> Schema:
    """One key, with what its marks say in words."""
    kept = {key: value for key, value in partial(schema).items() if not key.startswith("x-")}
    mark, plugin = schema.get("x-deprecated"), schema.get("x-plugin")
    words = [text] if text else []
    if mark:
        use = " and ".join(mark["use"])
        state = "No longer works" if mark.get("removed") else "Deprecated"
        words.append(f"{state}: {f'use {use}' if use else 'leave it out'}.")
        kept["deprecated"] = True
    if plugin:
        words.append(f"Needs `plugins: [{plugin}]`.")
    words.append("A key of axolotl.")
    return or_interpolation({**kept, "description": " ".join(words)})


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _renamed(inner) for key, inner in value.items()}
    if isinstance(value.get("$ref"), str):
        found["$ref"] = value["$ref"].replace(REFERENCE, f"{REFERENCE}{PREFIX}")
    return found
