"""Runs that go on elsewhere: handed over, watched from here, ended with the same exit codes as runs of this machine."""

from __future__ import annotations

import json
import logging
import sys

import click

from ftrun.api.backends import Remote
from ftrun.api.errors import FtrunError, GateNotMet, Interrupted, InvalidInput, Problem, StageError
from ftrun.api.paths import RunFolder, Store
from ftrun.cli.progress import Display
from ftrun.cli.run_summary import summary_text
from ftrun.store import runs

log = logging.getLogger(__name__)

ERRORS: dict[int, type[FtrunError]] = {2: InvalidInput, 3: GateNotMet, 130: Interrupted}


def submit_run(store: Store, folder: RunFolder, remote: Remote, detach: bool, as_json: bool) -> int:
    """Submits a run; follows it unless it is to go on alone. Raises the error that it ended with."""
    remote.submit(folder, log.info)
    if detach:
        follow = f"{folder.id} was submitted: `ftrun logs -f {folder.id}` follows it from any machine"
        print(json.dumps({"run": folder.id}) if as_json else follow)
        return 0
    if not watch(folder, remote, as_json):
        return 130
    record = runs.load(folder)
    error = error_of(record)
    if error:
        raise error
    print(json.dumps(record.model_dump(mode="json")) if as_json else summary_text(store, folder))
    return 0


def watch(folder: RunFolder, remote: Remote, quiet: bool = False) -> bool:
    """Shows a run until it ends; false where the user stopped looking, whether or not the run goes on."""
    try:
        if quiet:
            for _ in remote.follow(folder):
                pass
        else:
            with Display(folder) as display:
                for event in remote.follow(folder):
                    display.show(event)
    except KeyboardInterrupt:
        _leave_or_cancel(folder, remote)
        return False
    return True


def _leave_or_cancel(folder: RunFolder, remote: Remote) -> None:
    wish = ""
    if sys.stdin.isatty():
        question = "\nLeave it running (Enter), or cancel it (c)?"
        wish = click.prompt(question, default="", show_default=False, err=True).strip().lower()
    if wish.startswith("c"):
        remote.cancel(folder, now=False)
        log.info("%s was cancelled; `ftrun resume %s` continues it", folder.id, folder.id)
    else:
        log.info("%s continues; `ftrun logs -f %s` follows it", folder.id, folder.id)


def error_of(record: runs.RunRecord) -> FtrunError | None:
    """The error that a run ended with, from its record."""
    problems = [Problem.from_dict(problem) for problem in record.problems]
    if record.status == "interrupted":
        return Interrupted(
            problems or Problem("stopped", "the run was stopped", hint=f"`ftrun resume {record.id}` goes on")
        )
    if record.status == "failed" and (record.exit_code or 1) not in ERRORS:
        return StageError("the run", problems)
    return ERRORS[record.exit_code](problems) if record.exit_code in ERRORS else None
