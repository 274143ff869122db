"""`ftrun files RUN [CALL]`: list the files of the artifacts of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import StoredFile
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.run_plan import read_plan_if_possible
from ftrun.utils.sizes import human_size
from ftrun.utils.suggest import nearest


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def files(run: str, call: str | None, as_json: bool) -> int:
    """List the files that a run produced, or those of a single CALL such as `merge`."""
    store = default_store()
    folder = find_run(store, run)
    refs = {call: artifact_of(folder, call)} if call is not None else artifacts_of(folder)
    artifacts = {label: (ref, files_of(store, folder, ref)) for label, ref in refs.items()}
    if as_json:
        values = {
            label: {"artifact": str(ref), "files": [file.model_dump() for file in stored]}
            for label, (ref, stored) in artifacts.items()
        }
        print(json.dumps(values))
        return 0
    record = runs.load(folder)
    print(f"{f'on {record.backend}' if record.remote else store.root / 'artifacts'}; `ftrun pull` copies them")
    for label, (ref, stored) in artifacts.items():
        print(f"{label}  {ref}  {human_size(sum(file.size for file in stored))}")
        for file in stored:
            print(f"  {human_size(file.size):>9}  {file.path}")
    return 0


def artifacts_of(folder: RunFolder) -> dict[str, Ref]:
    """Return the artifacts of the finished calls of a run, by call label."""
    artifacts = {label: Ref.parse(result["artifact"]) for label, result in runs.load(folder).results.items()}
    plan = read_plan_if_possible(folder)
    planned = [call.label for call in plan.calls] if plan is not None else []  # records do not keep this order
    return {label: artifacts[label] for label in (*planned, *artifacts) if label in artifacts}


def artifact_of(folder: RunFolder, call: str) -> Ref:
    """Return the artifact of a call.

    Raises:
        InvalidInput: If the run has not finished this call.
    """
    artifacts = artifacts_of(folder)
    if call not in artifacts:
        expected = f"one of {', '.join(artifacts)}" if artifacts else "a finished call; the run has none yet"
        raise InvalidInput(
            Problem(
                "missing-result",
                f"the run {folder.id} has no result of `{call}`",
                expected=expected,
                did_you_mean=nearest(call, artifacts),
            )
        )
    return artifacts[call]


def files_of(store: Store, folder: RunFolder, ref: Ref) -> Sequence[StoredFile]:
    """Return the files of an artifact of a run, local or remote.

    Raises:
        InvalidInput: If the artifact is no longer in the store.
    """
    remote = remote_of(store, folder)
    if remote is not None:
        return remote.files(ref)
    manifest = find(store, ref)
    if manifest is None:
        raise InvalidInput(
            Problem("missing-artifact", f"{ref} is no longer in {store.root}", hint=f"ftrun resume {folder.id}")
        )
    return manifest.files
