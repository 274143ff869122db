"""Messages about bytes that are no text: the byte, the likely encoding, and the command that converts the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ftrun.api.sources import BadRow
from ftrun.utils.encoding_guess import conversion_command, guess_encoding
from ftrun.utils.text import truncate
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.text_encoding import UTF8, find_byte

SAMPLE_BYTES = 1 << 20  # read from the beginning of a file for a guess
SHOWN = 40  # characters of a line in the likely encoding
SETTING = "dataset.source.encoding"  # the stage `format` replaces `dataset.source` by the place of the source


class DecodingErrors:
    """Reasons and hints for the lines of one file that are no text. Only the first has a hint, because it is costly."""

    def __init__(self, path: Path, name: str, encoding: str) -> None:
        self._path, self._name, self._encoding = path, name, encoding
        self._explained = False

    def explain(self, row: BadRow, line: bytes, number: int | None = None) -> BadRow:
        """Return a bad row with the reason and a hint, if its line cannot be decoded.

        Args:
            row: The bad row.
            line: The line.
            number: Number of the line for the reason, if a row can have several lines.
        """
        of_line = f" of line {number}" if number else ""
        if self._encoding != UTF8:
            return self._explain_converted(row, line, of_line)
        try:
            line.decode()
        except UnicodeDecodeError as error:
            place = f"byte 0x{line[error.start]:02x} at position {error.start + 1}{of_line}"
            row = replace(row, reason=f"the line is not UTF-8: {place}", code="invalid-encoding")
            if self._explained:
                return row
            self._explained = True
            return replace(row, hint=self._hint(line, error.start))
        return row

    def _explain_converted(self, row: BadRow, line: bytes, of_line: str) -> BadRow:
        found = find_byte(line)
        if found is None:
            return row
        byte, position = found
        what = f"the line is not {self._encoding}: byte 0x{byte:02x} after {position} characters{of_line}"
        first, self._explained = not self._explained, True
        hint = f"set {SETTING} to the encoding of the file, or fix the line" if first else None
        return replace(row, reason=what, code="invalid-encoding", hint=hint)

    def _hint(self, line: bytes, start: int) -> str | None:
        sample, is_utf8 = _sample(self._path, self._name)
        likely = guess_encoding(sample or line) or guess_encoding(line)
        if likely is None:
            return f"set {SETTING} to the encoding of the file, or save the file as UTF-8"
        reading = f"in {likely}, the line has {excerpt(line, start, likely)}"
        if is_utf8:
            return f"fix the line; other lines are UTF-8 ({reading})"
        return f"the file is probably {likely} ({reading}): {remedies(likely, self._name)}"


def remedies(encoding: str, name: str) -> str:
    """Return the two ways to use a file in an encoding: the key of the recipe and the command that converts it."""
    return f"set {SETTING}={encoding}, or convert it: {conversion_command(encoding, name)}"


def excerpt(line: bytes, start: int, encoding: str) -> str:
    """Return the characters around a byte, as they are in an encoding."""
    text = line[max(0, start - SHOWN // 2) : start + SHOWN].decode(encoding, errors="ignore")
    return repr(truncate(text.strip(), SHOWN))


def _sample(path: Path, name: str) -> tuple[bytes, bool]:
    """Return lines from the beginning of a file that are not UTF-8, and True if more lines beyond ASCII are UTF-8."""
    bad, good = list[bytes](), 0
    with open_data(path, name) as file:
        lines = file.read(SAMPLE_BYTES).split(b"\n")
    for line in lines[: -1 if len(lines) > 1 else None]:
        try:
            good += not line.isascii() and bool(line.decode())
        except UnicodeDecodeError:
            bad.append(line)
    return b"\n".join(bad), good > len(bad)
