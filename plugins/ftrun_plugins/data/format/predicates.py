"""Conditions of filters, as functions that return True if a value meets the condition."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any

import orjson

from ftrun.api.dataset import Filter, Value
from ftrun.utils.safe_regex import search

Predicate = Callable[[Any], bool]
CACHE = 64_000  # kB of digests in memory; the rest is on disk


def build_predicate(row_filter: Filter) -> Predicate:
    """Return the predicate for the condition of a filter. It is called with values that are not null."""
    match row_filter.condition:
        case "equals" | "one_of":
            values = row_filter.one_of if row_filter.one_of is not None else (row_filter.equals,)
            return lambda value: any(_is_equal(value, other) for other in values)
        case "none_of":
            return lambda value: not any(_is_equal(value, other) for other in row_filter.none_of or ())
        case "not_empty":
            return _is_not_empty
        case "min_characters":
            return lambda value: count_characters(value) >= (row_filter.min_characters or 0)
        case "max_characters":
            return lambda value: count_characters(value) <= (row_filter.max_characters or 0)
        case "matches":
            return search(row_filter.matches or "")
        case "min" | "max":
            return _build_range(row_filter.min, row_filter.max)
    return Distinct().is_new


def count_characters(value: Any) -> int:
    """Return the length of a string, or of all strings inside a list or an object, such as the messages of a chat."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(count_characters, value.values()))
    return sum(map(count_characters, value)) if isinstance(value, list | tuple) else 0


def _is_equal(value: Any, target: Value | None) -> bool:
    """Return True if a value equals `target`.

    A string that holds a number equals the number, because all values in CSV are strings. `true` does not equal 1.
    """
    if isinstance(target, bool) or isinstance(value, bool):
        return value is target
    if isinstance(target, int | float) and isinstance(value, str):
        return _parse_number(value) == target
    return bool(value == target)


def _parse_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _build_range(minimum: float | None, maximum: float | None) -> Predicate:
    def is_in_range(value: Any) -> bool:
        number = _parse_number(value)
        return number is not None and (minimum is None or number >= minimum) and (maximum is None or number <= maximum)

    return is_in_range


def _is_not_empty(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return bool(value) if isinstance(value, dict | list | tuple) else True


class Distinct:
    """Set of values, as digests of 128 bits in a private SQLite file with a bounded cache."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)  # a private file, deleted on close
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute(f"PRAGMA cache_size=-{CACHE}")
        self._connection.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("BEGIN")
        self._cursor = self._connection.cursor()

    def is_new(self, value: Any) -> bool:
        """Add a value. Return True if no equal value was added before. The order of keys does not count."""
        try:
            content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            return True  # rejected later, with its place
        digest = hashlib.blake2b(content, digest_size=16).digest()
        return self._cursor.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,)).rowcount > 0

    def __del__(self) -> None:
        self._connection.close()
