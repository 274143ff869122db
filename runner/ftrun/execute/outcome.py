"""How a stage call ended, as its process leaves it behind for the scheduler."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ftrun.errors import FtrunError, Interrupted, Problem, Refused, StageFailed, StoreFailed
from ftrun.store.files import read_json, write_json

OutcomeStatus = Literal["done", "failed", "stopped"]
Fault = Literal["user", "stage", "store"]


@dataclass(frozen=True)
class StageOutcome:
    """`done`, or why not and whose fault it was: the data or recipe, the stage itself, or the disk."""

    status: OutcomeStatus
    fault: Fault | None = None
    problems: tuple[Problem, ...] = ()

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> StageOutcome | None:
        """None where the process ended without leaving one: it was killed or crashed."""
        values: dict[str, Any] | None = read_json(path)
        if values is None:
            return None
        return cls(
            values["status"], values["fault"], tuple(Problem.from_dict(problem) for problem in values["problems"])
        )

    def error(self, label: str) -> FtrunError:
        """The error that a failed or stopped outcome stands for."""
        if self.status == "stopped":
            return Interrupted(
                Problem(f"{label} was stopped", do="`ftrun resume last` goes on from its last checkpoint")
            )
        if self.fault == "user":
            return Refused(self.problems)
        if self.fault == "store":
            return StoreFailed(self.problems)
        return StageFailed(label, self.problems)
