"""One input of the catalogue: what is given to which formatter, and the line that must answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.errors import Problem


@dataclass(frozen=True)
class Bad:
    """An input that must be refused.

    Args:
        name: What is wrong, in few words; the test's id.
        data: The file's bytes, or its rows.
        reason: The whole of what the message says, or its beginning and `…` where libraries choose the words behind.
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
        """Whether a problem says this of this place; files are named from `folder` on."""
        where = problem.where and problem.where.removeprefix(f"{folder}/")
        beginning = self.reason.removesuffix("…")
        return where == self.where and (
            problem.what.startswith(beginning) if self.reason.endswith("…") else problem.what == self.reason
        )


@dataclass(frozen=True)
class Odd:
    """An input that looks wrong and is right; `examples` is what becomes of it, without places."""

    name: str
    data: bytes | Sequence[Any]
    examples: Sequence[Mapping[str, Any]]
    formatter: Mapping[str, Any] = field(default_factory=lambda: {"name": "completion"})
