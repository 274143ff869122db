"""Reads JSON Lines: line by line in constant memory, each line a row or the exact reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten
from ftrun_plugins.data.sources.file_signature import UTF8_BOM, check_is_jsonl, only_blank_lines
from ftrun_plugins.data.sources.json_row import parse
from ftrun_plugins.data.sources.open_data import BLOCK, open_data

MAX_ROW_BYTES = 8_000_000  # longer than any context window; such a line is most often a file without line ends


def read_rows(path: Path, name: str) -> Iterator[Row | BadRow]:
    """The rows of a file, which their places call `name`. Blank lines are passed over but counted.

    Raises:
        InvalidInput: where the file as a whole is wrong: empty, compressed, a JSON array, in UTF-16.
    """
    check_is_jsonl(path, name)
    number, has_rows = 0, False
    with open_data(path, name) as file:
        while line := file.readline(MAX_ROW_BYTES + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(UTF8_BOM)  # written by Windows programs, and harmless here
            if not line or line.isspace():
                continue
            has_rows = True
            if len(line) > MAX_ROW_BYTES:
                _skip_line(file, line)
                reason = f"the row is longer than {MAX_ROW_BYTES // 1_000_000} MB"
                yield BadRow(name, number, reason, shorten(line), "too-large")
            else:
                yield parse(line, name, number)
    if not has_rows:
        raise only_blank_lines(name)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    """Reads on to the end of the line that began with `line`."""
    while line and not line.endswith(b"\n"):
        line = file.readline(BLOCK)
