"""Reader of plain text, by line, paragraph or file. Memory is bounded by the longest row that is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten
from ftrun_plugins.data.sources.encoding_errors import DecodingErrors
from ftrun_plugins.data.sources.file_signature import UTF8_BOM, blank_file_error
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.text_encoding import UTF8


def read_text(path: Path, name: str, by: str, encoding: str = UTF8) -> Iterator[Row | BadRow]:
    """Yield rows with the column `text`, at the line where the text begins. Blank texts are skipped.

    Raises:
        InvalidInput: If the file cannot be read, or has only blank lines.
    """
    has_rows = False
    errors = DecodingErrors(path, name, encoding)
    with open_data(path, name, encoding) as file:
        for number, text, is_whole in _split(file, by):
            has_rows = True
            row = _make_row(text, name, number, is_whole)
            yield row if isinstance(row, Row) else errors.explain(row, text)
    if not has_rows:
        raise blank_file_error(name)


def _split(file: BinaryIO, by: str) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the number of the first line of each text, its bytes, and False if bytes over the limit were left out."""
    start, collected, size = 0, list[bytes](), 0
    for number, line in _read_lines(file):
        is_blank = not line.strip()
        if collected and ((by == "line" and number != start) or (by == "paragraph" and is_blank)):
            yield start, b"".join(collected), size <= MAX_ROW_BYTES
            collected, size = [], 0
        if is_blank and (not collected or by == "line"):
            continue
        start = start if collected else number
        size += len(line)
        if size <= MAX_ROW_BYTES or not collected:
            collected.append(line[:MAX_ROW_BYTES])
    if collected:
        yield start, b"".join(collected), size <= MAX_ROW_BYTES


def _read_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers. A line that is too long comes in pieces with the same number."""
    number, continues = 0, False
    while line := file.readline(MAX_ROW_BYTES + 1):
        number += not continues
        continues = not line.endswith(b"\n")
        yield number, line.removeprefix(UTF8_BOM) if number == 1 else line


def _make_row(text: bytes, name: str, number: int, is_whole: bool) -> Row | BadRow:
    if not is_whole:
        reason = f"the text is longer than {MAX_ROW_BYTES // 1_000_000} MB"
        return BadRow(name, number, reason, shorten(text), "too-large")
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return BadRow(name, number, "the text cannot be decoded", shorten(text), "invalid-encoding")
    if "\0" in decoded:
        return BadRow(name, number, "the text holds a NUL byte", shorten(text), "invalid-encoding")
    return Row({"text": decoded.replace("\r\n", "\n").rstrip("\n")}, name, number)
