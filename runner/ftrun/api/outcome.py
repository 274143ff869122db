"""Outcome of a stage call, which the process of the call writes to a file for the scheduler."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from typing_extensions import TypedDict

from ftrun.api.disk_errors import disk_problem
from ftrun.api.errors import FtrunError, Interrupted, InvalidInput, Problem, StageError, StoreError, error_text
from ftrun.api.known_errors import FailedCall, Fault, KnownError, recognize
from ftrun.api.redaction import redact_all
from ftrun.api.stored_files import read_stored
from ftrun.utils.atomic_io import write_json

__all__ = ["Fault", "OutcomeStatus", "StageOutcome"]

TRAINER_PREFIX = "train."  # of the trainer keys in a recipe
MOST_KEYS = 4  # in the place of an error
SHORTEST_VALUE = 3  # characters; shorter values, such as `no`, are words of any message

OutcomeStatus = Literal["done", "failed", "stopped"]


class _OutcomeFile(TypedDict):
    """Content of the file of an outcome."""

    status: OutcomeStatus
    fault: Fault | None
    problems: list[dict[str, Any]]


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
        """Write the outcome to a file, without secrets."""
        write_json(path, redact_all(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> StageOutcome | None:
        """Read an outcome. None if the file is missing or cut, because the process was killed or crashed."""
        try:
            values = read_stored(path, _OutcomeFile, "the outcome")
        except InvalidInput:
            return None
        return cls(
            values["status"], values["fault"], tuple(Problem.from_dict(problem) for problem in values["problems"])
        )

    @classmethod
    def failed(
        cls, error: Exception, root: Path, known: Sequence[KnownError] = (), call: FailedCall | None = None
    ) -> StageOutcome:
        """Return the outcome of a stage that raised an exception.

        Args:
            error: The exception.
            root: The folder of the store.
            known: Errors of libraries that get an explanation.
            call: The call that failed, for hints.
        """
        call = call or FailedCall()
        match error:
            case InvalidInput():
                return cls("failed", "user", error.problems)
            case StoreError():
                return cls("failed", "store", error.problems)
            case FtrunError():
                return cls("failed", "stage", error.problems)
            case ValidationError():
                problems = tuple(_validation_problems(error, call.trainer))
                is_in_recipe = any(str(problem.at).startswith(TRAINER_PREFIX) for problem in problems)
                return cls("failed", "user" if is_in_recipe else "stage", problems)
        problem = disk_problem(error, root)
        if problem is not None:
            return cls("failed", "store", (problem,))
        if recognized := recognize(error, known, call):
            return cls("failed", recognized[1], (recognized[0],))
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


def _validation_problems(error: ValidationError, trainer: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield one problem per error of a pydantic model, because the text of the exception starts with their number."""
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        what = detail["msg"].removeprefix("Value error, ")
        place = ".".join(str(part) for part in detail["loc"])
        keys = [place] if detail["loc"] and detail["loc"][0] in trainer else _find_keys(what, trainer)
        at = " and ".join(f"{TRAINER_PREFIX}{key}" for key in keys)
        yield Problem("invalid-value", what, at=at or place or error.title)


def _find_keys(message: str, trainer: Mapping[str, Any]) -> list[str]:
    """Return the trainer keys that a message names, else those whose value it names, such as `qlora`.

    Errors of several keys have no place in the model.
    """
    words = list(dict.fromkeys(re.findall(r"\w+", message)))
    by_value = {value: key for key, value in trainer.items() if isinstance(value, str) and len(value) > SHORTEST_VALUE}
    named = [word for word in words if trainer.get(word) is not None]
    return (named or [by_value[word] for word in words if word in by_value])[:MOST_KEYS]
