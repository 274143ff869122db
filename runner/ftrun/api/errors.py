"""Exceptions of ftrun, with the exit code of a command that ends with one of them.

FtrunError
├── InvalidInput    2  the recipe, an argument or the data is wrong
├── StageError      1  a stage call ended without an artifact
├── StoreError      1  the store cannot be written or read
├── GateNotMet      3  an evaluation does not meet its gate
└── Interrupted   130  the user stopped the run

This module imports only the standard library, because stages in other environments raise these exceptions too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = [
    "MOST_LINES",
    "MOST_PROBLEMS",
    "UNKNOWN_CODE",
    "FtrunError",
    "GateNotMet",
    "Interrupted",
    "InvalidInput",
    "Problem",
    "StageError",
    "StoreError",
    "error_text",
]

MOST_PROBLEMS = 20  # maximum number of problems in a message, so that it fits on one screen
MOST_LINES = 12  # maximum number of lines of the text of an exception
LONGEST_LINE = 300  # maximum number of characters per line
OLD_FIELDS = {"where": "at", "nearest": "did_you_mean", "do": "hint"}  # names of fields in old run records
UNKNOWN_CODE = "unknown"


@dataclass(frozen=True)
class Problem:
    """One error, its place, and the next step for the user.

    Args:
        code: Stable identifier such as `unknown-key`, for programs and for `docs/reference/errors.md`.
        what: Description of the error, in one sentence without a full stop.
        at: Place of the error: `file:line:column`, a row of the dataset, or an override.
        expected: Accepted values.
        did_you_mean: Known names that are closest to the wrong one, best first.
        hint: Next step for the user.
    """

    code: str
    what: str
    at: str | None = None
    expected: str | None = None
    did_you_mean: tuple[str, ...] = ()
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Problem:
        """Return the problem with these JSON values. Accepts run records of older and of newer versions."""
        named = {OLD_FIELDS.get(name, name): value for name, value in values.items()}
        known = {field.name: named[field.name] for field in fields(cls) if field.name in named}
        names = tuple(known.pop("did_you_mean", None) or ())
        return cls(**{"code": UNKNOWN_CODE, "what": "unknown problem", **known, "did_you_mean": names})


class FtrunError(Exception):
    """Base class of the exceptions of ftrun. Contains problems for the user. `exit_code` is that of the command."""

    exit_code = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(problem.what for problem in self.problems[:MOST_PROBLEMS]))


class InvalidInput(FtrunError):
    """Error in the recipe, an argument or the data. Nothing was started or lost."""

    exit_code = 2


class StageError(FtrunError):
    """Failure of a stage call, which ended without an artifact. `call` is the label of the call."""

    def __init__(self, call: str, problems: Problem | Sequence[Problem]) -> None:
        self.call = call
        super().__init__(problems)


class StoreError(FtrunError):
    """Failure of the store, which is full, read-only or damaged."""


class GateNotMet(FtrunError):
    """Evaluation that does not meet its gate."""

    exit_code = 3


class Interrupted(FtrunError):
    """Stop by the user. Finished work is kept."""

    exit_code = 130


def error_text(error: BaseException) -> str:
    """Return the type and message of an exception, with line breaks, shortened to fit on one screen."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in str(error).strip().splitlines() if line.strip()]
    omitted = len(lines) - MOST_LINES
    more = [f"and {omitted} more lines in the log"] if omitted > 0 else []
    return "\n".join([f"{type(error).__name__}: {lines[0] if lines else 'no message'}", *lines[1:MOST_LINES], *more])
