"""Parts of messages about values that a JSON Schema does not accept, in plain words and of limited length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftrun.utils.text import dotted, truncate

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

MAX_VALUE_LENGTH = 60  # characters of a value in a message
MAX_WORDS = 8  # words of a list in a message

KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
BOUNDS = {
    "minimum": "of at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "of at most {}",
    "exclusiveMaximum": "less than {}",
    "pattern": "that matches `{}`",
    "minLength": "of {} characters or more",
}


def format_path(path: Path) -> str:
    """Return a path as text: `datasets[0].type`."""
    return dotted(path, MAX_VALUE_LENGTH)


def format_value(value: object) -> str:
    """Return a value as in YAML, shortened. A container is replaced by its type."""
    if isinstance(value, Mapping):
        return KINDS["object"]
    if isinstance(value, (list, tuple)):
        return KINDS["array"]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(truncate(value, MAX_VALUE_LENGTH)) if isinstance(value, str) else truncate(str(value), MAX_VALUE_LENGTH)


def list_words(words: Iterable[str], first: Iterable[str] = ()) -> str:
    """Return words to choose from as text, those in `first` at the beginning. A long list is cut."""
    words = list(dict.fromkeys([*first, *words]))
    if len(words) == 1:
        return words[0]
    more = len(words) - MAX_WORDS
    return "one of " + ", ".join(words[:MAX_WORDS]) + (f" and {more} more" if more > 0 else "")


def fixed_values(option: Schema) -> Sequence[object]:
    """Return the only values that an alternative allows; nothing if it does not list values."""
    values: Sequence[object] = option.get("enum", ())
    return [option["const"]] if "const" in option else values


def fixed_words(options: Iterable[Schema]) -> list[str]:
    """Return the fixed values of all alternatives, as in YAML."""
    values = [value for option in options for value in fixed_values(option)]
    return [value if isinstance(value, str) else format_value(value) for value in values]


def describe_options(options: Sequence[Schema], close: Sequence[str] = ()) -> str:
    """Return everything that a key accepts as text, the words in `close` first. Null is named only if it is all."""
    kinds = [option.get("type") for option in options]
    words = fixed_words(options)
    skipped = {"null", "integer" if "number" in kinds else "", "boolean" if words else ""}
    if words and "boolean" in kinds:
        words += ["true", "false"]
    phrases = [list_words(words, close)] if words else []
    phrases += [
        _describe_option(option) for option in options if option.get("type") not in skipped and not fixed_values(option)
    ]
    return " or ".join(dict.fromkeys(phrases)) or KINDS["null"]


def number_hint(value: object, options: Sequence[Schema]) -> str:
    """Return a hint for a number that YAML 1.1 reads as text, else an empty text."""
    accepts_number = any(option.get("type") == "number" for option in options)
    if accepts_number and isinstance(value, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value.strip()):
        return " (YAML reads 1e-8 as text but 1.0e-8 as a number)"
    return ""


def _describe_option(option: Schema) -> str:
    if "x-meaning" in option:
        return str(option["x-meaning"])
    kind = KINDS.get(option.get("type", ""), "anything")
    if option.get("type") == "array" and option.get("items"):
        items = option["items"]
        return f"{kind} of {KINDS[items['type']]}" if items.get("type") == "string" else kind
    bounds = " and ".join(text.format(option[name]) for name, text in BOUNDS.items() if name in option)
    return f"{kind} {bounds}" if bounds else kind
