"""Runs on a remote backend: submit and follow them, and return the same exit codes as for local runs."""

from __future__ import annotations

import json
import logging
import sys

import click

from ftrun.api.paths import RunFolder, Store
from ftrun.api.remote import Remote
from ftrun.cli.progress import Display
from ftrun.cli.run_summary import summary_text
from ftrun.store import runs
from ftrun.workflow.runs import error_of

log = logging.getLogger(__name__)


def submit_run(store: Store, folder: RunFolder, remote: Remote, detach: bool, as_json: bool) -> int:
    """Submit a run, and follow it until it ends unless `detach` is set.

    Raises:
        FtrunError: If the run failed; the error is the one in the run record.
    """
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
    """Show a run until it ends. Return False if the user stopped watching, even if the run continues."""
    try:
        if quiet:
            for _ in remote.follow(folder):
                pass
        else:
            with Display(folder) as display:
                for event in remote.follow(folder):
                    display.show(event)
    except KeyboardInterrupt:
        _ask_to_cancel(folder, remote)
        return False
    return True


def _ask_to_cancel(folder: RunFolder, remote: Remote) -> None:
    answer = ""
    if sys.stdin.isatty():
        question = "\nLeave it running (Enter), or cancel it (c)?"
        answer = click.prompt(question, default="", show_default=False, err=True).strip().lower()
    if answer.startswith("c"):
        remote.cancel(folder, now=False)
        log.info("%s was cancelled; `ftrun resume %s` continues it", folder.id, folder.id)
    else:
        log.info("%s continues; `ftrun logs -f %s` follows it", folder.id, folder.id)
