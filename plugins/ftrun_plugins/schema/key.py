"""Documentation of one recipe key, found in the schema by its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.json_schema import ANYTHING, Schema
from ftrun.utils.schema_messages import describe_options
from ftrun.utils.suggest import nearest
from ftrun_plugins.schema.models import alternatives, part_of, properties_of

MAX_KEYS = 40  # keys to list below a key


@dataclass(frozen=True)
class Key:
    """Documentation of a recipe key.

    Attributes:
        path: Path of the key, such as `train.learning_rate`.
        meanings: Description by the part that the key belongs to, or under "" if all parts have the same one.
        accepts: Accepted values, or None if there is no restriction.
        default: Default value.
        keys: Keys below this key.
    """

    path: str
    meanings: dict[str, str]
    accepts: str | None
    default: Any = None
    keys: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the lines of the text for a terminal."""
        yield self.path
        if not self.meanings:
            yield "  No description: see axolotl's documentation."
        for name, text in self.meanings.items():
            yield f"  {name + ': ' if name else ''}{_to_sentence(text)}"
        if self.accepts:
            yield f"    accepts   {self.accepts}"
        if self.default not in (None, {}, [], ""):
            yield f"    default   {self.default}"
        if self.keys:
            more = f" and {len(self.keys) - MAX_KEYS} more" if len(self.keys) > MAX_KEYS else ""
            yield f"    keys      {', '.join(self.keys[:MAX_KEYS])}{more}"


def find(path: str, document: Schema) -> Key:
    """Find a key by its path, such as `train.learning_rate`, or only by its last name.

    Raises:
        InvalidInput: If there is no such key. The error contains similar names.
    """
    parts = path.strip(".").split(".")
    if len(parts) == 1 and parts[0] not in document["properties"]:
        parts = _complete_path(parts[0], document) or parts
    schema: Schema = document
    for index, part in enumerate(parts):
        known = properties_of(schema, document)
        others = [option.get("additionalProperties") for option in alternatives(schema, document)]
        any_key = next((other for other in others if isinstance(other, dict)), None)
        if part in known:
            schema = known[part]
        elif any_key is not None:
            schema = any_key
        else:
            raise InvalidInput(_report_unknown_key(parts[: index + 1], list(known), document))
    return _describe(".".join(parts), schema, document)


def _complete_path(name: str, document: Schema) -> list[str] | None:
    """Return the path of a key that is named without its section. The section `train` is searched first."""
    for section in sorted(document["properties"], key=lambda name: name != "train"):
        if name in properties_of(document["properties"][section], document) and section != "defaults":
            return [section, name]
    return None


def _report_unknown_key(parts: list[str], known: list[str], document: Schema) -> Problem:
    name, parent = parts[-1], ".".join(parts[:-1])
    similar = nearest(name, known)
    if not similar and not parent:
        keys = {f"train.{key}": key for key in properties_of(document["properties"]["train"], document)}
        similar = tuple(f"train.{key}" for key in nearest(name, keys.values()))
    place = f" in `{parent}`" if parent else ""
    expected = f"one of {', '.join(known)}" if 0 < len(known) <= 20 else None
    return Problem("unknown-key", f"unknown key `{name}`{place}", "--key", expected, similar)


def _describe(path: str, schema: Schema, document: Schema) -> Key:
    options = [option for option in alternatives(schema, document) if option != ANYTHING]
    fixed = [option for option in options if "properties" not in option]
    if fixed and len(fixed) < len(options):
        fixed.append({"type": "object"})
    return Key(
        path,
        _find_meanings(schema, document),
        describe_options(fixed) if fixed and not all(option == {} for option in fixed) else None,
        schema.get("default"),
        tuple(properties_of(schema, document)),
    )


def _find_meanings(schema: Schema, document: Schema) -> dict[str, str]:
    if text := schema.get("description"):
        return {"": text}
    meanings = {}
    for option in schema.get("anyOf") or alternatives(schema, document):
        if text := option.get("description"):
            meanings[part_of(option) or ""] = text
    if len(set(meanings.values())) == 1:
        return {"": next(iter(meanings.values()))}
    return meanings


def _to_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
