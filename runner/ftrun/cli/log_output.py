"""Print what ftrun and its plugins log to the standard error stream, beside a command's own output."""

from __future__ import annotations

import logging
import os
import sys

LOGGERS = ("ftrun", "ftrun_plugins")


class _Formatter(logging.Formatter):
    """Indent messages about progress; mark warnings and errors with the program's name."""

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
