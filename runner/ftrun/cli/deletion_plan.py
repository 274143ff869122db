"""What a removal takes with it, what stays and why; nothing is touched here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.store import runs
from ftrun.store.deletion import find_obstacle, find_run_obstacle
from ftrun.store.references import referenced, refs_of, size, stale_scratch, uses
from ftrun.utils.sizes import folder_size
from ftrun.utils.suggest import nearest


@dataclass(frozen=True)
class Removal:
    """What goes, with sizes in bytes; `staying` are artifacts of the runs that others need, with those."""

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

    def and_also(self, other: Removal) -> Removal:
        """Both; an artifact in both goes once."""
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


def of_runs(store: Store, folders: Sequence[RunFolder], with_artifacts: bool) -> Removal:
    """Runs and, where asked for, what they made and no other run needs.

    Raises:
        InvalidInput: one of them is not over; or its artifacts are elsewhere and are to be removed.
    """
    problems = [problem for folder in folders if (problem := find_run_obstacle(store, folder))]
    elsewhere = [folder.id for folder in folders if runs.load(folder).remote]
    if with_artifacts and elsewhere:
        what = f"the artifacts of {elsewhere[0]} are not on this machine, and other runs there may need them"
        problems.append(
            Problem("not-removable", what, hint="leave out --artifacts, or remove them with the tools of that place")
        )
    if problems:
        raise InvalidInput(problems)
    total = sum(folder_size(folder.root) for folder in folders)
    if not with_artifacts:
        left = len({ref for folder in folders for ref in refs_of(folder) or ()} & set(referenced(store)))
        note = f"their {left} artifacts stay: --artifacts takes those that no other run needs" if left else ""
        return Removal(tuple(folders), notes=(note,) if note else (), bytes_of_runs=total)
    ids = [folder.id for folder in folders]
    known, there = uses(store, ids), set(referenced(store))
    own = list(dict.fromkeys(ref for folder in folders for ref in refs_of(folder) or () if ref in there))
    going = tuple(ref for ref in own if not known.of(ref, ids))
    staying = {ref: known.of(ref, ids) for ref in own if known.of(ref, ids)}
    return Removal(tuple(folders), going, sizes=_sizes(store, going), staying=staying, bytes_of_runs=total)


def named_artifacts(store: Store, names: Sequence[str], without: Collection[str] = ()) -> Removal:
    """Artifacts by `STAGE/KEY`, whose key may be cut short.

    Raises:
        InvalidInput: there is none, or an open run needs one, or a living process works on it.
    """
    refs = tuple(dict.fromkeys(_artifact(store, name) for name in names))
    problems = [problem for ref in refs if (problem := find_obstacle(store, ref))]
    if problems:
        raise InvalidInput(problems)
    known = uses(store, without) if refs else None
    used_by = {ref: known.of(ref, without) for ref in refs} if known else {}
    return Removal(artifacts=refs, sizes=_sizes(store, refs), used_by=used_by)


def unused(store: Store) -> Removal:
    """Artifacts and scratch that no run refers to, and scratch of what was finished since."""
    known = uses(store)
    free = [ref for ref in referenced(store) if not known.of(ref)]
    going = tuple(ref for ref in free if find_obstacle(store, ref) is None)
    stale = tuple(ref for ref in stale_scratch(store) if ref not in going and find_obstacle(store, ref) is None)
    sizes = {**_sizes(store, going), **{ref: folder_size(store.scratch(ref).root) for ref in stale}}
    busy = len(free) - len(going)
    return Removal((), going, stale, sizes, notes=(f"{busy} more are being worked on",) if busy else ())


def _artifact(store: Store, name: str) -> Ref:
    stage, _, key = name.strip("/").rpartition("/")
    there = referenced(store)
    found = [ref for ref in there if ref.stage == stage and key and ref.key.startswith(key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput(
            Problem(
                "ambiguous-name",
                f"`{name}` is the beginning of {len(found)} artifacts",
                expected=", ".join(map(str, found[:5])),
            )
        )
    what = f"there is no artifact `{name}` in {store.root}"
    near = nearest(name, map(str, there))
    raise InvalidInput(
        Problem("missing-artifact", what, None, "STAGE/KEY", near, "`ftrun files RUN` names the artifacts of a run")
    )


def _sizes(store: Store, refs: Sequence[Ref]) -> dict[Ref, int]:
    return {ref: size(store, ref) for ref in refs}
