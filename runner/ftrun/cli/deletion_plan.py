"""Plan of a removal: what is removed, what stays and why. Nothing is removed here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.store import runs
from ftrun.store.deletion import find_obstacle, find_run_obstacle
from ftrun.store.references import collect_references, list_refs, refs_of, size, stale_scratch
from ftrun.utils.sizes import folder_size
from ftrun.utils.suggest import nearest


@dataclass(frozen=True)
class Removal:
    """Runs, artifacts and scratch folders to remove, with sizes in bytes.

    `used_by` maps artifacts to the runs that use them; `staying` maps artifacts that stay to the runs that need them.
    """

    runs: tuple[RunFolder, ...] = ()
    artifacts: tuple[Ref, ...] = ()
    scratch: tuple[Ref, ...] = ()
    sizes: dict[Ref, int] = field(default_factory=dict)
    used_by: dict[Ref, list[str]] = field(default_factory=dict)
    staying: dict[Ref, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    bytes_of_runs: int = 0

    @property
    def run_ids(self) -> list[str]:
        return [folder.id for folder in self.runs]

    @property
    def is_empty(self) -> bool:
        return not (self.runs or self.artifacts or self.scratch)

    @property
    def size(self) -> int:
        return sum(self.sizes.values()) + self.bytes_of_runs

    def combine(self, other: Removal) -> Removal:
        """Return the union of two removals; an artifact in both is removed once."""
        return Removal(
            (*self.runs, *other.runs),
            tuple(dict.fromkeys([*self.artifacts, *other.artifacts])),
            (*self.scratch, *other.scratch),
            {**self.sizes, **other.sizes},
            {**self.used_by, **other.used_by},
            {ref: users for ref, users in self.staying.items() if ref not in other.artifacts},
            (*self.notes, *other.notes),
            self.bytes_of_runs + other.bytes_of_runs,
        )

    def as_values(self) -> dict[str, Any]:
        return {
            "runs": self.run_ids,
            "artifacts": {str(ref): self.sizes[ref] for ref in self.artifacts},
            "scratch": {str(ref): self.sizes[ref] for ref in self.scratch},
            "stays": {str(ref): users for ref, users in self.staying.items()},
            "bytes": self.size,
        }


def plan_run_removal(store: Store, folders: Sequence[RunFolder], with_artifacts: bool) -> Removal:
    """Plan the removal of runs and, if `with_artifacts` is set, of their artifacts that no other run needs.

    Raises:
        InvalidInput: If a run has not ended, or if artifacts are to be removed that are not on this machine.
    """
    problems = [problem for folder in folders if (problem := find_run_obstacle(store, folder))]
    remote_ids = [folder.id for folder in folders if (record := runs.load_readable(folder)) and record.remote]
    if with_artifacts and remote_ids:
        what = f"the artifacts of {remote_ids[0]} are not on this machine, and other runs may need them"
        problems.append(
            Problem("not-removable", what, hint="omit --artifacts, or remove them with the tools of the backend")
        )
    if problems:
        raise InvalidInput(problems)
    total = sum(folder_size(folder.root) for folder in folders)
    if not with_artifacts:
        count = len({ref for folder in folders for ref in refs_of(folder) or ()} & set(list_refs(store)))
        note = f"their {count} artifacts stay; --artifacts removes those that no other run needs" if count else ""
        return Removal(tuple(folders), notes=(note,) if note else (), bytes_of_runs=total)
    ids = [folder.id for folder in folders]
    references, existing = collect_references(store, ids), set(list_refs(store))
    own = list(dict.fromkeys(ref for folder in folders for ref in refs_of(folder) or () if ref in existing))
    removable = tuple(ref for ref in own if not references.find_runs(ref, ids))
    staying = {ref: references.find_runs(ref, ids) for ref in own if references.find_runs(ref, ids)}
    return Removal(tuple(folders), removable, sizes=_measure(store, removable), staying=staying, bytes_of_runs=total)


def plan_artifact_removal(store: Store, names: Sequence[str], without: Collection[str] = ()) -> Removal:
    """Plan the removal of artifacts named `STAGE/KEY`, or `STAGE/` and a unique prefix of the key.

    Raises:
        InvalidInput: If an artifact does not exist, an unfinished run needs it, or a running process works on it.
    """
    refs = tuple(dict.fromkeys(find_artifact(store, name) for name in names))
    problems = [problem for ref in refs if (problem := find_obstacle(store, ref))]
    if problems:
        raise InvalidInput(problems)
    references = collect_references(store, without) if refs else None
    used_by = {ref: references.find_runs(ref, without) for ref in refs} if references else {}
    return Removal(artifacts=refs, sizes=_measure(store, refs), used_by=used_by)


def plan_unused_removal(store: Store) -> Removal:
    """Plan the removal of artifacts and scratch folders that no run refers to, and of scratch of finished artifacts."""
    references = collect_references(store)
    unused = [ref for ref in list_refs(store) if not references.find_runs(ref)]
    removable = tuple(ref for ref in unused if find_obstacle(store, ref) is None)
    stale = tuple(ref for ref in stale_scratch(store) if ref not in removable and find_obstacle(store, ref) is None)
    sizes = {**_measure(store, removable), **{ref: folder_size(store.scratch(ref).root) for ref in stale}}
    busy = len(unused) - len(removable)
    note = f"{busy} more stay, because a process works on them"
    return Removal((), removable, stale, sizes, notes=(note,) if busy else ())


def find_artifact(store: Store, name: str) -> Ref:
    """Return the artifact named `STAGE/KEY`, or `STAGE/` and a unique prefix of the key.

    Raises:
        InvalidInput: If no artifact or more than one matches.
    """
    stage, _, key = name.strip("/").rpartition("/")
    existing = list_refs(store)
    matching = [ref for ref in existing if ref.stage == stage and key and ref.key.startswith(key)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise InvalidInput(
            Problem(
                "ambiguous-name",
                f"`{name}` is a prefix of {len(matching)} artifacts",
                expected=", ".join(map(str, matching[:5])),
            )
        )
    what = f"there is no artifact `{name}` in {store.root}"
    suggestions = nearest(name, map(str, existing))
    raise InvalidInput(
        Problem(
            "missing-artifact", what, None, "STAGE/KEY", suggestions, "`ftrun files RUN` lists the artifacts of a run"
        )
    )


def _measure(store: Store, refs: Sequence[Ref]) -> dict[Ref, int]:
    return {ref: size(store, ref) for ref in refs}
