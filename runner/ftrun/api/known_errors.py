"""Known errors of libraries, recognized by the type and text of an exception, or by the text of a log.

A stage names its table in `known_errors`, as `module:NAME`. The table is imported only after a failure, and it names
types of exceptions by text, so no library is imported to recognize its errors.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ftrun.api.errors import Problem, error_text

__all__ = ["FailedCall", "Fault", "KnownError", "recognize", "recognize_text", "table_of"]

Fault = Literal["user", "stage", "store"]
LONGEST_CHAIN = 10  # causes of an exception that are searched
LONGEST_TEXT = 20_000  # characters of a message that are searched
LONGEST_LINE = 300  # characters of a line of a log in a problem


@dataclass(frozen=True)
class FailedCall:
    """Stage and parameters of a failed call, from which hints are computed.

    Args:
        stage: The name of the stage.
        params: The parameters of the call.
    """

    stage: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trainer(self) -> Mapping[str, Any]:
        """Trainer keys of the call. Empty if the stage has none."""
        return dict(self.params.get("trainer") or {})


Hint = str | Callable[[FailedCall], str]


@dataclass(frozen=True)
class KnownError:
    """Error of a library, with an explanation and a hint.

    Args:
        code: The code of the problem.
        pattern: Regular expression that is searched in the message. Its named groups can be used in `what` and `hint`.
        what: Explanation, with named groups as `{name}`.
        hint: Next step for the user, or a function that computes it from the call.
        types: Names of exception types with their modules, of which the exception must be an instance. Empty: any.
        at: Place of the error.
        fault: The cause: `user` if the recipe or its files are wrong.
        in_logs: True if the text also identifies the error in the log of a process that ended without an exception.
    """

    code: str
    pattern: str
    what: str
    hint: Hint
    types: tuple[str, ...] = ()
    at: str | None = None
    fault: Fault = "stage"
    in_logs: bool = False

    def match(self, error: BaseException) -> re.Match[str] | None:
        """Return the match in the message of an exception, or None."""
        names = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__}
        return self.search(str(error)) if not self.types or names & set(self.types) else None

    def search(self, text: str) -> re.Match[str] | None:
        """Return the match in a text, or None."""
        return re.search(self.pattern, text[:LONGEST_TEXT], re.DOTALL)

    def problem(self, match: re.Match[str], call: FailedCall, original: str) -> Problem:
        """Return the problem. The original message of the library follows the explanation."""
        groups = {name: " ".join((text or "").split()) for name, text in match.groupdict().items()}
        hint = self.hint.format(**groups) if isinstance(self.hint, str) else self.hint(call)
        return Problem(self.code, f"{self.what.format(**groups)}\n{original}", at=self.at, hint=hint)


def recognize(error: BaseException, table: Sequence[KnownError], call: FailedCall) -> tuple[Problem, Fault] | None:
    """Return the problem for an exception or one of its causes, and its fault. None if the table has none of them."""
    for cause in _find_causes(error):
        for known in table:
            if match := known.match(cause):
                outer = [] if cause is error else error_text(error).splitlines()[:1]
                return known.problem(match, call, "\n".join([*outer, error_text(cause)])), known.fault
    return None


def recognize_text(text: str, table: Sequence[KnownError], call: FailedCall) -> Problem | None:
    """Return the problem for the first line of a log with a known error, or None."""
    for line in text.splitlines():
        for known in table:
            if known.in_logs and (match := known.search(line)):
                return known.problem(match, call, line.strip()[:LONGEST_LINE])
    return None


def table_of(stage: Any) -> Sequence[KnownError]:
    """Return the table that a stage names, or an empty one."""
    name = getattr(stage, "known_errors", None)
    if not name:
        return ()
    module, _, attribute = str(name).partition(":")
    table: Sequence[KnownError] = getattr(importlib.import_module(module), attribute)
    return table


def _find_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, the members of a group, and the exceptions that it was raised from or during."""
    waiting, found = [error], 0
    while waiting and found < LONGEST_CHAIN:
        current = waiting.pop(0)
        found += 1
        yield current
        inner = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        waiting += [*inner, *(cause for cause in (current.__cause__ or current.__context__,) if cause is not None)]
