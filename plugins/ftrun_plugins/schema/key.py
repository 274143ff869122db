"""The documentation of one key, found in the schema by its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.json_schema import ANYTHING, Schema
from ftrun.utils.schema_messages import describe_options
from ftrun.utils.suggest import nearest
from ftrun_plugins.schema.models import alternatives, part_of, properties_of

MOST_KEYS = 40


@dataclass(frozen=True)
class Key:
    """What is known of a key."""

    path: str
    meanings: dict[str, str]  # by the part that it is a key of; by nothing where it means the same in all of them
    accepts: str | None
    default: Any = None
    keys: tuple[str, ...] = ()  # below it

    def lines(self) -> Iterator[str]:
        yield self.path
        if not self.meanings:
            yield "  No description: see axolotl's documentation."
        for name, text in self.meanings.items():
            yield f"  {name + ': ' if name else ''}{_sentence(text)}"
        if self.accepts:
            yield f"    accepts   {self.accepts}"
        if self.default not in (None, {}, [], ""):
            yield f"    default   {self.default}"
        if self.keys:
            more = f" and {len(self.keys) - MOST_KEYS} more" if len(self.keys) > MOST_KEYS else ""
            yield f"    keys      {', '.join(self.keys[:MOST_KEYS])}{more}"


def find(path: str, document: Schema) -> Key:
    """The key at a path such as `train.learning_rate`, or one by its last name alone.

    Raises:
        InvalidInput: with the nearest names.
    """
    parts = path.strip(".").split(".")
    if len(parts) == 1 and parts[0] not in document["properties"]:
        parts = _whole(parts[0], document) or parts
    schema: Schema = document
    for place, part in enumerate(parts):
        known = properties_of(schema, document)
        others = [option.get("additionalProperties") for option in alternatives(schema, document)]
        free = next((one for one in others if isinstance(one, dict)), None)
        if part in known:
            schema = known[part]
        elif free is not None:
            schema = free
        else:
            raise InvalidInput(_unknown(parts[: place + 1], list(known), document))
    return _described(".".join(parts), schema, document)


def _whole(name: str, document: Schema) -> list[str] | None:
    """Where a key is that is named without its section: a trainer's key before an optimization of that name."""
    for section in sorted(document["properties"], key=lambda name: name != "train"):
        if name in properties_of(document["properties"][section], document) and section != "defaults":
            return [section, name]
    return None


def _unknown(parts: list[str], known: list[str], document: Schema) -> Problem:
    name, before = parts[-1], ".".join(parts[:-1])
    near = nearest(name, known)
    if not near and not before:
        keys = {f"train.{key}": key for key in properties_of(document["properties"]["train"], document)}
        meant = nearest(name, keys.values())
        near = tuple(f"train.{key}" for key in meant)
    within = f" in `{before}`" if before else ""
    few = f"one of {', '.join(known)}" if 0 < len(known) <= 20 else None
    return Problem("unknown-key", f"there is no key `{name}`{within}", "--key", few, near)


def _described(path: str, schema: Schema, document: Schema) -> Key:
    options = [option for option in alternatives(schema, document) if option != ANYTHING]
    fixed = [option for option in options if "properties" not in option]
    if fixed and len(fixed) < len(options):
        fixed.append({"type": "object"})
    return Key(
        path,
        _meanings(schema, document),
        describe_options(fixed) if fixed and not all(option == {} for option in fixed) else None,
        schema.get("default"),
        tuple(properties_of(schema, document)),
    )


def _meanings(schema: Schema, document: Schema) -> dict[str, str]:
    if text := schema.get("description"):
        return {"": text}
    found = {}
    for option in schema.get("anyOf") or alternatives(schema, document):
        if text := option.get("description"):
            found[part_of(option) or ""] = text
    if len(set(found.values())) == 1:
        return {"": next(iter(found.values()))}
    return found


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
