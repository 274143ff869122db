"""Check of inputs on a Volume before a stage reads them: a file whose time changed is compared with its manifest.

A Volume may give a file another time than its manifest has, and Modal keeps whole seconds. So the times of the last
check are recorded, in a file beside the artifacts: only the container that makes an artifact writes into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import Manifest
from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.api.stored_files import StoredModel, read_stored
from ftrun.store.input_check import Times, check_artifacts, count_changed_bytes
from ftrun.utils.atomic_io import write_json

SECOND = 1_000_000_000  # nanoseconds


class _Check(StoredModel):
    """Content of the file of a check: the artifact that it saw, and the times of its files."""

    created: float
    run: str
    times: dict[str, int | None]


class VolumeTimes:
    """Times of the last check on the Volume, else those of the manifest."""

    resolution = SECOND

    def read(self, store: Store, ref: Ref, manifest: Manifest) -> Times:
        try:
            check = read_stored(store.check(ref), _Check, f"the check of `{ref}`")
        except InvalidInput:  # never checked
            check = None
        if check is not None and (check.created, check.run) == (manifest.created, manifest.run):
            return check.times
        return {file.path: file.mtime_ns for file in manifest.files}

    def write(self, store: Store, ref: Ref, manifest: Manifest, times: Times) -> None:
        check = _Check(created=manifest.created, run=manifest.run, times=dict(times))
        write_json(store.check(ref), check.model_dump(mode="json"))


def check_inputs(
    store: Store, refs: Iterable[Ref], volume: str, progress: Callable[[int, int, str], None]
) -> list[Problem]:
    """Return a problem for each input that was changed after it was made. `progress` gets done, total and unit."""
    inputs, done = list(refs), 0
    times = VolumeTimes()
    total = count_changed_bytes(store, inputs, times)

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total, "bytes")

    return [_name_place(problem, store, volume) for problem in check_artifacts(store, inputs, advance, times)]


def _name_place(problem: Problem, store: Store, volume: str) -> Problem:
    """Return the problem with the place on the Volume in place of that in the container."""
    place = str(problem.at).removeprefix(f"{store.root}/")
    hint = f"`modal volume rm -r {volume} {place}` removes it, and `ftrun resume RUN` makes it anew"
    return replace(problem, at=f"the Volume {volume}, {place}", hint=hint)
