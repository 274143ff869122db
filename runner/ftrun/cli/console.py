"""Text in any locale: UTF-8 for files and arguments, and escapes for letters that the terminal cannot show."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem


def restart_in_utf8() -> None:
    """Start this command again in the UTF-8 mode of Python, if the locale has another encoding.

    Names of files in recipes are UTF-8, and so is all that ftrun and its libraries write.
    """
    if sys.flags.utf8_mode or sys.getfilesystemencoding() == "utf-8":
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding if sys.stdout else "utf-8")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (the same command)


def escape_unencodable() -> None:
    """Print an escape for a letter that the encoding of the terminal does not have, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def check_arguments(arguments: Sequence[str]) -> None:
    """Check that the arguments are text. Python decodes other bytes to lone surrogates.

    Raises:
        InvalidInput: If one is not.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            byte = ord(argument[error.start]) & 0xFF
            what = f"the argument {argument!r} is not UTF-8: byte 0x{byte:02x}"
            hint = "write it in UTF-8; a file of this name needs another name"
            raise InvalidInput(Problem("invalid-encoding", what, hint=hint)) from None


def explain_missing_folder(error: Exception) -> InvalidInput | None:
    """Return an error for the user if `error` means that the current folder was deleted, else None."""
    if not isinstance(error, FileNotFoundError):
        return None
    try:
        Path.cwd()
    except FileNotFoundError:
        what = "the current folder does not exist any more"
        return InvalidInput(Problem("file-not-found", what, hint="change to another folder"))
    return None
