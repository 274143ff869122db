"""Publishing of artifacts under their keys, completely or not at all, and their lookup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import GateResult, Manifest, StoredFile
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.redaction import redact_all
from ftrun.api.stage_call import Ref, StageCall
from ftrun.api.stored_files import read_stored
from ftrun.store.integrity import check_content
from ftrun.utils.atomic_io import sync, write_json
from ftrun.utils.digests import sha256_of
from ftrun.utils.file_modes import share

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
    """Write the manifest of the output in a call's scratch folder, beside that output, and return it.

    Its metrics and gates have no secrets.
    """
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
        metrics=redact_all(dict(metrics)),
        gates=tuple(GateResult.model_validate(redact_all(gate.model_dump())) for gate in gates),
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
    existing = sorted(folder.rglob("*"))
    for path in (folder, *existing):
        if not path.is_symlink():
            share(path)
    paths = [path for path in existing if path.is_file() and path != folder / MANIFEST]
    return [_describe_file(path, folder) for path in paths]


def _describe_file(path: Path, folder: Path) -> StoredFile:
    stat = path.stat()
    return StoredFile(
        path=path.relative_to(folder).as_posix(),
        size=stat.st_size,
        sha256=sha256_of(path),
        mtime_ns=stat.st_mtime_ns,
    )


def find(store: Store, ref: Ref) -> Manifest | None:
    """Return the manifest of an artifact; None if the artifact is absent or a file is missing or of another size."""
    folder = store.artifact(ref)
    try:
        manifest = read_manifest(store, ref)
    except InvalidInput:  # missing, truncated, or written by another version
        return None
    is_complete = all(_has_size(folder / file.path, file.size) for file in manifest.files)
    return manifest if is_complete else None


def read_manifest(store: Store, ref: Ref) -> Manifest:
    """Return the manifest of an artifact.

    Raises:
        InvalidInput: If it cannot be read, or is that of another artifact.
    """
    path, what = store.artifact(ref) / MANIFEST, f"the manifest of `{ref}`"
    manifest = read_stored(path, Manifest, what, f"`ftrun rm {ref}` removes the artifact")
    if (manifest.stage, manifest.key) != (ref.stage, ref.key):
        found = f"{manifest.stage}/{manifest.key}"
        raise InvalidInput(Problem("damaged-record", f"{what} is that of `{found}`", at=str(path)))
    return manifest


def reader(store: Store) -> Read:
    """Return a function that reads small files of the artifacts in a store, and checks them with the manifests."""

    @cache
    def list_files(ref: Ref) -> dict[str, StoredFile]:
        try:
            return {file.path: file for file in read_manifest(store, ref).files}
        except InvalidInput:
            return {}

    def read(ref: Ref, name: str) -> bytes | None:
        file = list_files(ref).get(name)
        path = store.artifact(ref) / name
        if file is None or file.size > MAX_READ_BYTES or not path.is_file():
            return None
        content = path.read_bytes()
        check_content(store, ref, file, content)
        return content

    return read


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
