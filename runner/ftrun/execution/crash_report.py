"""Problem for a stage process that ended without an outcome, from its exit code and its log."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

from ftrun.api.context import load
from ftrun.api.disk_errors import disk_problem
from ftrun.api.errors import Problem
from ftrun.api.known_errors import FailedCall, recognize_text, table_of
from ftrun.api.outcome import StageOutcome
from ftrun.api.stage_call import StageCall
from ftrun.utils.process_exit import describe_exit

LINES_SHOWN = 8  # last lines of the log
TAIL = 1 << 16  # bytes at the end of a log in which known errors are searched
CODE = "process-ended"
# The kernel writes nothing into the log of a process that it kills.
MEMORY_KILL = "killed by SIGKILL, because the memory was full"
# Text of an outcome whose reason another process wrote into the log.
REASON_IN_LOG = "See root cause above"


def describe_crash(label: str, code: int, log: Path) -> Problem:
    """Return the problem with the exit code and the last lines of the log."""
    hint = "the system may be out of memory; " if code == -signal.SIGKILL else ""
    last_lines = "\n".join(_read_tail(log).splitlines()[-LINES_SHOWN:])
    return Problem(
        CODE,
        f"{label} {describe_exit(code)}",
        at=str(log),
        hint=f"{hint}continue with `ftrun resume last`\n{last_lines}".rstrip(),
    )


def explain_crash(
    outcome: StageOutcome, call: StageCall, log: Path, start: int, memory_was_full: bool, root: Path
) -> StageOutcome:
    """Return the outcome with a known error in place of a crash, if the log has one or the memory or disk was full.

    Args:
        outcome: The outcome of the process, or of the crash of one of its child processes.
        call: The stage call.
        log: The log of the call.
        start: The size of the log when the process was started. Earlier attempts wrote what is before.
        memory_was_full: True if the operating system killed a process because the memory was full.
        root: The folder of the store.
    """
    if not any(problem.code == CODE or REASON_IN_LOG in problem.what for problem in outcome.problems):
        return outcome
    text = _read_tail(log, start)
    full = disk_problem(RuntimeError(text), root)
    if full is not None:
        return StageOutcome("failed", "store", (full,))
    if memory_was_full and any("SIGKILL" in problem.what for problem in outcome.problems):
        text = f"{text}\n{MEMORY_KILL}"
    known = table_of(load(call.implementation))
    problem = recognize_text(text, known, FailedCall(call.stage, call.params))
    if problem is None:
        return outcome
    return StageOutcome("failed", "stage", (replace(problem, at=problem.at or str(log)),))


def _read_tail(log: Path, start: int = 0) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - TAIL))
        return file.read().decode("utf-8", "replace").replace("\r", "\n")
