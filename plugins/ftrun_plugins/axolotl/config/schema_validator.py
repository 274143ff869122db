"""Compares a configuration with a JSON schema, going into the alternative that was meant.

A general validator says of a misspelt key under `anyOf` that the value "is not valid under any of the given schemas".
Here the alternative is chosen first, by kind of value, then by its fixed words, then by the fewest mistakes, and only
that one's mistakes are told. Only the keywords that the exported schema uses are understood; a test holds the verdicts
against those of `jsonschema`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

from ftrun.api.issues import Issue
from ftrun.utils.schema_messages import (
    Path,
    Schema,
    describe_options,
    fixed_values,
    fixed_words,
    format_path,
    format_value,
    list_words,
    number_hint,
)
from ftrun.utils.suggest import nearest

MOST_FINDINGS = 50
FEW_KEYS = 12  # an object with no more is described by naming them


@dataclass(frozen=True)
class Comparison:
    """One schema document's rules, applied at any depth.

    Attributes:
        definitions: What `$ref` refers to.
        remarks: Asked about each known key that is set, for what JSON Schema cannot say.
    """

    definitions: Mapping[str, Schema]
    remarks: Callable[[Path, object, Schema], Iterable[Issue]] = lambda _path, _value, _schema: ()

    def findings(self, value: object, schema: Schema, path: Path = ()) -> Iterator[Issue]:
        """Yields what is wrong with `value`, in the order of the document."""
        options = list(self._options(schema))
        fitting = [option for option in options if _has_type(value, option)]
        if fitting and isinstance(value, (Mapping, list, tuple)):
            attempts = [(option, list(islice(self._inside(value, option, path), MOST_FINDINGS))) for option in fitting]
            yield from min(attempts, key=lambda attempt: _distance(value, *attempt))[1]
        elif not any(_allows(value, option) for option in fitting):
            yield _unacceptable(value, options, path)

    def _options(self, schema: Schema) -> Iterator[Schema]:
        """The alternatives of a schema, references followed and nested alternatives flattened."""
        if "$ref" in schema:
            yield from self._options(self.definitions[schema["$ref"].rpartition("/")[2]])
        elif "anyOf" in schema and "type" not in schema:
            for option in schema["anyOf"]:
                yield from self._options(option)
        else:
            yield schema

    def _inside(self, value: object, schema: Schema, path: Path) -> Iterator[Issue]:
        if isinstance(value, Mapping):
            yield from self._inside_object(value, schema, path)
        elif isinstance(value, (list, tuple)):
            yield from self._inside_array(value, schema, path)

    def _inside_object(self, value: Mapping[object, object], schema: Schema, path: Path) -> Iterator[Issue]:
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for key, item in value.items():
            here = (*path, key if isinstance(key, int) else str(key))
            if key in known:
                yield from self.findings(item, known[key], here)
                if item is not None:
                    yield from self.remarks(here, item, known[key])
            elif others is False:
                names = list_words(list(known)) if len(known) <= FEW_KEYS else None
                yield Issue("unknown-key", here, f"unknown key `{format_path(here)}`", names, nearest(key, known))
            elif others is not True:
                yield from self.findings(item, others, here)
        yield from _missing(value, schema, path)

    def _inside_array(self, value: Sequence[object], schema: Schema, path: Path) -> Iterator[Issue]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
        if not least <= len(value) <= most:
            wanted = f"exactly {least}" if least == schema.get("maxItems") else f"at least {least}"
            count = f"{wanted} item" if least == 1 else f"{wanted} items"
            yield Issue("invalid-value", path, f"`{format_path(path)}` must have {count}, not {len(value)}", count, ())
        first = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            rule = first[index] if index < len(first) else schema.get("items", {})
            yield from self.findings(item, rule, (*path, index))


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether this is a number to JSON: true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _has_type(value: object, option: Schema) -> bool:
    match option.get("type"):
        case "integer":  # 3.0 is one, to JSON Schema as to pydantic
            return _is_number(value) and value == value // 1
        case "number":
            return _is_number(value)
        case "array":
            return isinstance(value, (list, tuple))
        case "object":
            return isinstance(value, Mapping)
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "null":
            return value is None
        case None:
            return True
        case other:
            raise ValueError(f"the schema has a type that is not understood: {other!r}")


def _allows(value: object, option: Schema) -> bool:
    """Whether a scalar of the right type keeps to the option's words and bounds."""
    fixed = fixed_values(option)
    if fixed and value not in fixed:
        return False
    if isinstance(value, str):
        return len(value) >= option.get("minLength", 0) and bool(re.search(option.get("pattern", ""), value))
    if isinstance(value, (int, float)):
        low, high = option.get("minimum", value), option.get("maximum", value)
        over, under = option.get("exclusiveMinimum"), option.get("exclusiveMaximum")
        return bool(low <= value <= high and (over is None or value > over) and (under is None or value < under))
    return True


def _distance(value: object, option: Schema, found: Sequence[Issue]) -> tuple[bool, int, int, int]:
    """Sorts alternatives: valid ones first, then those whose fixed fields fit, then by the number of mistakes."""
    fixed = {name: fixed_values(item) for name, item in option.get("properties", {}).items()}
    fields = value if isinstance(value, Mapping) else {}
    fits = [fields[name] in values for name, values in fixed.items() if values and name in fields]
    return bool(found), fits.count(False), -fits.count(True), len(found)


def _missing(value: Mapping[object, object], schema: Schema, path: Path) -> Iterator[Issue]:
    for name in schema.get("required", []):
        if name not in value:
            yield Issue("missing-key", (*path, name), f"missing key `{format_path((*path, name))}`", None, ())
    either = [option["required"][0] for option in schema.get("anyOf", [])]
    if either and all(value.get(name) is None for name in either):
        names = " or ".join(f"`{name}`" for name in either)
        yield Issue("missing-key", (*path, either[0]), f"missing key {names}", None, ())


def _unacceptable(value: object, options: Sequence[Schema], path: Path) -> Issue:
    close = nearest(value, fixed_words(options)) if isinstance(value, str) else ()
    expected = describe_options(options, close)
    message = f"`{format_path(path)}` must be {expected}, not {format_value(value)}"
    return Issue("invalid-value", path, message, expected + number_hint(value, options), close)
