"""Files and datasets of rows that imported configurations name, for all importers."""

from __future__ import annotations

from pathlib import Path

# Sources by the ending of the file.
SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".txt": "text"}
SUBSET_NOTE = "ftrun takes the files in the folder of this name; the card of the dataset may map the name elsewhere"


def has_lines(file: Path | None) -> bool:
    """Return whether a JSON file has one object per line, and no list around them. False if it cannot be read."""
    if file is None or not file.is_file():
        return False
    try:
        with file.open("rb") as stream:
            return stream.read(4096).lstrip()[:1] == b"{"
    except OSError:
        return False
