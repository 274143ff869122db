"""The GPUs of this machine, by the driver's tool and CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftrun_plugins.local import hardware


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of programs, the only one that is searched."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(hardware, "which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    hardware.gpus.cache_clear()
    yield tmp_path
    hardware.gpus.cache_clear()


def write_tool(folder: Path, *lines: str, code: int = 0) -> None:
    echoed = "\n".join(f"echo '{line}'" for line in lines)
    tool = folder / "nvidia-smi"
    tool.write_text(
        f"#!/bin/sh\n[ \"$*\" = '--query-gpu=name --format=csv,noheader' ] || exit 9\n{echoed}\nexit {code}\n"
    )
    tool.chmod(0o755)


@pytest.mark.parametrize(
    ("visible", "count"), [(None, 2), ("0", 1), ("1,0", 2), ("0,1,2", 2), ("", 0), ("GPU-8932f937", 1)]
)
def test_visible_gpus(visible: str | None, count: int, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tool(tools, "NVIDIA H200", " NVIDIA H200 ", "")
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware.gpus() == ("NVIDIA H200",) * count


def test_a_machine_without_the_tool_has_no_gpu() -> None:
    assert hardware.gpus() == ()


def test_a_tool_that_fails_finds_no_gpu(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    write_tool(tools, "NVIDIA-SMI has failed", code=9)
    assert hardware.gpus() == ()


@pytest.mark.parametrize("error", [OSError("gone"), subprocess.TimeoutExpired("nvidia-smi", 20)])
def test_a_tool_that_cannot_run_finds_no_gpu(error: Exception, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    write_tool(tools, "NVIDIA H200")
    monkeypatch.setattr(hardware.subprocess, "run", fail)
    assert hardware.gpus() == ()


def test_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert hardware.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert hardware.cores() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert hardware.cores() == 1
