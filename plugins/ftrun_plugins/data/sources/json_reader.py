"""Reader of JSON files with a list of objects, at the top level or under a key, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.sources.encoding_errors import DecodingErrors
from ftrun_plugins.data.sources.file_signature import read_head
from ftrun_plugins.data.sources.json_row import parse
from ftrun_plugins.data.sources.json_scanner import Scanner
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.text_encoding import UTF8

EXPECTED = "a list of objects: [{…}, …]"
MOST_KEYS = 1000  # stored for suggestions


def check_is_array(path: Path, name: str, field: str | None, encoding: str = UTF8) -> None:
    """Check the beginning of a JSON file.

    Args:
        path: The file.
        name: Name of the file in messages.
        field: Key of the list, or None if the list is at the top level.
        encoding: Encoding of the file.

    Raises:
        InvalidInput: If the beginning shows that there is no list of rows at this place.
    """
    first = read_head(path, name, "JSON", EXPECTED, encoding).lstrip()[:1]
    if first == b"[" and field is not None:
        raise InvalidInput(
            Problem("wrong-format", "the file is a list, not an object with keys", name, hint="remove `field`")
        )
    if first == b"{" and field is None:
        hint = "set `field` to the key of the list, or use the source for JSON Lines: dataset.source.name=jsonl"
        raise InvalidInput(
            Problem("wrong-format", "the file begins with an object, not with a list", name, EXPECTED, hint=hint)
        )
    if first not in (b"[", b"{"):
        raise InvalidInput(
            Problem("wrong-format", "the file is not JSON, or is neither a list nor an object", name, EXPECTED)
        )


def read_array(path: Path, name: str, field: str | None = None, encoding: str = UTF8) -> Iterator[Row | BadRow]:
    """Yield the rows of the list, numbered from 1.

    Raises:
        InvalidInput: If the file as a whole is wrong: no such list, an early end, a missing comma between rows.
    """
    check_is_array(path, name, field, encoding)
    errors = DecodingErrors(path, name, encoding)
    with open_data(path, name, encoding) as file:
        scanner = Scanner(file, name)
        if field is not None:
            _seek_list(field, scanner, name)
        number = 0
        for number, (value, line) in enumerate(scanner.items(), start=1):
            row = parse(value, name, number)
            if isinstance(row, BadRow):
                row = errors.explain(row, value)
                row = replace(row, reason=_rephrase(row.reason, line))
            yield row
        if field is None and scanner.peek():
            raise scanner.error("the end of the file")
        if number == 0:
            raise InvalidInput(Problem("no-rows", "the list is empty", name, EXPECTED))


def _seek_list(field: str, scanner: Scanner, name: str) -> None:
    """Move the scanner to the list under a key of the object in the file."""
    keys: list[str] = []
    for key in scanner.members():
        try:
            text = str(orjson.loads(key))
        except orjson.JSONDecodeError:
            text = key.decode(errors="replace")
        if text == field:
            if scanner.peek() != b"[":
                raise scanner.error(f"the list of `{field}`")
            return
        if len(keys) < MOST_KEYS:
            keys.append(text)
        scanner.skip()
    raise InvalidInput(
        Problem("unknown-key", f"the file's object has no key `{field}`", name, did_you_mean=nearest(field, keys))
    )


def _rephrase(reason: str, line: int) -> str:
    """Return a reason about a line as a reason about a row, with the first line of the row."""
    return f"{reason.replace('the line', 'the row', 1)} (the row begins in line {line})"
