"""`ftrun --shell-completion install=SHELL`: print a script, which calls `query=SHELL` to complete a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.completion.candidates import candidates
from ftrun.cli.completion.scripts import INSTALL, UNINSTALL
from ftrun.cli.completion.split_words import current_word, split

BREAKS = "=:"  # characters at which readline begins a new word, by default


def answer(arguments: Sequence[str]) -> int:
    """Handle `install=`, `uninstall=` and `query=`. Return the exit code.

    Raises:
        InvalidInput: If the shell is unknown.
    """
    argument = next((word for word in arguments if word.partition("=")[0] in ACTIONS), "")
    action, _, shell = argument.partition("=")
    if shell not in INSTALL:
        given = f"{action}={shell}" if action else " ".join(arguments)
        known = " or ".join(f"install={name}" for name in INSTALL)
        hint = 'run eval "$(ftrun --shell-completion install=bash)"; in ~/.bashrc it applies to every new shell'
        what = "completion supports only bash, zsh and fish"
        raise InvalidInput(Problem("unknown-name", what, given, known, hint=hint))
    if action != "query":
        print((INSTALL if action == "install" else UNINSTALL)[shell])
        return 0
    try:
        _print_candidates(shell)
    except Exception:  # a traceback would garble the line that is being typed
        if os.environ.get("FTRUN_DEBUG"):
            raise
    return 0


ACTIONS = ("install", "uninstall", "query")


def _print_candidates(shell: str) -> None:
    """Print the candidates for the line in `COMP_LINE`, one per line; for zsh and fish with descriptions."""
    from ftrun.cli.completion.cache import load_index

    line = os.environ.get("COMP_LINE", "")
    point = os.environ.get("COMP_POINT", "")
    words = split(line[: int(point)] if point.isdigit() else line)
    current = current_word(words)
    descriptions = candidates(words[1:-1], current, load_index())
    if shell == "bash":  # bash inserts only the text after the last break
        breaks = os.environ.get("COMP_WORDBREAKS", BREAKS)
        skipped = 1 + max((current.rfind(letter) for letter in BREAKS if letter in breaks), default=-1)
        sys.stdout.write("".join(f"{text[skipped:]}\n" for text in descriptions))
        return
    sys.stdout.write("".join(f"{text}\t{about}\n" if about else f"{text}\n" for text, about in descriptions.items()))
