"""Cores and GPUs of this machine, found without importing torch."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from shutil import which


@cache
def gpus() -> tuple[str, ...]:
    """Return the names of the NVIDIA GPUs that this process may use, as reported by `nvidia-smi`."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return ()
    tool = which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    names = tuple(line.strip() for line in result.stdout.splitlines() if line.strip()) if result.returncode == 0 else ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return names[: len(visible.split(","))] if visible else names


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
