"""What is wrong with a configuration, in plain English and bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

LONGEST_VALUE = 60  # characters shown of one value
MOST_WORDS = 8  # words named of a long list of accepted ones

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


def dotted(path: Path) -> str:
    """Writes a path as people do: `datasets[0].type`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_shorten(step)}" for step in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """Writes a value as it stands in YAML, shortened; of a container only the kind."""
    if isinstance(value, Mapping):
        return KINDS["object"]
    if isinstance(value, (list, tuple)):
        return KINDS["array"]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(_shorten(value)) if isinstance(value, str) else _shorten(str(value))


def one_of(words: Iterable[str], first: Iterable[str] = ()) -> str:
    """Lists the words to choose from; when they are many, those in `first` and some others."""
    words = list(dict.fromkeys([*first, *words]))
    if len(words) == 1:
        return words[0]
    more = len(words) - MOST_WORDS
    return "one of " + ", ".join(words[:MOST_WORDS]) + (f" and {more} more" if more > 0 else "")


def fixed_values(option: Schema) -> Sequence[object]:
    """The only values that an alternative allows, if it names them."""
    values: Sequence[object] = option.get("enum", ())
    return [option["const"]] if "const" in option else values


def words_of(options: Iterable[Schema]) -> list[str]:
    """The fixed values of all alternatives, as they stand in YAML."""
    fixed = [value for option in options for value in fixed_values(option)]
    return [value if isinstance(value, str) else shown(value) for value in fixed]


def accepted(options: Sequence[Schema], close: Sequence[str] = ()) -> str:
    """Describes all that a key accepts, the words in `close` first; null goes without saying."""
    kinds = [option.get("type") for option in options]
    words = words_of(options)
    told = {"null", "integer" if "number" in kinds else "", "boolean" if words else ""}
    if words and "boolean" in kinds:
        words += ["true", "false"]
    phrases = [one_of(words, close)] if words else []
    phrases += [_phrase(each) for each in options if each.get("type") not in told and not fixed_values(each)]
    return " or ".join(dict.fromkeys(phrases)) or KINDS["null"]


def number_hint(value: object, options: Sequence[Schema]) -> str:
    """What to add where YAML 1.1 took a number for text."""
    wanted = any(option.get("type") == "number" for option in options)
    if wanted and isinstance(value, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value.strip()):
        return " (YAML reads 1e-8 as text but 1.0e-8 as a number)"
    return ""


def _phrase(option: Schema) -> str:
    if "x-meaning" in option:
        return str(option["x-meaning"])
    kind = KINDS.get(option.get("type", ""), "anything")
    if option.get("type") == "array" and option.get("items"):
        items = option["items"]
        return f"{kind} of {KINDS[items['type']]}" if items.get("type") == "string" else kind
    bounds = " and ".join(text.format(option[name]) for name, text in BOUNDS.items() if name in option)
    return f"{kind} {bounds}" if bounds else kind


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
