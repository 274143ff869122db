"""Comparison of the files of artifacts with their manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import StoredFile
from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref

BLOCK = 1 << 22  # bytes
MOST_FILES = 3  # named in a message

Advance = Callable[[int], object]  # gets the number of bytes read


def describe_damage(store: Store, ref: Ref, names: list[str]) -> Problem:
    """Return the problem of an artifact whose files differ from its manifest."""
    more = f" and {len(names) - MOST_FILES} more" if len(names) > MOST_FILES else ""
    return Problem(
        "damaged-artifact",
        f"`{ref}` was changed after it was made: {', '.join(names[:MOST_FILES])}{more}",
        at=str(store.artifact(ref)),
        expected="the files that its manifest lists, with the same sizes and digests",
        hint=f"`ftrun rm {ref}` removes it, and `ftrun resume RUN` makes it anew",
    )


def check_content(store: Store, ref: Ref, file: StoredFile, content: bytes) -> None:
    """Check the content of a file of an artifact that was read as a whole.

    Raises:
        InvalidInput: If it differs from the manifest.
    """
    if len(content) != file.size or (file.sha256 and hashlib.sha256(content).hexdigest() != file.sha256):
        raise InvalidInput(describe_damage(store, ref, [f"{file.path} has another content"]))


def find_damage(store: Store, ref: Ref, files: Iterable[StoredFile], advance: Advance = lambda size: None) -> list[str]:
    """Read files of an artifact and return a description of each that differs from its entry in the manifest."""
    folder = store.artifact(ref)
    return [f"{file.path} {damage}" for file in files if (damage := _find(folder / file.path, file, advance))]


def _find(path: Path, file: StoredFile, advance: Advance) -> str | None:
    """Return the difference of a file from its entry in the manifest, or None."""
    try:
        if not path.is_file():
            return "is missing" if not path.exists() else "is no file"
        size = path.stat().st_size
        if size != file.size:
            return f"has {size:,} bytes instead of {file.size:,}"
        if file.sha256 and _hash(path, advance) != file.sha256:
            return "has another content"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def _hash(path: Path, advance: Advance) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(BLOCK):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()
