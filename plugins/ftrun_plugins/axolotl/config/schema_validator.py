"""JSON Schema validator that reports the errors of the most likely alternative.

For a misspelt key under `anyOf`, a general validator reports only that the value "is not valid under any of the given
schemas". This validator first selects an alternative: by the type of the value, then by its fixed values, then by the
number of errors. It reports only the errors of that alternative. It supports only the keywords of the exported schema.
A test compares its verdicts with those of `jsonschema`.
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

MAX_ISSUES = 50
MAX_LISTED_KEYS = 12  # keys of an object that a message lists; more are not listed


@dataclass(frozen=True)
class SchemaValidator:
    """Validator for one schema document.

    Attributes:
        definitions: Targets of `$ref`, by name.
        check_key: Function that returns issues of a known key that is set, for rules that JSON Schema cannot express.
    """

    definitions: Mapping[str, Schema]
    check_key: Callable[[Path, object, Schema], Iterable[Issue]] = lambda _path, _value, _schema: ()

    def find_issues(self, value: object, schema: Schema, path: Path = ()) -> Iterator[Issue]:
        """Yield everything that is wrong with `value`, in the order of the document."""
        options = list(self._list_options(schema))
        candidates = [option for option in options if _has_type(value, option)]
        if candidates and isinstance(value, (Mapping, list, tuple)):
            attempts = [
                (option, list(islice(self._check_items(value, option, path), MAX_ISSUES))) for option in candidates
            ]
            yield from min(attempts, key=lambda attempt: _make_sort_key(value, *attempt))[1]
        elif not any(_allows(value, option) for option in candidates):
            yield _report_invalid_value(value, options, path)

    def _list_options(self, schema: Schema) -> Iterator[Schema]:
        """Yield the alternatives of a schema. References are followed, nested alternatives are flattened."""
        if "$ref" in schema:
            yield from self._list_options(self.definitions[schema["$ref"].rpartition("/")[2]])
        elif "anyOf" in schema and "type" not in schema:
            for option in schema["anyOf"]:
                yield from self._list_options(option)
        else:
            yield schema

    def _check_items(self, value: object, schema: Schema, path: Path) -> Iterator[Issue]:
        if isinstance(value, Mapping):
            yield from self._check_object(value, schema, path)
        elif isinstance(value, (list, tuple)):
            yield from self._check_array(value, schema, path)

    def _check_object(self, value: Mapping[object, object], schema: Schema, path: Path) -> Iterator[Issue]:
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for key, item in value.items():
            item_path = (*path, key if isinstance(key, int) else str(key))
            if key in known:
                yield from self.find_issues(item, known[key], item_path)
                if item is not None:
                    yield from self.check_key(item_path, item, known[key])
            elif others is False:
                names = list_words(list(known)) if len(known) <= MAX_LISTED_KEYS else None
                what = f"unknown key `{format_path(item_path)}`"
                yield Issue("unknown-key", item_path, what, names, nearest(key, known))
            elif others is not True:
                yield from self.find_issues(item, others, item_path)
        yield from _find_missing_keys(value, schema, path)

    def _check_array(self, value: Sequence[object], schema: Schema, path: Path) -> Iterator[Issue]:
        low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
        if not low <= len(value) <= high:
            bound = f"exactly {low}" if low == schema.get("maxItems") else f"at least {low}"
            count = f"{bound} item" if low == 1 else f"{bound} items"
            yield Issue("invalid-value", path, f"`{format_path(path)}` must have {count}, not {len(value)}", count, ())
        first = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            rule = first[index] if index < len(first) else schema.get("items", {})
            yield from self.find_issues(item, rule, (*path, index))


def _is_number(value: object) -> TypeGuard[int | float]:
    """Return whether JSON Schema treats the value as a number. True and false are not numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _has_type(value: object, option: Schema) -> bool:
    match option.get("type"):
        case "integer":  # JSON Schema and pydantic accept 3.0 too
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
        case kind:
            raise ValueError(f"unsupported type in the schema: {kind!r}")


def _allows(value: object, option: Schema) -> bool:
    """Return whether a scalar of the right type has one of the fixed values and is within the bounds of an option."""
    fixed = fixed_values(option)
    if fixed and value not in fixed:
        return False
    if isinstance(value, str):
        return len(value) >= option.get("minLength", 0) and bool(re.search(option.get("pattern", ""), value))
    if isinstance(value, (int, float)):
        low, high = option.get("minimum", value), option.get("maximum", value)
        above, below = option.get("exclusiveMinimum"), option.get("exclusiveMaximum")
        return bool(low <= value <= high and (above is None or value > above) and (below is None or value < below))
    return True


def _make_sort_key(value: object, option: Schema, issues: Sequence[Issue]) -> tuple[bool, int, int, int]:
    """Return a sort key for alternatives: valid first, then by matching fixed fields, then by number of issues."""
    fixed = {name: fixed_values(item) for name, item in option.get("properties", {}).items()}
    fields = value if isinstance(value, Mapping) else {}
    matches = [fields[name] in values for name, values in fixed.items() if values and name in fields]
    return bool(issues), matches.count(False), -matches.count(True), len(issues)


def _find_missing_keys(value: Mapping[object, object], schema: Schema, path: Path) -> Iterator[Issue]:
    for name in schema.get("required", []):
        if name not in value:
            yield Issue("missing-key", (*path, name), f"missing key `{format_path((*path, name))}`", None, ())
    either = [option["required"][0] for option in schema.get("anyOf", [])]
    if either and all(value.get(name) is None for name in either):
        names = " or ".join(f"`{name}`" for name in either)
        yield Issue("missing-key", (*path, either[0]), f"missing key {names}", None, ())


def _report_invalid_value(value: object, options: Sequence[Schema], path: Path) -> Issue:
    close = nearest(value, fixed_words(options)) if isinstance(value, str) else ()
    expected = describe_options(options, close)
    message = f"`{format_path(path)}` must be {expected}, not {format_value(value)}"
    return Issue("invalid-value", path, message, expected + number_hint(value, options), close)
