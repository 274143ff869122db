"""Check of artifacts before they are read: a file whose size or time changed is compared with the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from ftrun.api.errors import Problem
from ftrun.api.manifest import Manifest, StoredFile
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import find
from ftrun.store.integrity import Advance, describe_damage, find_damage
from ftrun.utils.atomic_io import write_json

Times = Mapping[str, int | None]  # by path in an artifact: the time of the last change in nanoseconds, if it is known


class RecordedTimes(Protocol):
    """Times that the files of an artifact had when their content was last known to be right."""

    resolution: int  # nanoseconds; times that differ by less are equal

    def read(self, store: Store, ref: Ref, manifest: Manifest) -> Times: ...

    def write(self, store: Store, ref: Ref, manifest: Manifest, times: Times) -> None: ...


class ManifestTimes:
    """Times in the manifest of the artifact."""

    resolution = 1

    def read(self, store: Store, ref: Ref, manifest: Manifest) -> Times:
        return {file.path: file.mtime_ns for file in manifest.files}

    def write(self, store: Store, ref: Ref, manifest: Manifest, times: Times) -> None:
        """Record new times, e.g. in a copy of a store, so that the files are read only once."""
        files = tuple(file.model_copy(update={"mtime_ns": times[file.path]}) for file in manifest.files)
        values = manifest.model_copy(update={"files": files}).model_dump(mode="json")
        with suppress(OSError):  # the artifact is another user's; the next reader checks it again
            write_json(store.artifact(ref) / MANIFEST, values)


MANIFEST_TIMES = ManifestTimes()


def check_artifacts(
    store: Store,
    refs: Iterable[Ref],
    advance: Advance = lambda size: None,
    recorded: RecordedTimes = MANIFEST_TIMES,
) -> list[Problem]:
    """Return a problem for each artifact that is incomplete or was changed after it was made.

    A file is read only if its size is not that of the manifest, or its time not the recorded one. `advance` gets the
    number of bytes read.
    """
    problems = (_check(store, ref, advance, recorded) for ref in dict.fromkeys(refs))
    return [problem for problem in problems if problem]


def count_changed_bytes(store: Store, refs: Iterable[Ref], recorded: RecordedTimes = MANIFEST_TIMES) -> int:
    """Return the number of bytes that `check_artifacts` reads."""
    manifests = ((ref, find(store, ref)) for ref in dict.fromkeys(refs))
    return sum(
        file.size for ref, manifest in manifests if manifest for file in _list_changed(store, ref, manifest, recorded)
    )


def _check(store: Store, ref: Ref, advance: Advance, recorded: RecordedTimes) -> Problem | None:
    manifest = find(store, ref)
    if manifest is None:
        return describe_damage(store, ref, ["a file is missing or has another size"])
    changed = _list_changed(store, ref, manifest, recorded)
    damage = find_damage(store, ref, changed, advance)
    if damage:
        return describe_damage(store, ref, damage)
    if changed:
        recorded.write(store, ref, manifest, _read_times(store, ref, manifest))
    return None


def _list_changed(store: Store, ref: Ref, manifest: Manifest, recorded: RecordedTimes) -> list[StoredFile]:
    """Return the files whose time is not the recorded one, or is not recorded."""
    old, new = recorded.read(store, ref, manifest), _read_times(store, ref, manifest)
    return [file for file in manifest.files if not _is_same(old.get(file.path), new[file.path], recorded.resolution)]


def _is_same(old: int | None, new: int | None, resolution: int) -> bool:
    return old == new if old is None or new is None else old // resolution == new // resolution


def _read_times(store: Store, ref: Ref, manifest: Manifest) -> dict[str, int | None]:
    return {file.path: _read_time(store, ref, file) for file in manifest.files}


def _read_time(store: Store, ref: Ref, file: StoredFile) -> int | None:
    try:
        return (store.artifact(ref) / file.path).stat().st_mtime_ns
    except OSError:
        return None
