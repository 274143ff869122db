"""`ftrun files RUN [CALL]`: what the calls of a run made, file by file."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.execution.engine import read_plan
from ftrun.store import runs
from ftrun.store.artifacts import StoredFile, find
from ftrun.utils.sizes import human_size
from ftrun.utils.suggest import nearest


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def files(run: str, call: str | None, as_json: bool) -> int:
    """Lists the files that a run made, or those of one CALL such as `merge`."""
    store = default_store()
    folder = find_run(store, run)
    chosen = {call: artifact_of(folder, call)} if call else artifacts_of(folder)
    found = {label: (ref, files_of(store, folder, ref)) for label, ref in chosen.items()}
    if as_json:
        values = {
            label: {"artifact": str(ref), "files": [file.model_dump() for file in its]}
            for label, (ref, its) in found.items()
        }
        print(json.dumps(values))
        return 0
    record = runs.load(folder)
    print(f"{f'on {record.backend}' if record.remote else store.root / 'artifacts'}; `ftrun pull` copies them")
    for label, (ref, its) in found.items():
        print(f"{label}  {ref}  {human_size(sum(file.size for file in its))}")
        for file in its:
            print(f"  {human_size(file.size):>9}  {file.path}")
    return 0


def artifacts_of(folder: RunFolder) -> dict[str, Ref]:
    """Artifacts by call label, of what the run has finished."""
    made = {label: Ref.parse(result["artifact"]) for label, result in runs.load(folder).results.items()}
    planned = [call.label for call in read_plan(folder).calls]  # records lose the order
    return {label: made[label] for label in (*planned, *made) if label in made}


def artifact_of(folder: RunFolder, call: str) -> Ref:
    """Raises `InvalidInput` where the run has not made it."""
    made = artifacts_of(folder)
    if call not in made:
        expected = f"one of {', '.join(made)}" if made else "the run has finished no call yet"
        raise InvalidInput(
            Problem(
                "missing-result", f"the run {folder.id} has no result of `{call}`", None, expected, nearest(call, made)
            )
        )
    return made[call]


def files_of(store: Store, folder: RunFolder, ref: Ref) -> Sequence[StoredFile]:
    remote = remote_of(store, folder)
    if remote is not None:
        return remote.files(ref)
    manifest = find(store, ref)
    if manifest is None:
        raise InvalidInput(
            Problem("missing-artifact", f"{ref} is no longer in {store.root}", hint=f"ftrun resume {folder.id}")
        )
    return manifest.files
