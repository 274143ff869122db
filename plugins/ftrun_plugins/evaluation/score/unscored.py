"""Rows that cannot be scored. They stay without a score and are counted, because a failure is not a score of 0."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ftrun.api.context import Stopped
from ftrun.api.errors import FtrunError, Problem

Result = TypeVar("Result")

MOST_FAILURES = 20  # consecutive failures of what an evaluator needs, such as an endpoint, after which it is gone
REASON_CHARACTERS = 300


@dataclass(frozen=True)
class Unscored:
    """Reason why a row has no score, and the problem for the user if the row is not at fault."""

    reason: str
    problem: Problem | None = None


class RowGuard:
    """Caller of an evaluator that turns its failures into unscored rows. Several threads can use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0  # since the last row that did not fail

    def run(self, score: Callable[[], Result]) -> Result | Unscored:
        """Return the result of `score`, or why the row has none.

        A `ValueError` means that the row is wrong.

        Raises:
            FtrunError: If `score` raised it for too many rows in succession.
        """
        try:
            result = score()
        except Stopped:
            raise
        except FtrunError as error:
            with self._lock:
                self._failures += 1
                if self._failures >= MOST_FAILURES:
                    raise
            return Unscored(shorten(str(error)), error.problems[0])
        except ValueError as error:
            return Unscored(shorten(str(error)))
        except Exception as error:  # an evaluator of any package
            return Unscored(shorten(f"the evaluator raised {type(error).__name__}: {error}"))
        with self._lock:
            self._failures = 0
        return result


def shorten(text: str) -> str:
    """Return a text as one line of limited length."""
    return " ".join(text.split())[:REASON_CHARACTERS]
