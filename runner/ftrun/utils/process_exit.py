"""Reasons for the end of a process: its exit code, and kills by the operating system because the memory was full."""

from __future__ import annotations

import re
import signal
from pathlib import Path

# Files of Linux that count the processes that were killed because the memory was full: of the machine, and of the
# container, with either version of cgroups.
COUNTERS = (
    Path("/proc/vmstat"),
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)


def describe_exit(code: int) -> str:
    """Return the end of a process in words, from the exit code that `subprocess` returns."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def count_memory_kills() -> int:
    """Return the number of processes that the operating system has killed because the memory was full."""
    found = [re.search(r"^oom_kill (\d+)", _read(path), re.MULTILINE) for path in COUNTERS]
    return sum(int(match[1]) for match in found if match)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
