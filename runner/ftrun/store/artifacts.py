"""Publishing of artifacts under their keys, completely or not at all, and their lookup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ftrun.api.manifest import GateResult, Manifest, StoredFile
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref, StageCall
from ftrun.utils.atomic_io import read_json, sync, write_json
from ftrun.utils.digests import sha256_of

FILE_MODE = 0o644  # some libraries write files that only their owner can read
MAX_READ_BYTES = 16_000_000  # a reader returns no file that is larger

Read = Callable[[Ref, str], bytes | None]  # artifact and file name -> content, or None if there is no such file


def describe(
    store: Store,
    call: StageCall,
    run: str,
    seconds: float,
    metrics: Mapping[str, Any],
    gates: tuple[GateResult, ...],
    facts: Mapping[str, Any],
) -> Manifest:
    """Write the manifest of the output in a call's scratch folder, beside that output, and return it."""
    scratch = store.scratch(call.ref)
    scratch.output.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        stage=call.stage,
        key=call.key,
        identity=call.identity,
        files=tuple(_files(scratch.output)),
        created=time.time(),
        seconds=round(seconds, 3),
        run=run,
        metrics=dict(metrics),
        gates=gates,
        facts=dict(facts),
    )
    write_json(scratch.manifest, manifest.model_dump(mode="json"))
    return manifest


def publish(store: Store, ref: Ref, manifest: Manifest, settle: Callable[[], None] | None = None) -> None:
    """Move the output of a call to its place in the store; the caller must hold the lock of the key.

    On a local disk, one rename moves the output together with its manifest. On a shared disk, other machines may see
    the files one after the other. Pass `settle` there: it must wait until they see everything written so far. The
    manifest is then written last, because an artifact exists as soon as its manifest does.
    """
    scratch, target = store.scratch(ref), store.artifact(ref)
    values = manifest.model_dump(mode="json")
    if settle is None:
        write_json(scratch.output / MANIFEST, values)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # it is damaged: the call would not have run otherwise
        shutil.rmtree(target)
    scratch.output.rename(target)
    sync(target.parent)
    if settle is not None:
        settle()
        write_json(target / MANIFEST, values)
        settle()


def _files(folder: Path) -> list[StoredFile]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST]
    for path in paths:
        path.chmod(FILE_MODE)
    return [
        StoredFile(path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=sha256_of(path))
        for path in paths
    ]


def find(store: Store, ref: Ref) -> Manifest | None:
    """Return the manifest of an artifact; None if the artifact is absent or a file is missing or of another size."""
    folder = store.artifact(ref)
    try:
        values = read_json(folder / MANIFEST)
        manifest = None if values is None else Manifest.model_validate(values)
    except ValueError:  # truncated, or written by another version
        return None
    return manifest if manifest and all(_has_size(folder / file.path, file.size) for file in manifest.files) else None


def reader(store: Store) -> Read:
    """Return a function that reads small files of the artifacts in a store."""

    def read(ref: Ref, name: str) -> bytes | None:
        path = store.artifact(ref) / name
        return path.read_bytes() if path.exists() and path.stat().st_size <= MAX_READ_BYTES else None

    return read


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
