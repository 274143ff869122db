"""JSON Lines file of a stage, from which the next attempt of the stage continues."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class ResumableJsonl:
    """Results by their `index`, each of which is written as soon as it is added. Several threads can add results."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.lines: dict[int, Line] = {}
        if path.exists():
            os.truncate(path, self._read(path))

    def _read(self, path: Path) -> int:
        """Read the lines before the first invalid one, which a kill or a full disk cut; return their length."""
        valid = 0
        with path.open("rb") as file:
            for content in file:
                line = _parse(content)
                if line is None:
                    break
                self.lines[line["index"]] = line
                valid += len(content)
        return valid

    def add(self, line: Line) -> Line:
        """Append a line to the file and return it."""
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            self.lines[line["index"]] = line
        return line


def _parse(content: bytes) -> Line | None:
    try:
        line = json.loads(content) if content.endswith(b"\n") else None
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("index"), int) else None
