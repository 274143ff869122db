"""Stage processes that work on a store. They may outlive the scheduler that started them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.api.stored_files import read_process, read_stored
from ftrun.store.locks import is_held


@dataclass(frozen=True)
class LiveProcess:
    """A stage process: the label of its call, and its id, which is also that of its process group."""

    call: str
    pid: int


class _Call(TypedDict):
    label: str


class _Request(TypedDict):
    """Part of the file with the request of a stage process."""

    call: _Call


def live_processes(store: Store) -> Mapping[str, Sequence[LiveProcess]]:
    """Return the stage processes that are alive on this machine, by the id of the run that started them."""
    found: dict[str, list[LiveProcess]] = {}
    for path in sorted(store.root.glob("scratch/*/*/process.json")):
        ref = Ref(stage=path.parent.parent.name, key=path.parent.name)
        if is_held(store.lock(ref)):
            process, label = read_process(path), _read_label(store, ref)
            run = process.get("run") if process else None
            if process and run and "pid" in process:
                found.setdefault(run, []).append(LiveProcess(label, process["pid"]))
    return found


def _read_label(store: Store, ref: Ref) -> str:
    """Return the label of the call that a process works on; the name of its stage if that cannot be read."""
    try:
        return read_stored(store.scratch(ref).call, _Request, "the request")["call"]["label"]
    except InvalidInput:  # the process has just ended, or the file is damaged
        return ref.stage


def describe_orphans(processes: Sequence[LiveProcess]) -> str:
    """Return the processes of a run whose scheduler has ended, as text."""
    return ", ".join(f"{process.call} continues in process {process.pid}" for process in processes)
