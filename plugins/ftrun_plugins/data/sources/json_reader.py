"""Reads a JSON file that is one list of objects, or an object with such a list under a key, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.sources.file_signature import read_head
from ftrun_plugins.data.sources.json_row import parse
from ftrun_plugins.data.sources.json_scanner import Scanner
from ftrun_plugins.data.sources.open_data import open_data

EXPECTED = "a list of objects: [{…}, …]"
MOST_KEYS = 1000  # remembered, to name the nearest


def check_is_array(path: Path, name: str, field: str | None) -> None:
    """Raises `InvalidInput` where the file's beginning tells that it holds no list of rows, or not there."""
    first = read_head(path, name, "JSON", EXPECTED).lstrip()[:1]
    if first == b"[" and field is not None:
        raise InvalidInput(
            Problem("wrong-format", "the file is a list, and no object with keys", name, hint="leave `field` out")
        )
    if first == b"{" and field is None:
        do = "name the key that holds the list in `field`, or read JSON Lines: dataset.source.name=jsonl"
        raise InvalidInput(
            Problem("wrong-format", "the file begins with an object, not with a list", name, EXPECTED, hint=do)
        )
    if first not in (b"[", b"{"):
        raise InvalidInput(
            Problem("wrong-format", "the file is not JSON, or neither a list nor an object", name, EXPECTED)
        )


def read_array(path: Path, name: str, field: str | None = None) -> Iterator[Row | BadRow]:
    """The rows of the list, numbered from 1.

    Raises:
        InvalidInput: where the file as a whole is wrong: no such list, an end too early, a comma missing between rows.
    """
    check_is_array(path, name, field)
    with open_data(path, name) as file:
        scanner = Scanner(file, name)
        if field is not None:
            _find(field, scanner, name)
        number = 0
        for number, (value, line) in enumerate(scanner.items(), start=1):
            row = parse(value, name, number)
            yield row if isinstance(row, Row) else replace(row, reason=_reason(row.reason, line))
        if field is None and scanner.peek():
            raise scanner.wrong("the end of the file")
        if number == 0:
            raise InvalidInput(Problem("no-rows", "the list is empty", name, EXPECTED))


def _find(field: str, scanner: Scanner, name: str) -> None:
    """Goes to the list under a key of the file's one object."""
    seen: list[str] = []
    for key in scanner.members():
        try:
            text = str(orjson.loads(key))
        except orjson.JSONDecodeError:
            text = key.decode(errors="replace")
        if text == field:
            if scanner.peek() != b"[":
                raise scanner.wrong(f"the list of `{field}`")
            return
        if len(seen) < MOST_KEYS:
            seen.append(text)
        scanner.skip()
    raise InvalidInput(
        Problem("unknown-key", f"the file's object has no key `{field}`", name, did_you_mean=nearest(field, seen))
    )


def _reason(reason: str, line: int) -> str:
    """Said of a row, and not of a line, with the line that it begins in."""
    return f"{reason.replace('the line', 'the row', 1)} (it begins in line {line})"
