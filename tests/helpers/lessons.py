"""Fenced blocks of the lessons in `docs/tutorials`, and of other pages, which tests execute in order."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
LESSONS = DOCS / "tutorials"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def read_blocks(lesson: str, folder: Path = LESSONS) -> list[tuple[str, str]]:
    """Return language and text of each block of a page, in order."""
    return BLOCK.findall((folder / lesson).read_text(encoding="utf-8"))


def write_file(text: str, folder: Path) -> None:
    """Write a block to the file that its first line names."""
    name = text.partition("\n")[0].removeprefix("# ")
    (folder / name).write_text(text, encoding="utf-8")
