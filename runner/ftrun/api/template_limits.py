"""Limits on the rendering of chat templates, which come with models and are programs that may never end."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.limits import TimeLimitError, memory_limit, time_limit

__all__ = ["EXCESS_HINT", "STUCK", "describe_excess", "exit_if_stuck", "limit_rendering", "report_endless_template"]

SECONDS = 60.0  # for one row, or for the check of a template; a row usually takes a millisecond
STUCK = 180.0  # seconds in one operation that cannot be interrupted, such as a power of huge numbers
BYTES = 2_000_000_000
STDERR = 2
EXCESS_HINT = "use another train.chat_template; if it is right, look at its loops"


@contextmanager
def limit_rendering() -> Iterator[None]:
    """Raise TimeLimitError or MemoryError in the block if a template takes too much."""
    with time_limit(SECONDS), memory_limit(BYTES):
        yield


@contextmanager
def report_endless_template(at: str = "the chat template") -> Iterator[None]:
    """Report a template that does not end in time, in stages that have an engine and so no limit of memory.

    Raises:
        InvalidInput: If the time of the block is over.
    """
    try:
        with time_limit(SECONDS):
            yield
    except TimeLimitError as error:
        problem = Problem("template-mismatch", describe_excess(error), at, hint=EXCESS_HINT)
        raise InvalidInput(problem) from None


@contextmanager
def exit_if_stuck(seconds: float = STUCK) -> Iterator[None]:
    """End the process, with the place in its log, if the block hangs in one operation."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def describe_excess(error: BaseException) -> str:
    """Return the reason for a message."""
    if isinstance(error, TimeLimitError):
        return f"the chat template does not end within {SECONDS:.0f} s"
    return f"the chat template takes more than {BYTES / 1e9:.0f} GB of memory"
