"""How a stage call ended, as its process leaves it behind for the scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ftrun.api.disk_errors import disk_problem
from ftrun.api.errors import FtrunError, Interrupted, InvalidInput, Problem, StageError, StoreError, error_text
from ftrun.utils.atomic_io import read_json, write_json

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

    @classmethod
    def failed(cls, error: Exception, root: Path) -> StageOutcome:
        """Return the outcome of a stage that raised; `root` is the folder of the store."""
        match error:
            case InvalidInput():
                return cls("failed", "user", error.problems)
            case StoreError():
                return cls("failed", "store", error.problems)
            case FtrunError():
                return cls("failed", "stage", error.problems)
            case ValidationError():
                return cls("failed", "stage", tuple(_validation_problems(error)))
        problem = disk_problem(error, root)
        if problem is not None:
            return cls("failed", "store", (problem,))
        return cls("failed", "stage", (Problem("stage-error", error_text(error)),))

    def error(self, label: str) -> FtrunError:
        """The error that a failed or stopped outcome stands for."""
        if self.status == "stopped":
            return Interrupted(
                Problem("stopped", f"{label} was stopped", hint="`ftrun resume last` goes on from its last checkpoint")
            )
        if self.fault == "user":
            return InvalidInput(self.problems)
        if self.fault == "store":
            return StoreError(self.problems)
        return StageError(label, self.problems)


def _validation_problems(error: ValidationError) -> Iterator[Problem]:
    """Yield one problem for each error of a pydantic model: its own text hides them behind a count."""
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in detail["loc"])
        yield Problem("invalid-value", detail["msg"].removeprefix("Value error, "), at=where or error.title)
