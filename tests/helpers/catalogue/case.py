"""One input of the catalogue: what is given to which formatter, and the line that must answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem


@dataclass(frozen=True)
class Bad:
    """An input that must be refused.

    Args:
        name: What is wrong, in few words; the test's id.
        data: The file's bytes, or its rows.
        reason: The error code, and after a space what the message has to name: a part of the row, or a character.
        where: The place that it names.
        formatter: The formatter with its options.
        source: The source that reads the file; it is named `data.` and this.
    """

    name: str
    data: bytes | Sequence[Any]
    reason: str
    where: str | None = "data.jsonl:1"
    formatter: Mapping[str, Any] = field(default_factory=lambda: {"name": "completion"})
    source: str = "jsonl"

    def is_told(self, problem: Problem, folder: Path) -> bool:
        """Return whether a problem has this code and place, and names this part; files are relative to `folder`."""
        at = problem.at and problem.at.removeprefix(f"{folder}/")
        return at == self.where and is_about(problem.code, problem.what, self.reason)


def is_about(code: str, what: str, reason: str) -> bool:
    """Return whether an error has the code that `reason` begins with, and names the part behind it."""
    expected, _, part = reason.partition(" ")
    return code == expected and part in what


@dataclass(frozen=True)
class Odd:
    """An input that looks wrong and is right; `examples` is what becomes of it, without places."""

    name: str
    data: bytes | Sequence[Any]
    examples: Sequence[Mapping[str, Any]]
    formatter: Mapping[str, Any] = field(default_factory=lambda: {"name": "completion"})
