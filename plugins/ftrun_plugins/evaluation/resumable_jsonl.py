"""JSON Lines file of a stage, from which the next attempt of the stage continues."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ftrun.utils.jsonl import read_lines

Line = dict[str, Any]


class ResumableJsonl:
    """Results by their `index`, each of which is written as soon as it is added. Several threads can add results."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.lines: dict[int, Line] = {}
        if path.exists():
            content = path.read_bytes()
            # Remove an incomplete last line, which remains if an earlier attempt was killed.
            path.write_bytes(content[: content.rfind(b"\n") + 1])
            self.lines = {line["index"]: line for line in read_lines(path)}

    def add(self, line: Line) -> Line:
        """Append a line to the file and return it."""
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.lines[line["index"]] = line
        return line
