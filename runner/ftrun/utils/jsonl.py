"""Reader of JSON Lines files in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file, one per line. Yield nothing if there is no such file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
