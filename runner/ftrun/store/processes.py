"""Stage processes that work on a store. They may outlive the scheduler that started them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.store.locks import is_held
from ftrun.utils.atomic_io import read_json


@dataclass(frozen=True)
class LiveProcess:
    """A stage process: the label of its call, and its id, which is also that of its process group."""

    call: str
    pid: int


def live_processes(store: Store) -> Mapping[str, Sequence[LiveProcess]]:
    """Return the stage processes that are alive on this machine, by the id of the run that started them."""
    found: dict[str, list[LiveProcess]] = {}
    for path in sorted(store.root.glob("scratch/*/*/process.json")):
        ref = Ref(stage=path.parent.parent.name, key=path.parent.name)
        if is_held(store.lock(ref)):
            try:
                values, request = read_json(path), read_json(store.scratch(ref).call)
                process = LiveProcess(request["call"]["label"], int(values["pid"]))
                found.setdefault(values["run"], []).append(process)
            except (OSError, ValueError, KeyError, TypeError):  # the process has just ended
                continue
    return found


def describe_orphans(processes: Sequence[LiveProcess]) -> str:
    """Return the processes of a run whose scheduler has ended, as text."""
    return ", ".join(f"{process.call} continues in process {process.pid}" for process in processes)
