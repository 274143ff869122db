"""Kills containers: all processes that carry a marker in their environment. As a program: once its standard input ends.

A container on Modal is a process namespace of its own, and nothing in it outlives its first process. Here a mark that
children inherit takes the namespace's place. The program makes sure of it even if the control plane itself is killed.
Only the standard library, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

MARKER = "MODAL_CONTAINER_ARGUMENTS_PATH"  # the client's entry point needs it, and it differs for each container


def marked(path: str) -> list[int]:
    """The processes of the container (or of all containers) whose arguments lie under this path."""
    mark = f"\0{MARKER}={path}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:  # it has ended, or is someone else's
                continue
            if mark in b"\0" + environment:
                found.append(int(entry.name))
    return found


def kill_marked(path: str) -> None:
    for _ in range(10):  # again, since a process may have started another one meanwhile
        if not (processes := marked(path)):
            return
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_marked(sys.argv[1])
    shutil.rmtree(sys.argv[1], ignore_errors=True)
