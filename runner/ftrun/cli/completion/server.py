"""`ftrun --shell-completion install=SHELL`: print a script, which calls `query=SHELL` to complete a line."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.completion.candidates import candidates
from ftrun.cli.completion.scripts import INSTALL, UNINSTALL

ACTIONS = ("install", "uninstall", "query")
END = "\0"  # of the word that is being typed; no line contains it


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


def _print_candidates(shell: str) -> None:
    """Print the candidates for the line in `COMP_LINE`, one per line; for zsh and fish with descriptions."""
    from ftrun.cli.completion.cache import load_index

    words = split_line(os.environ.get("COMP_LINE", ""))
    descriptions = candidates(words[1:-1], words[-1], load_index())
    if shell == "bash":  # bash replaces only `COMP_WORD`, which begins after a break such as `=`
        kept = words[-1].removesuffix(split_line(os.environ.get("COMP_WORD", words[-1]))[-1])
        sys.stdout.write("".join(f"{text.removeprefix(kept)}\n" for text in descriptions))
        return
    sys.stdout.write("".join(f"{text}\t{about}\n" if about else f"{text}\n" for text, about in descriptions.items()))


def split_line(line: str) -> list[str]:
    """Split a line into words as a shell does. Quotes may be open. The last word is being typed and may be empty."""
    lexer = shlex.shlex(line + END, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # a quote is open
        words.append(lexer.token)
    return [*words[:-1], words[-1].removesuffix(END)]
