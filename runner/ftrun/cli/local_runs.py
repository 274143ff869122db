"""Runs on this machine: in the foreground with progress on the terminal, or in a process that outlives the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from ftrun.api.cancellation import StopSignal, stop_on_signals
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stored_files import read_stored
from ftrun.cli.progress import Display
from ftrun.cli.run_summary import summary_text
from ftrun.execution.engine import execute
from ftrun.plugins.manager import plugins
from ftrun.store import runs


def run_in_foreground(store: Store, folder: RunFolder, as_json: bool = False) -> int:
    """Run a run folder and print its progress. Ctrl-C stops the run cleanly, a second Ctrl-C stops it at once.

    Raises:
        FtrunError: If the run fails; the error is the one that it ended with.
    """
    stop = StopSignal()
    with stop_on_signals(stop):
        if as_json:
            record = execute(store, folder, plugins(), stop)
            print(json.dumps(record.model_dump(mode="json")))
            return 0
        with Display(folder) as display:
            execute(store, folder, plugins(), stop, display.show)
    print(summary_text(store, folder))
    return 0


def run_in_background(store: Store, folder: RunFolder, as_json: bool = False) -> int:
    """Start the scheduler in a new process session. Return once it has taken the run."""
    command = [sys.executable, "-m", "ftrun.execution.background", str(store.root), folder.id]
    with folder.log("scheduler").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=dict(os.environ)
        )
    stop = StopSignal()
    while process.poll() is None and _is_waiting(folder):
        stop.wait(0.05)
    follow = f"{folder.id} runs in the background: `ftrun logs -f {folder.id}` follows it"
    print(json.dumps({"run": folder.id}) if as_json else follow)
    return 0


def _is_waiting(folder: RunFolder) -> bool:
    """Return whether the scheduler has not taken the run yet. Its status would read as interrupted until then."""
    record = read_stored(folder.record, runs.RunRecord, f"the record of the run `{folder.id}`")
    return record.status == "waiting"
