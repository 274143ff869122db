"""`ftrun verify [RUN|ARTIFACT]`: compare artifacts with their manifests, and read the records of runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import Manifest
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.cli.deletion_plan import find_artifact
from ftrun.cli.run_lookup import find_run
from ftrun.store import runs
from ftrun.store.artifacts import read_manifest
from ftrun.store.integrity import find_damage
from ftrun.store.references import list_refs, refs_of
from ftrun.store.run_plan import read_plan, read_recipe_values
from ftrun.utils.sizes import human_size
from ftrun.utils.terminal import make_console

MOST_LINES = 50  # of damaged or unrecorded files


@dataclass
class Findings:
    """Result of a verification. `damaged` has the differences by artifact or run."""

    artifacts: int = 0
    size: int = 0
    damaged: dict[str, list[str]] = field(default_factory=dict)
    unrecorded: dict[str, list[str]] = field(default_factory=dict)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("name", required=False, metavar="[RUN|ARTIFACT]")
def verify(name: str | None, as_json: bool) -> int:
    """Compare the artifacts of the store with their manifests: sizes and digests of all files.

    Checks all artifacts and run records of the store, those of a RUN, or one ARTIFACT, which is STAGE/KEY. The exit
    code is 1 if something is damaged.
    """
    store = default_store()
    folders, refs = _select(store, name)
    findings = Findings(damaged=dict(_check_records(folders)))
    _check_artifacts(store, refs, findings, quiet=as_json)
    print(json.dumps(_as_values(findings)) if as_json else "\n".join(_lines(findings)))
    return 1 if findings.damaged else 0


def _select(store: Store, name: str | None) -> tuple[Sequence[RunFolder], Sequence[Ref]]:
    """Return the run folders and the artifacts to check."""
    existing = [ref for ref in list_refs(store) if store.artifact(ref).is_dir()]
    if name is None:
        return runs.run_folders(store), existing
    if "/" in name:
        return (), [find_artifact(store, name)]
    folder = find_run(store, name)
    record = runs.load_readable(folder)
    if record is not None and record.remote:
        what = f"the artifacts of {folder.id} are on {record.backend}"
        raise InvalidInput(Problem("missing-artifact", what, hint="`ftrun pull` checks what it copies"))
    recorded = [Ref.parse(result["artifact"]) for result in record.results.values()] if record is not None else []
    planned = [ref for ref in refs_of(folder) or () if ref in existing]
    return [folder], list(dict.fromkeys([*planned, *recorded]))


def _check_records(folders: Sequence[RunFolder]) -> Iterator[tuple[str, list[str]]]:
    """Yield the runs with a file that cannot be read, and the reasons."""
    readers: tuple[Callable[[RunFolder], object], ...] = (runs.load, read_plan, read_recipe_values)
    for folder in folders:
        reasons = []
        for read in readers:
            try:
                read(folder)
            except InvalidInput as error:
                reasons.append(error.problems[0].what)
        if reasons:
            yield folder.id, reasons


def _check_artifacts(store: Store, refs: Sequence[Ref], findings: Findings, quiet: bool) -> None:
    manifests: dict[Ref, Manifest] = {}
    for ref in refs:
        try:
            manifests[ref] = read_manifest(store, ref)
        except InvalidInput as error:
            findings.damaged[str(ref)] = [error.problems[0].what]
    findings.artifacts = len(refs)
    findings.size = sum(manifest.size for manifest in manifests.values())
    with _make_bar(quiet) as bar:
        task = bar.add_task("", total=findings.size)
        for ref, manifest in manifests.items():
            bar.update(task, description=ref.stage)
            if damage := find_damage(store, ref, manifest.files, lambda size: bar.advance(task, size)):
                findings.damaged[str(ref)] = damage
            if unrecorded := [file.path for file in manifest.files if not file.sha256]:
                findings.unrecorded[str(ref)] = unrecorded


def _make_bar(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(
        *columns,
        console=make_console(sys.stderr),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=quiet or not sys.stderr.isatty(),
    )


def _as_values(findings: Findings) -> dict[str, Any]:
    return {
        "artifacts": findings.artifacts,
        "bytes": findings.size,
        "damaged": findings.damaged,
        "unrecorded": findings.unrecorded,
    }


def _lines(findings: Findings) -> Iterator[str]:
    listed = [f"damaged      {name}: {text}" for name, texts in findings.damaged.items() for text in texts]
    listed += [f"not recorded {name}: {', '.join(paths[:3])}" for name, paths in findings.unrecorded.items()]
    yield from listed[:MOST_LINES]
    if len(listed) > MOST_LINES:
        yield f"and {len(listed) - MOST_LINES} more; --json lists all"
    what = f"{findings.artifacts} artifacts, {human_size(findings.size)}"
    if not findings.damaged:
        yield f"{what}: no damage found"
        return
    yield f"{what}: {len(findings.damaged)} damaged"
    if any("/" in name for name in findings.damaged):
        yield "`ftrun rm STAGE/KEY` removes an artifact, and `ftrun resume RUN` makes it anew"
