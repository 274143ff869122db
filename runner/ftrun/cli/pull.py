"""`ftrun pull RUN [CALL]`: copies what a run made into a folder of this machine, wherever the run was."""

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

MODELS = ("merge", "train")  # what is pulled where no call is named, the first that there is


@click.command()
@click.option("--to", "target", type=click.Path(path_type=Path), help="The new folder; by default RUN-CALL.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def pull(run: str, call: str | None, target: Path | None) -> int:
    """Copies a result, by default the model, into a new folder."""
    store = default_store()
    folder = find_run(store, run)
    call = call or next((name for name in MODELS if name in artifacts_of(folder)), MODELS[0])
    ref = artifact_of(folder, call)
    target = target or Path(f"{folder.id}-{call.replace(':', '-')}")
    if target.exists():
        raise InvalidInput(Problem("file-exists", f"{target} exists already", hint="name another folder: --to FOLDER"))
    remote = remote_of(store, folder)
    if remote is None:
        files_of(store, folder, ref)  # says so where it is no longer there
        _copy(store.artifact(ref), target)
    else:
        with Progress(
            BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), disable=not sys.stderr.isatty()
        ) as bar:
            task = bar.add_task(call, total=None)
            remote.pull(ref, target, lambda done, total: bar.update(task, completed=done, total=total))
    print(target)
    return 0


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all: what was begun and not finished would be taken for a model."""
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        shutil.copytree(source, aside)
        aside.rename(target)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        what = f"{target} cannot be written: {error.strerror or error}"
        raise InvalidInput(Problem("unwritable", what, hint="name a folder on another disk: --to FOLDER")) from error
