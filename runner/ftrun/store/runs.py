"""Run records: creation, atomic update, and lookup by id, unique prefix or `last`."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.store.locks import is_held
from ftrun.utils.atomic_io import read_json, write_json
from ftrun.utils.suggest import nearest

Status = Literal["waiting", "running", "done", "failed", "gate_not_met", "interrupted"]
OPEN: tuple[Status, ...] = ("waiting", "running")  # of a run that has not ended
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike


class RunRecord(BaseModel):
    """The state and results of a run, and the values that are needed to repeat it."""

    model_config = ConfigDict(extra="forbid")
    id: str
    recipe: str
    overrides: tuple[str, ...]
    status: Status = "waiting"
    created: float
    started: float | None = None
    ended: float | None = None
    origins: dict[str, str] = {}  # key path of the recipe -> file:line:column or override
    facts: dict[str, Any] = {}  # versions, git state, hardware
    results: dict[str, Any] = {}  # metrics by call label
    problems: tuple[dict[str, Any], ...] = ()
    exit_code: int | None = None  # of the command; of a background run, what it would have been
    backend: str = "local"
    remote: dict[str, Any] = {}  # values by which a remote backend finds the run; empty for runs of this machine
    cost: float | None = None  # US dollars, from the run time and listed prices
    rerun_of: str | None = None  # id of the run that this run repeats


def create(
    store: Store,
    recipe: str,
    overrides: tuple[str, ...],
    origins: dict[str, str],
    facts: dict[str, Any],
    backend: str,
    rerun_of: str | None = None,
) -> RunFolder:
    """Create the folder of a new run with its record."""
    name = re.sub(r"[^\w.+-]+", "-", recipe)  # for a shell, an id needs no quotes
    run_id = f"{''.join(secrets.choice(_LETTERS) for _ in range(6))}-{name}"
    folder = store.run(run_id)
    (folder.root / "logs").mkdir(parents=True)
    save(
        folder,
        RunRecord(
            id=run_id,
            recipe=recipe,
            overrides=overrides,
            created=time.time(),
            origins=origins,
            facts=facts,
            backend=backend,
            rerun_of=rerun_of,
        ),
    )
    return folder


def save(folder: RunFolder, record: RunRecord) -> None:
    write_json(folder.record, record.model_dump(mode="json"))


def load(folder: RunFolder) -> RunRecord:
    """Return the record of a run; its status is `interrupted` if its scheduler was killed."""
    record = RunRecord.model_validate(read_json(folder.record))
    if record.status in OPEN and not record.remote and not is_held(folder.lock):
        record.status = "interrupted"
    return record


def all_runs(store: Store) -> list[RunRecord]:
    """Return the records of all runs of a store, the newest last."""
    records = [load(RunFolder(path.parent)) for path in store.runs.glob("*/run.json")]
    return sorted(records, key=lambda record: record.created)


def match_id(name: str, ids: Sequence[str]) -> str | None:
    """Return the id that equals `name`, else the only id that begins with it. None if there is none.

    Raises:
        InvalidInput: If several ids begin with `name`.
    """
    matching = [run_id for run_id in ids if run_id.startswith(name)]
    if len(matching) > 1 and name not in matching:
        raise InvalidInput(
            Problem(
                "ambiguous-name",
                f"`{name}` is ambiguous: {len(matching)} run ids begin with it",
                expected=", ".join(matching[:5]),
            )
        )
    return name if name in matching else next(iter(matching), None)


def find_run(store: Store, name: str) -> RunFolder:
    """Return the run with this id or unique prefix of an id, or the newest run if `name` is `last`.

    Raises:
        InvalidInput: If no run or more than one run matches; suggests similar ids.
    """
    ids = [record.id for record in all_runs(store)]
    run_id = ids[-1] if name == "last" and ids else match_id(name, ids)
    if run_id is not None:
        return store.run(run_id)
    raise InvalidInput(
        Problem(
            "unknown-run",
            f"there is no run `{name}` in {store.root}",
            did_you_mean=nearest(name, ids),
            hint="list the runs with `ftrun runs`",
        )
    )
