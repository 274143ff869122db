"""Log output: messages of ftrun and its plugins go to stderr, separate from the output of a command."""

from __future__ import annotations

import logging
import os
import sys

LOGGERS = ("ftrun", "ftrun_plugins")


class _Formatter(logging.Formatter):
    """Formatter that indents progress messages and marks warnings and errors with the program's name."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return f"ftrun: {text}" if record.levelno >= logging.WARNING else f"  {text}"


def log_to_stderr() -> None:
    """Show messages of INFO and above, and all of them if FTRUN_DEBUG is set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.DEBUG if os.environ.get("FTRUN_DEBUG") else logging.INFO)
