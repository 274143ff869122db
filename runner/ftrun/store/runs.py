"""Run records: creation, atomic update, and lookup by id, unique prefix or `last`."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.redaction import redact_all, redact_text
from ftrun.api.stored_files import parse_stored, read_stored
from ftrun.store.locks import is_held
from ftrun.store.run_record import OPEN, CallResult, Facts, RunRecord, Status
from ftrun.utils.atomic_io import write_json
from ftrun.utils.suggest import nearest

__all__ = [
    "OPEN",
    "RunRecord",
    "Status",
    "UnreadableRun",
    "all_runs",
    "create",
    "find_run",
    "load",
    "load_readable",
    "match_id",
    "parse",
    "read_all",
    "removed_on_error",
    "run_folders",
    "save",
]

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike


@dataclass(frozen=True)
class UnreadableRun:
    """Run whose record cannot be read, and the reason."""

    folder: RunFolder
    problem: Problem


def create(
    store: Store,
    recipe: str,
    overrides: tuple[str, ...],
    origins: dict[str, str],
    facts: dict[str, object],
    backend: str,
    rerun_of: str | None = None,
) -> RunFolder:
    """Create the folder of a new run with its record."""
    name = re.sub(r"[^\w.+-]+", "-", recipe)  # for a shell, an id needs no quotes
    run_id = f"{''.join(secrets.choice(_LETTERS) for _ in range(6))}-{name}"
    folder = store.run(run_id)
    with removed_on_error(folder):
        (folder.root / "logs").mkdir(parents=True)
        save(
            folder,
            RunRecord(
                id=run_id,
                recipe=recipe,
                overrides=overrides,
                created=time.time(),
                origins=origins,
                facts=cast("Facts", facts),
                backend=backend,
                rerun_of=rerun_of,
            ),
        )
    return folder


@contextmanager
def removed_on_error(folder: RunFolder) -> Iterator[None]:
    """Remove the folder of a new run if it cannot be completed: a run without its recipe cannot be resumed."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder.root, ignore_errors=True)
        raise


def save(folder: RunFolder, record: RunRecord) -> None:
    """Write the record of a run, without secrets."""
    write_json(folder.record, _redact(record).model_dump(mode="json"))


def _redact(record: RunRecord) -> RunRecord:
    """Return a record without secrets in what users, plugins and libraries wrote into it."""
    return record.model_copy(
        update={
            "overrides": tuple(map(redact_text, record.overrides)),
            "origins": redact_all(record.origins),
            "facts": redact_all(record.facts),
            "results": {label: _redact_result(result) for label, result in record.results.items()},
            "problems": tuple(map(redact_all, record.problems)),
        }
    )


def _redact_result(result: CallResult) -> CallResult:
    return cast("CallResult", {**result, "metrics": redact_all(result["metrics"])})


def load(folder: RunFolder) -> RunRecord:
    """Return the record of a run; its status is `interrupted` if its scheduler was killed.

    Raises:
        InvalidInput: If the record cannot be read.
    """
    record = _check_id(read_stored(folder.record, RunRecord, *_describe(folder)), folder)
    if record.status in OPEN and not record.remote and not is_held(folder.lock):
        record.status = "interrupted"
    return record


def parse(content: bytes, folder: RunFolder) -> RunRecord:
    """Return the record of a run from the content of its file on another machine.

    Raises:
        InvalidInput: If the record cannot be read.
    """
    what, hint = _describe(folder)
    return _check_id(parse_stored(content, RunRecord, what, str(folder.record), hint), folder)


def load_readable(folder: RunFolder) -> RunRecord | None:
    """Return the record of a run, or None if it cannot be read."""
    try:
        return load(folder)
    except InvalidInput:
        return None


def _describe(folder: RunFolder) -> tuple[str, str]:
    """Return the name of a record in a message, and the next step for the user."""
    return f"the record of the run `{folder.id}`", f"`ftrun rm {folder.id}` removes the run; its artifacts stay"


def _check_id(record: RunRecord, folder: RunFolder) -> RunRecord:
    """Check that a record is that of its folder, because verbs find the folder of a run by the id in its record.

    Returns it without the secrets that an older version may have recorded.
    """
    if record.id == folder.id:
        return _redact(record)
    what, hint = _describe(folder)
    raise InvalidInput(
        Problem("damaged-record", f"{what} is that of the run `{record.id}`", at=str(folder.record), hint=hint)
    )


def run_folders(store: Store) -> list[RunFolder]:
    """Return the folders of all runs of a store, also of those whose record is missing or cannot be read."""
    folders = (RunFolder(path) for path in sorted(store.runs.glob("*")))
    return [folder for folder in folders if any(map(os.path.lexists, (folder.record, folder.recipe, folder.plan)))]


def read_all(store: Store) -> tuple[list[RunRecord], list[UnreadableRun]]:
    """Return the records of all runs of a store, the newest last, and the runs whose record cannot be read."""
    records, unreadable = [], []
    for folder in run_folders(store):
        try:
            records.append(load(folder))
        except InvalidInput as error:
            unreadable.append(UnreadableRun(folder, error.problems[0]))
    return sorted(records, key=lambda record: record.created), unreadable


def all_runs(store: Store) -> list[RunRecord]:
    """Return the records of a store that can be read, the newest last."""
    return read_all(store)[0]


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

    The record of a run that is named by its id may be unreadable.

    Raises:
        InvalidInput: If the name is empty, or if no run or more than one run matches; suggests similar ids.
    """
    if not name:
        raise InvalidInput(
            Problem("usage", "the name of the run is empty", None, "a run id, a unique prefix of one, or `last`")
        )
    ids = [folder.id for folder in run_folders(store)]
    run_id = _find_newest(store) if name == "last" else match_id(name, ids)
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


def _find_newest(store: Store) -> str | None:
    records = all_runs(store)
    return records[-1].id if records else None
