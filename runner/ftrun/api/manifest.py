"""The manifest of an artifact."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class StoredFile(BaseModel):
    """One file of an artifact; `path` is relative to it, `size` in bytes."""

    model_config = ConfigDict(frozen=True)
    path: str
    size: int
    sha256: str


class GateResult(BaseModel):
    """Result of a gate: whether an evaluation reached its threshold."""

    model_config = ConfigDict(frozen=True)
    name: str
    met: bool
    detail: str


class Manifest(BaseModel):
    """Record of an artifact: its files, its origin, and its metrics."""

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
