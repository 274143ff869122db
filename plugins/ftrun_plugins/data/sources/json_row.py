"""Parser of one line of JSON. Fast if the line is valid, and exact about the fault if it is not."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten, type_name
from ftrun_plugins.data.sources.json_diagnosis import MAX_DEPTH, TOO_DEEP, Fault, find_fault

# A colon after a quote, after a quote and a blank, or after two blanks. A pattern that begins with a literal is fast.
POSSIBLE_KEY_END = re.compile(rb':(?:(?<=":)|(?<="[ \t\r\n]:)|(?<=[ \t\r\n]{2}:))')
CONTAINERS = frozenset((dict, list))
KEY_END = re.compile(rb'"[ \t\r\n]*:')
ESCAPED_KEY_END = re.compile(rb'\\"[ \t\r\n]*:')


def parse(line: bytes, name: str, number: int) -> Row | BadRow:
    """Return the row of a line, or a bad row with the reason."""
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _make_bad_row(
            line, name, number, find_fault(line) or Fault("invalid-json", f"the line is not JSON: {error.msg}")
        )
    is_list = False
    if type(values) is list and (column := _column_of_turns(values)):
        values, is_list = {column: values}, True
    if type(values) is not dict:
        return _make_bad_row(line, name, number, Fault("wrong-type", f"the row is {type_name(values)}, not an object"))
    keys, depth = _count_keys_and_depth(values)
    if depth > MAX_DEPTH:
        return _make_bad_row(line, name, number, TOO_DEEP)
    if _may_repeat_key(line, keys - is_list) and (fault := find_fault(line)):
        return _make_bad_row(line, name, number, fault)
    return Row(values, name, number)


def _column_of_turns(values: list[Any]) -> str | None:
    """Return the column for a row that is a list of messages or of turns, or None if it is another list."""
    first = values[0] if values else None
    if type(first) is not dict:
        return None
    return "messages" if "role" in first else "conversations" if "from" in first and "value" in first else None


def _make_bad_row(line: bytes, name: str, number: int, fault: Fault) -> BadRow:
    return BadRow(name, number, fault.reason, shorten(line), fault.code)


def _count_keys_and_depth(row: dict[str, Any]) -> tuple[int, int]:
    """Return the total number of keys of all objects in a row, and the number of levels of objects and lists."""
    keys, depth = 0, 0
    level: list[Any] = [row]
    while level:
        depth += 1
        next_level: list[Any] = []
        for container in level:
            children = container
            if type(container) is dict:
                keys += len(container)
                children = container.values()
            for child in children:  # faster than a comprehension, because most have few containers or none
                if type(child) in CONTAINERS:
                    next_level.append(child)  # noqa: PERF401
        level = next_level
    return keys, depth


def _may_repeat_key(line: bytes, keys: int) -> bool:
    """Return True if the line may hold more keys than its parsed value, because a repeated key replaced another one.

    Every key ends in a quote and a colon, perhaps with blanks between them. If there are no more of these than keys, no
    key is repeated. Inside a string, the quote is escaped; these occurrences are subtracted, unless a key may itself
    end in a backslash.
    """
    ends = len(POSSIBLE_KEY_END.findall(line))
    if ends == keys:
        return False
    escaped = 0 if b'\\\\"' in line else len(ESCAPED_KEY_END.findall(line))
    return ends - escaped != keys and len(KEY_END.findall(line)) - escaped != keys
