"""References from runs to artifacts, and lookup of artifacts and stale scratch folders in a store."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.locks import is_held
from ftrun.store.run_plan import read_plan
from ftrun.utils.sizes import folder_size


@dataclass(frozen=True)
class References:
    """The runs of this machine that produce or use each artifact."""

    runs_by_ref: dict[Ref, list[str]]

    def find_runs(self, ref: Ref, ignored: Collection[str] = ()) -> list[str]:
        """Return the ids of the runs that refer to an artifact, except those in `ignored`."""
        return [run for run in self.runs_by_ref.get(ref, ()) if run not in ignored]


def collect_references(store: Store, ignored: Collection[str] = ()) -> References:
    """Collect the references of all runs of this machine.

    Copies of runs on another machine are skipped, because those runs need no artifact of this store.

    Raises:
        InvalidInput: If the plan of a run cannot be read and the run is not in `ignored`.
    """
    runs_by_ref: dict[Ref, list[str]] = {}
    unreadable = []
    for folder in runs.run_folders(store):
        record = runs.load_readable(folder)
        if record is not None and record.remote:
            continue
        refs = refs_of(folder)
        if refs is None and folder.id not in ignored:
            unreadable.append(
                Problem(
                    "damaged-record",
                    f"the plan of {folder.id} cannot be read, so the artifacts that it needs are unknown",
                    at=str(folder.plan),
                    hint=f"`ftrun rm {folder.id}` removes the run, `ftrun resume {folder.id}` plans its recipe again",
                )
            )
        for ref in refs or ():
            runs_by_ref.setdefault(ref, []).append(folder.id)
    if unreadable:
        raise InvalidInput(unreadable)
    return References(runs_by_ref)


def refs_of(folder: RunFolder) -> list[Ref] | None:
    """Return the artifacts that a run produces or uses, or None if its plan cannot be read."""
    try:
        return [call.ref for call in read_plan(folder).calls]
    except InvalidInput:
        return None


def find_open_run(store: Store, ref: Ref) -> str | None:
    """Return the id of a running run of this machine that refers to an artifact, or None."""
    for folder in runs.run_folders(store):
        if is_held(folder.lock) and ref in (refs_of(folder) or ()):
            return folder.id
    return None


def list_refs(store: Store) -> list[Ref]:
    """Return the refs of all artifacts and scratch folders in a store, complete or not, in order."""
    refs = {
        Ref(stage=path.parent.name, key=path.name)
        for kind in ("artifacts", "scratch")
        for path in store.root.glob(f"{kind}/*/*")
        if path.is_dir()
    }
    return sorted(refs, key=str)


def stale_scratch(store: Store) -> Iterator[Ref]:
    """Yield the calls whose scratch folder is no longer needed because their artifact exists."""
    for ref in list_refs(store):
        if store.scratch(ref).root.is_dir() and find(store, ref):
            yield ref


def size(store: Store, ref: Ref) -> int:
    """Return the size of an artifact and its scratch folder in bytes."""
    return folder_size(store.artifact(ref)) + folder_size(store.scratch(ref).root)
