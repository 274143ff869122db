"""`ftrun --shell-completion install=SHELL` prints a script; that asks by `query=SHELL` what the line may go on with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.completion.candidates import candidates
from ftrun.cli.completion.scripts import INSTALL, UNINSTALL
from ftrun.cli.completion.split_words import current_word, split

BREAKS = "=:"  # where readline begins a new word; bash itself says so in a variable


def answer(arguments: Sequence[str]) -> int:
    """Answers `install=`, `uninstall=` and `query=`. Raises `InvalidInput` for a shell that is not known."""
    wish, _, shell = next((one for one in arguments if one.partition("=")[0] in WISHES), "").partition("=")
    if shell not in INSTALL:
        given = f"{wish}={shell}" if wish else " ".join(arguments)
        known = " or ".join(f"install={name}" for name in INSTALL)
        do = 'eval "$(ftrun --shell-completion install=bash)", in ~/.bashrc to have it in every shell'
        raise InvalidInput(Problem("unknown-name", "completion is made for bash, zsh and fish", given, known, hint=do))
    if wish != "query":
        print((INSTALL if wish == "install" else UNINSTALL)[shell])
        return 0
    try:
        _query(shell)
    except Exception:  # nobody wants a traceback in the middle of a line that is being typed
        if os.environ.get("FTRUN_DEBUG"):
            raise
    return 0


WISHES = ("install", "uninstall", "query")


def _query(shell: str) -> None:
    """Prints what the line in `COMP_LINE` may go on with: one a line, in zsh and fish with what it means."""
    from ftrun.cli.completion.cache import index

    line = os.environ.get("COMP_LINE", "")
    point = os.environ.get("COMP_POINT", "")
    words = split(line[: int(point)] if point.isdigit() else line)
    current = current_word(words)
    found = candidates(words[1:-1], current, index())
    if shell == "bash":  # which puts in only what comes behind the last break
        breaks = os.environ.get("COMP_WORDBREAKS", BREAKS)
        skipped = 1 + max((current.rfind(letter) for letter in BREAKS if letter in breaks), default=-1)
        sys.stdout.write("".join(f"{text[skipped:]}\n" for text in found))
        return
    sys.stdout.write("".join(f"{text}\t{about}\n" if about else f"{text}\n" for text, about in found.items()))
