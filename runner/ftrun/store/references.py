"""Who needs what in a store: which runs refer to an artifact, and what none refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Plan, Ref
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.locks import is_held
from ftrun.utils.sizes import folder_size


@dataclass(frozen=True)
class References:
    """By artifact, the runs of this machine that make or take it."""

    by: dict[Ref, list[str]]

    def of(self, ref: Ref, without: Collection[str] = ()) -> list[str]:
        """The runs that refer to an artifact, but for some."""
        return [run for run in self.by.get(ref, ()) if run not in without]


def uses(store: Store, without: Collection[str] = ()) -> References:
    """What runs refer to now. Runs elsewhere, of which there are copies here, need nothing here.

    Raises:
        InvalidInput: the plan of a run cannot be read, so that nobody knows what it needs; not for those in `without`.
    """
    by: dict[Ref, list[str]] = {}
    unreadable = []
    for record in runs.all_runs(store):
        if record.remote:
            continue
        refs = refs_of(store.run(record.id))
        if refs is None and record.id not in without:
            unreadable.append(
                Problem(
                    "damaged-record",
                    f"the plan of {record.id} cannot be read, so what it needs is not known",
                    hint=f"ftrun rm {record.id}",
                )
            )
        for ref in refs or ():
            by.setdefault(ref, []).append(record.id)
    if unreadable:
        raise InvalidInput(unreadable)
    return References(by)


def refs_of(folder: RunFolder) -> list[Ref] | None:
    """The artifacts that a run makes or takes; None where its plan cannot be read."""
    try:
        return [call.ref for call in Plan.model_validate_json(folder.plan.read_bytes()).calls]
    except (OSError, ValueError):
        return None


def open_run_that_needs(store: Store, ref: Ref) -> str | None:
    """A run of this machine that is going on and refers to an artifact."""
    for path in store.runs.glob("*/run.json"):
        folder = RunFolder(path.parent)
        if is_held(folder.lock) and ref in (refs_of(folder) or ()):
            return folder.id
    return None


def referenced(store: Store) -> list[Ref]:
    """Everything that there is an artifact or scratch of, whole or not."""
    found = {
        Ref(stage=path.parent.name, key=path.name)
        for kind in ("artifacts", "scratch")
        for path in store.root.glob(f"{kind}/*/*")
        if path.is_dir()
    }
    return sorted(found, key=str)


def stale_scratch(store: Store) -> Iterator[Ref]:
    """Calls with scratch that nothing will go on from, for their artifacts are there."""
    for ref in referenced(store):
        if store.scratch(ref).root.is_dir() and find(store, ref):
            yield ref


def size(store: Store, ref: Ref) -> int:
    """Bytes of an artifact and its scratch."""
    return folder_size(store.artifact(ref)) + folder_size(store.scratch(ref).root)
