"""Files of JSON lines: read one by one, and kept by a stage whose next try goes on where this one ended."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ftrun.utils.jsonl import read_lines

Line = dict[str, Any]


class ResumableJsonl:
    """Results by their `index`, each written as soon as it is known; may be added to from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.found: dict[int, Line] = {}
        if path.exists():
            content = path.read_bytes()
            path.write_bytes(content[: content.rfind(b"\n") + 1])  # without the line that an earlier try was killed in
            self.found = {line["index"]: line for line in read_lines(path)}

    def add(self, line: Line) -> Line:
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.found[line["index"]] = line
        return line
