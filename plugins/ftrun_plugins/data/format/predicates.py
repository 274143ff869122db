"""The conditions of filters, each as a function that says whether a value meets it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any

import orjson

from ftrun.api.dataset import Filter, Value
from ftrun.utils.safe_regex import search

Meets = Callable[[Any], bool]
CACHE = 64_000  # kB of digests in memory; more lie on disk


def condition(wanted: Filter) -> Meets:
    """What a value other than null has to be."""
    match wanted.condition:
        case "equals" | "one_of":
            values = wanted.one_of if wanted.one_of is not None else (wanted.equals,)
            return lambda value: any(_equal(value, one) for one in values)
        case "none_of":
            return lambda value: not any(_equal(value, one) for one in wanted.none_of or ())
        case "not_empty":
            return _is_not_empty
        case "min_characters":
            return lambda value: characters(value) >= (wanted.min_characters or 0)
        case "max_characters":
            return lambda value: characters(value) <= (wanted.max_characters or 0)
        case "matches":
            return search(wanted.matches or "")
        case "min" | "max":
            return _within(wanted.min, wanted.max)
    return Distinct().is_new


def characters(value: Any) -> int:
    """The length of a text, or of all texts inside a list or an object, such as the messages of a conversation."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(characters, value.values()))
    return sum(map(characters, value)) if isinstance(value, list | tuple) else 0


def _equal(value: Any, wanted: Value | None) -> bool:
    """A text that is a number equals the number, for in CSV everything is a text; true is not 1."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, int | float) and isinstance(value, str):
        return _number(value) == wanted
    return bool(value == wanted)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _within(least: float | None, most: float | None) -> Meets:
    def is_within(value: Any) -> bool:
        number = _number(value)
        return number is not None and (least is None or number >= least) and (most is None or number <= most)

    return is_within


def _is_not_empty(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return bool(value) if isinstance(value, dict | list | tuple) else True


class Distinct:
    """Knows values again by 128 bits of digest each, in a private file of SQLite with a bounded cache."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)  # a file that nobody else sees, gone when it is closed
        self._base.execute("PRAGMA journal_mode=OFF")
        self._base.execute(f"PRAGMA cache_size=-{CACHE}")
        self._base.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._base.execute("BEGIN")
        self._add = self._base.cursor()

    def is_new(self, value: Any) -> bool:
        """Whether no equal value came before. Objects with the same keys in another order are equal."""
        try:
            content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            return True  # what cannot be written is refused further on, with its place
        digest = hashlib.blake2b(content, digest_size=16).digest()
        return self._add.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,)).rowcount > 0

    def __del__(self) -> None:
        self._base.close()
