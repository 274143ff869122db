"""Fenced blocks of the lessons in `docs/tutorials`, which tests execute in order."""

from __future__ import annotations

import re
from pathlib import Path

LESSONS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def read_blocks(lesson: str) -> list[tuple[str, str]]:
    """Return language and text of each block of a lesson, in order."""
    return BLOCK.findall((LESSONS / lesson).read_text(encoding="utf-8"))


def write_file(text: str, folder: Path) -> None:
    """Write a block to the file that its first line names."""
    name = text.partition("\n")[0].removeprefix("# ")
    (folder / name).write_text(text, encoding="utf-8")
