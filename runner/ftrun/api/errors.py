"""Every error that ftrun raises on purpose, and the exit code that each ends a command with.

FtrunError
├── InvalidInput          2  the recipe, an argument or the data is wrong
├── StageError      1  a stage call ended without its artifact
├── StoreError      1  the store cannot be written or read
├── GateNotMet       3  an evaluation is worse than the recipe allows
└── Interrupted    130  the user stopped the run

Only the standard library is imported here: stages in other environments raise these too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_PROBLEMS = 20  # shown at once; a screen has no room for more
MOST_LINES = 12  # of an exception's message
LONGEST_LINE = 300  # characters
OLD_FIELDS = {"where": "at", "nearest": "did_you_mean", "do": "hint"}  # before problems had codes
UNKNOWN_CODE = "unknown"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong and what the user can do about it.

    Args:
        code: A stable identifier such as `unknown-key`, for programs and for `docs/errors.md`.
        what: What is wrong, in one sentence without a full stop.
        at: `file:line:column`, a dataset row, or the override it came from.
        expected: What is accepted.
        did_you_mean: The known names closest to the wrong one, best first.
        hint: What the user can do next.
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
        """Read a problem from JSON, also as older versions wrote it into run records."""
        current = {OLD_FIELDS.get(name, name): value for name, value in values.items()}
        names = tuple(current.pop("did_you_mean", None) or ())
        return cls(**{"code": UNKNOWN_CODE, **current, "did_you_mean": names})


class FtrunError(Exception):
    """An error with a message for a person; `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(problem.what for problem in self.problems[:MOST_PROBLEMS]))


class InvalidInput(FtrunError):
    """The recipe, an argument or the data is wrong; nothing was started or lost."""

    exit_code = 2


class StageError(FtrunError):
    """A stage call ended without its artifact; `call` is its label."""

    def __init__(self, call: str, problems: Problem | Sequence[Problem]) -> None:
        self.call = call
        super().__init__(problems)


class StoreError(FtrunError):
    """The store is full, read-only or damaged."""


class GateNotMet(FtrunError):
    """An evaluation ended below what its gate asks for."""

    exit_code = 3


class Interrupted(FtrunError):
    """Stopped by the user; what was finished is kept."""

    exit_code = 130


def error_text(error: BaseException) -> str:
    """Return an exception's type and message, all lines of it, within what one screen can show."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in str(error).strip().splitlines() if line.strip()]
    left_out = len(lines) - MOST_LINES
    more = [f"and {left_out} more lines in the log"] if left_out > 0 else []
    return "\n".join([f"{type(error).__name__}: {lines[0] if lines else 'no message'}", *lines[1:MOST_LINES], *more])
