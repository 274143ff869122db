"""Manifest of an artifact."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ftrun.api.stored_files import Finite, StoredModel, Timestamp

__all__ = ["GateResult", "Manifest", "StoredFile"]


def _check_path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("a path inside the artifact")
    return path


class StoredFile(BaseModel):
    """File of an artifact.

    Args:
        path: The path, relative to the artifact.
        size: The size in bytes.
        sha256: The digest of the content. Empty: not recorded.
        mtime_ns: The time of the last change in nanoseconds, so that an unchanged file need not be read to check it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    path: Annotated[str, AfterValidator(_check_path)]
    size: Annotated[int, Field(ge=0)]
    sha256: str = ""
    mtime_ns: int | None = None


class GateResult(BaseModel):
    """Result of a gate. `met` is true if the evaluation meets the threshold."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str
    met: bool
    detail: str


class Manifest(StoredModel):
    """Record of an artifact: its files, origin and metrics."""

    model_config = ConfigDict(frozen=True)  # besides that of StoredModel
    stage: str
    key: str
    identity: dict[str, Any]
    files: tuple[StoredFile, ...]
    created: Timestamp  # seconds since 1970
    seconds: Finite  # run time of the attempt that finished
    run: str
    metrics: dict[str, Any] = {}
    gates: tuple[GateResult, ...] = ()
    facts: dict[str, Any] = {}  # versions of packages and hardware

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(file.size for file in self.files)
