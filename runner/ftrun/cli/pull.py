"""`ftrun pull RUN [CALL]`: copy an artifact of a run, local or remote, into a folder of this machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.cli.files import artifact_of, artifacts_of, files_of
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.store.input_check import check_artifacts
from ftrun.utils.path_option import PathOption
from ftrun.utils.terminal import make_console

MODELS = ("merge", "train")  # calls to pull by default: the first that the run has finished


@click.command()
@click.option("--to", "target", type=PathOption(), help="Copy into this new folder; by default RUN-CALL.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def pull(run: str, call: str | None, target: Path | None) -> int:
    """Copy the result of a CALL, by default the model, into a new folder."""
    store = default_store()
    folder = find_run(store, run)
    if call is None:
        call = next((name for name in MODELS if name in artifacts_of(folder)), MODELS[0])
    ref = artifact_of(folder, call)
    target = target or Path(f"{folder.id}-{call.replace(':', '-')}")
    if target.exists():
        raise InvalidInput(Problem("file-exists", f"{target} already exists", hint="name another folder: --to FOLDER"))
    remote = remote_of(store, folder)
    if remote is None:
        files_of(store, folder, ref)  # raises if the artifact no longer exists
        if damaged := check_artifacts(store, [ref]):
            raise InvalidInput(damaged)
        _copy(store.artifact(ref), target)
    else:
        with Progress(
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=make_console(sys.stderr),
            disable=not sys.stderr.isatty(),
            redirect_stdout=False,
            redirect_stderr=False,
        ) as bar:
            task = bar.add_task(call, total=None)
            remote.pull(ref, target, lambda done, total: bar.update(task, completed=done, total=total))
    print(target)
    return 0


def _copy(source: Path, target: Path) -> None:
    """Copy a folder completely or not at all, because a partial copy would look like a model."""
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        shutil.copytree(source, partial)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        what = f"{target} cannot be written: {error.strerror or error}"
        raise InvalidInput(Problem("unwritable", what, hint="name a folder on another disk: --to FOLDER")) from error
