"""Outcome of a stage call, which the process of the call writes to a file for the scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ftrun.api.disk_errors import disk_problem
from ftrun.api.errors import FtrunError, Interrupted, InvalidInput, Problem, StageError, StoreError, error_text
from ftrun.utils.atomic_io import read_json, write_json

__all__ = ["Fault", "OutcomeStatus", "StageOutcome"]

OutcomeStatus = Literal["done", "failed", "stopped"]
Fault = Literal["user", "stage", "store"]


@dataclass(frozen=True)
class StageOutcome:
    """Outcome of a stage call.

    Args:
        status: The end of the call: `done`, `failed` or `stopped`.
        fault: The cause of a failure: `user` (data or recipe), `stage` (the stage itself) or `store` (the disk).
        problems: The errors of a failure.
    """

    status: OutcomeStatus
    fault: Fault | None = None
    problems: tuple[Problem, ...] = ()

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> StageOutcome | None:
        """Read an outcome. None if the file does not exist, because the process was killed or crashed."""
        values: dict[str, Any] | None = read_json(path)
        if values is None:
            return None
        return cls(
            values["status"], values["fault"], tuple(Problem.from_dict(problem) for problem in values["problems"])
        )

    @classmethod
    def failed(cls, error: Exception, root: Path) -> StageOutcome:
        """Return the outcome of a stage that raised an exception. `root` is the folder of the store."""
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
        """Return the exception for a failed or stopped outcome."""
        if self.status == "stopped":
            return Interrupted(Problem("stopped", f"{label} was stopped", hint="run `ftrun resume last` to continue"))
        if self.fault == "user":
            return InvalidInput(self.problems)
        if self.fault == "store":
            return StoreError(self.problems)
        return StageError(label, self.problems)


def _validation_problems(error: ValidationError) -> Iterator[Problem]:
    """Yield one problem per error of a pydantic model, because the text of the exception starts with their number."""
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in detail["loc"])
        yield Problem("invalid-value", detail["msg"].removeprefix("Value error, "), at=place or error.title)
