"""Makes a row of one line of JSON, fast where the line is right and exact about what is wrong where it is not."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten, type_name
from ftrun_plugins.data.sources.json_diagnosis import MAX_DEPTH, TOO_DEEP, Fault, find_fault

KEY_END = re.compile(rb'"[ \t\r]*:')
ESCAPED_KEY_END = re.compile(rb'\\"[ \t\r]*:')


def parse(line: bytes, name: str, number: int) -> Row | BadRow:
    """The row that stands in a line, or the reason why there is none."""
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _bad(line, name, number, find_fault(line) or Fault("invalid-json", f"the line is not JSON: {error.msg}"))
    if type(values) is not dict:
        return _bad(line, name, number, Fault("wrong-type", f"the row is {type_name(values)}, not an object"))
    keys, depth = _keys_and_depth(values)
    if depth > MAX_DEPTH:
        return _bad(line, name, number, TOO_DEEP)
    if _may_repeat_a_key(line, keys) and (fault := find_fault(line)):
        return _bad(line, name, number, fault)
    return Row(values, name, number)


def _bad(line: bytes, name: str, number: int, fault: Fault) -> BadRow:
    return BadRow(name, number, fault.reason, shorten(line), fault.code)


def _keys_and_depth(row: dict[str, Any]) -> tuple[int, int]:
    """How many keys all objects of a row have together, and how many levels of objects and lists there are."""
    keys, depth = 0, 0
    level: list[Any] = [row]
    while level:
        depth += 1
        below: list[Any] = []
        for container in level:
            children = container
            if type(container) is dict:
                keys += len(container)
                children = container.values()
            for child in children:  # quicker than a comprehension, since most have no or few containers
                if type(child) is dict or type(child) is list:
                    below.append(child)  # noqa: PERF401
        level = below
    return keys, depth


def _may_repeat_a_key(line: bytes, keys: int) -> bool:
    """Whether the line could hold more keys than its parsed value: a repeated one has silently replaced another.

    Every key ends in a quote and a colon, so no more of those than keys means that none is repeated. The same two
    characters inside a text, where the quote is escaped, are taken off unless a key may itself end in a backslash.
    """
    if line.count(b":") == keys:
        return False
    ends = len(KEY_END.findall(line))
    if ends == keys:
        return False
    return b'\\\\"' in line or ends - len(ESCAPED_KEY_END.findall(line)) != keys
