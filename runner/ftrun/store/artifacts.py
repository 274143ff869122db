"""Publishes the output of a stage call under its key, whole or not at all, and finds it again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref, StageCall
from ftrun.utils.atomic_io import read_json, sync, write_json
from ftrun.utils.digests import sha256_of

FILE_MODE = 0o644  # some libraries write files that only their owner can read
MOST_READ = 16_000_000  # bytes of a file that is read whole, wherever that happens

Read = Callable[[Ref, str], bytes | None]  # a small file of an artifact; None where there is none


class StoredFile(BaseModel):
    """One file of an artifact; `path` is relative to it, `size` in bytes."""

    model_config = ConfigDict(frozen=True)
    path: str
    size: int
    sha256: str


class GateResult(BaseModel):
    """Whether an evaluation reached what its gate asks for."""

    model_config = ConfigDict(frozen=True)
    name: str
    met: bool
    detail: str


class Manifest(BaseModel):
    """What an artifact is: its files, what it was made from, and what it measured."""

    model_config = ConfigDict(frozen=True)
    stage: str
    key: str
    identity: dict[str, Any]
    files: tuple[StoredFile, ...]
    created: float  # seconds since 1970
    seconds: float  # that the stage took, of the try that finished
    run: str
    metrics: dict[str, Any] = {}
    gates: tuple[GateResult, ...] = ()
    facts: dict[str, Any] = {}  # versions and hardware it ran with

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def describe(
    store: Store,
    call: StageCall,
    run: str,
    seconds: float,
    metrics: Mapping[str, Any],
    gates: tuple[GateResult, ...],
    facts: Mapping[str, Any],
) -> Manifest:
    """The manifest of what a call has written into its scratch folder, kept beside it."""
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
    """Moves the output of a call into place; the caller holds the key's lock.

    On one disk one rename does it, manifest and all. Where others see this disk piece by piece, `settle` waits until
    they see all that was written: then the manifest comes last, for an artifact exists once its manifest does.
    """
    scratch, target = store.scratch(ref), store.artifact(ref)
    values = manifest.model_dump(mode="json")
    if settle is None:
        write_json(scratch.output / MANIFEST, values)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # damaged: were it whole, the call would not have run
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
    """The manifest of a whole artifact; None where it is absent or a file of it is missing or cut short."""
    folder = store.artifact(ref)
    try:
        values = read_json(folder / MANIFEST)
        manifest = None if values is None else Manifest.model_validate(values)
    except ValueError:  # cut short, or of another version
        return None
    return manifest if manifest and all(_has_size(folder / file.path, file.size) for file in manifest.files) else None


def reader(store: Store) -> Read:
    """Reads small files of the artifacts of a store."""

    def read(ref: Ref, name: str) -> bytes | None:
        path = store.artifact(ref) / name
        return path.read_bytes() if path.exists() and path.stat().st_size <= MOST_READ else None

    return read


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
