"""Error output for the terminal: one short screen of plain text, the most useful line first."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ftrun.api.errors import (
    MOST_PROBLEMS,
    FtrunError,
    GateNotMet,
    Interrupted,
    InvalidInput,
    Problem,
    StageError,
    StoreError,
)
from ftrun.api.redaction import redact_all, redact_text
from ftrun.utils.terminal import escape_controls
from ftrun.utils.text import list_places

WIDTH = 110
TITLES = {
    GateNotMet: "a gate is not met",
    Interrupted: "stopped",
    StoreError: "the store cannot be used",
}


def report(error: FtrunError, as_json: bool = False) -> int:
    """Print an error and return the exit code of the command."""
    if as_json:
        problems = [redact_all(problem.as_dict()) for problem in error.problems]
        print(json.dumps({"exit_code": error.exit_code, "problems": problems}))
    else:
        print(redact_text("\n".join(lines(error))), file=sys.stderr)
    if os.environ.get("FTRUN_DEBUG"):
        traceback.print_exception(error)
    return error.exit_code


def lines(error: FtrunError) -> Iterator[str]:
    """Yield the lines that describe an error to the user."""
    yield f"ftrun: {_format_title(error)}"
    groups = _group_equal(error.problems)
    for group in groups[:MOST_PROBLEMS]:
        yield ""
        yield from map(escape_controls, _format_problem(_merge_places(group)))
    if len(groups) > MOST_PROBLEMS:
        yield f"\n  and {sum(map(len, groups[MOST_PROBLEMS:]))} more"


def _group_equal(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Return the problems in groups that differ only by their places, in the order of the first of each group."""
    groups: dict[Problem, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(replace(problem, at=None), []).append(problem)
    return list(groups.values())


def _merge_places(group: Sequence[Problem]) -> Problem:
    places = list(dict.fromkeys(problem.at for problem in group if problem.at))
    return replace(group[0], at=list_places(places, len(group), "more")) if len(group) > 1 else group[0]


def _format_title(error: FtrunError) -> str:
    if isinstance(error, StageError):
        return f"{error.call} failed"
    if isinstance(error, InvalidInput):
        return "1 problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
    return next((title for kind, title in TITLES.items() if isinstance(error, kind)), "failed")


def _format_problem(problem: Problem) -> Iterator[str]:
    first, *others = problem.what.splitlines() or [""]
    for line in (f"{first} [{problem.code}]", *others):
        yield from textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False) or [
            "  "
        ]
    suggestions = f"{', '.join(problem.did_you_mean)}?" if problem.did_you_mean else None
    fields = {
        "at": problem.at,
        "expected": problem.expected,
        "did you mean": suggestions,
        "hint": problem.hint,
    }
    for label, text in fields.items():
        if text:
            yield from _format_field(label, text.splitlines())


def _format_field(label: str, texts: Sequence[str]) -> Iterator[str]:
    indent = " " * 18
    for number, text in enumerate(texts):
        first = f"    {label:<14}" if number == 0 else indent
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [indent]
