"""Manifest of an artifact."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["GateResult", "Manifest", "StoredFile"]


class StoredFile(BaseModel):
    """File of an artifact. `path` is relative to the artifact. `size` is in bytes."""

    model_config = ConfigDict(frozen=True)
    path: str
    size: int
    sha256: str


class GateResult(BaseModel):
    """Result of a gate. `met` is true if the evaluation meets the threshold."""

    model_config = ConfigDict(frozen=True)
    name: str
    met: bool
    detail: str


class Manifest(BaseModel):
    """Record of an artifact: its files, origin and metrics."""

    model_config = ConfigDict(frozen=True)
    stage: str
    key: str
    identity: dict[str, Any]
    files: tuple[StoredFile, ...]
    created: float  # seconds since 1970
    seconds: float  # run time of the attempt that finished
    run: str
    metrics: dict[str, Any] = {}
    gates: tuple[GateResult, ...] = ()
    facts: dict[str, Any] = {}  # versions of packages and hardware

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(file.size for file in self.files)
