"""Every error that ftrun raises on purpose, and the exit code that each ends a command with.

FtrunError
├── Refused          2  the recipe, an argument or the data is wrong
├── StageFailed      1  a stage call ended without its artifact
├── StoreFailed      1  the store cannot be written or read
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


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong and what to do about it.

    Args:
        what: The finding in one sentence, without a full stop.
        where: `file:line:column`, a dataset row, or the override it came from.
        expected: What would have been right.
        nearest: The known names closest to the wrong one, best first.
        do: What the user can do next.
    """

    what: str
    where: str | None = None
    expected: str | None = None
    nearest: tuple[str, ...] = ()
    do: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Problem:
        return cls(**{**values, "nearest": tuple(values.get("nearest") or ())})


class FtrunError(Exception):
    """An error with a message for a person; `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(problem.what for problem in self.problems[:MOST_PROBLEMS]))


class Refused(FtrunError):
    """The recipe, an argument or the data is wrong; nothing was started or lost."""

    exit_code = 2


class StageFailed(FtrunError):
    """A stage call ended without its artifact; `call` is its label."""

    def __init__(self, call: str, problems: Problem | Sequence[Problem]) -> None:
        self.call = call
        super().__init__(problems)


class StoreFailed(FtrunError):
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
