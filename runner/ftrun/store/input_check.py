"""Check of artifacts before they are read: a file whose size or time changed is compared with the manifest."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from ftrun.api.errors import Problem
from ftrun.api.manifest import Manifest, StoredFile
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import find
from ftrun.store.integrity import Advance, describe_damage, find_damage
from ftrun.utils.atomic_io import write_json


def check_artifacts(store: Store, refs: Iterable[Ref], advance: Advance = lambda size: None) -> list[Problem]:
    """Return a problem for each artifact that is incomplete or was changed after it was made.

    A file is read only if its size or time is not that of the manifest. `advance` gets the number of bytes read.
    """
    problems = (_check(store, ref, advance) for ref in dict.fromkeys(refs))
    return [problem for problem in problems if problem]


def count_changed_bytes(store: Store, refs: Iterable[Ref]) -> int:
    """Return the number of bytes that `check_artifacts` reads."""
    manifests = ((ref, find(store, ref)) for ref in dict.fromkeys(refs))
    return sum(file.size for ref, manifest in manifests if manifest for file in _list_changed(store, ref, manifest))


def _check(store: Store, ref: Ref, advance: Advance) -> Problem | None:
    manifest = find(store, ref)
    if manifest is None:
        return describe_damage(store, ref, ["a file is missing or has another size"])
    changed = _list_changed(store, ref, manifest)
    damage = find_damage(store, ref, changed, advance)
    if damage:
        return describe_damage(store, ref, damage)
    if changed:
        _record_times(store, ref, manifest)
    return None


def _list_changed(store: Store, ref: Ref, manifest: Manifest) -> list[StoredFile]:
    """Return the files whose size or time is not that of the manifest, or is not recorded in it."""
    return [file for file in manifest.files if _read_time(store, ref, file) != file.mtime_ns]


def _read_time(store: Store, ref: Ref, file: StoredFile) -> int | None:
    try:
        return (store.artifact(ref) / file.path).stat().st_mtime_ns
    except OSError:
        return None


def _record_times(store: Store, ref: Ref, manifest: Manifest) -> None:
    """Record the times of files that have the right content, e.g. in a copy of a store, to read them only once."""
    files = tuple(file.model_copy(update={"mtime_ns": _read_time(store, ref, file)}) for file in manifest.files)
    values = manifest.model_copy(update={"files": files}).model_dump(mode="json")
    with suppress(OSError):  # the artifact is another user's; the next reader checks it again
        write_json(store.artifact(ref) / MANIFEST, values)
