"""Reader of JSON Lines in constant memory. Each line becomes a row, or a bad row with the exact reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten
from ftrun_plugins.data.sources.encoding_errors import DecodingErrors
from ftrun_plugins.data.sources.file_signature import UTF8_BOM, blank_file_error, check_is_jsonl
from ftrun_plugins.data.sources.json_row import parse
from ftrun_plugins.data.sources.open_data import BLOCK, open_data
from ftrun_plugins.data.sources.text_encoding import UTF8

MAX_ROW_BYTES = 8_000_000  # longer than any context window; longer lines are usually files without line ends


def read_rows(path: Path, name: str, encoding: str = UTF8) -> Iterator[Row | BadRow]:
    """Yield the rows of a file, with `name` in their places. Blank lines are skipped, but counted.

    Raises:
        InvalidInput: If the file as a whole is wrong: empty, compressed, a JSON array, in another encoding.
    """
    check_is_jsonl(path, name, encoding)
    errors = DecodingErrors(path, name, encoding)
    number, has_rows = 0, False
    with open_data(path, name, encoding) as file:
        while line := file.readline(MAX_ROW_BYTES + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(UTF8_BOM)  # written by Windows programs
            if not line or line.isspace():
                continue
            has_rows = True
            if len(line) > MAX_ROW_BYTES:
                _skip_line(file, line)
                reason = f"the row is longer than {MAX_ROW_BYTES // 1_000_000} MB"
                yield BadRow(name, number, reason, shorten(line), "too-large")
            else:
                row = parse(line, name, number)
                yield row if isinstance(row, Row) else errors.explain(row, line)
    if not has_rows:
        raise blank_file_error(name)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    """Read to the end of the line that begins with `line`."""
    while line and not line.endswith(b"\n"):
        line = file.readline(BLOCK)
