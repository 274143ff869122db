"""Finds this machine's cores and GPUs without importing torch."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from shutil import which


@cache
def gpus() -> tuple[str, ...]:
    """Names of the NVIDIA GPUs that this process may use, by the driver's own tool."""
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
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
