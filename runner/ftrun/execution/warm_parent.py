"""One process an environment that has imported its heavy modules, and from which stage processes are forked.

Importing takes most of a short stage: torch, transformers and axolotl about 10 s of processor time, vLLM as much. A
process forked from one that has imported them computes after a fraction of a second, and has a clean state.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import FtrunError, Problem
from ftrun.execution import env_launcher
from ftrun.execution.fork_server import LONGEST, WITHOUT_CUDA
from ftrun.execution.process_env import OFFLINE, process_env

MODULE = "ftrun.execution.fork_server"
SECONDS_FOR_CODE = 5.0  # from the end of a process until its exit code has come


def can_fork() -> bool:
    """Return whether this system has what a warm parent needs: Linux, with pidfds (5.3)."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


@dataclass
class ForkedProcess:
    """A process that a warm parent forked, with the part of `subprocess.Popen` that stage processes need."""

    pid: int
    descriptor: int  # a pidfd: readable once the process has ended
    returncode: int | None = None
    code: int | None = None  # as the parent reported it
    reported: threading.Event = field(default_factory=threading.Event)  # or never will be

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs; -9 if its parent ended before it could report."""
        if self.returncode is None and select.select([self.descriptor], [], [], 0)[0]:
            self.reported.wait(SECONDS_FOR_CODE)
            os.close(self.descriptor)
            self.returncode = -9 if self.code is None else self.code
        return self.returncode


class WarmParent:
    """Starts at once and imports in the background; it ends when this object is collected or this process ends."""

    def __init__(self, python: Path, variables: Mapping[str, str], modules: Sequence[str], log: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(python), "-I", env_launcher.__file__, MODULE, str(theirs.fileno()), *modules],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**process_env(variables, (), ["ftrun"]), **OFFLINE, **WITHOUT_CUDA},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for its children to hear of, one by one
            )
        self._connection = ours
        self._state = _State()
        threading.Thread(target=_listen, args=(ours, self._state), daemon=True).start()
        weakref.finalize(self, _end, ours, self._process)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def fault(self) -> str | None:
        """Wait for the imports; return why no process can be forked, or None."""
        self._state.ready.wait()
        return self._state.fault

    def fork(
        self, module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: int, lock: int
    ) -> ForkedProcess | None:
        """Start `main` of a module in a process of its own; None if that cannot be done here.

        Raises:
            FtrunError: The parent ended while it forked: whether there is a process is unknown.
        """
        if self.fault is not None:
            return None
        request = {"module": module, "arguments": list(arguments), "folder": str(folder)}
        pending = _Pending()
        message = json.dumps({**request, "environment": dict(environment), "id": self._state.add(pending)}).encode()
        if len(message) > LONGEST:
            return None
        try:
            socket.send_fds(self._connection, [message], [log, lock])
        except OSError:  # it has gone
            return None
        pending.begun.wait()
        if pending.process is None:
            raise FtrunError(
                Problem(
                    "process-ended", "the process that stages are forked from has ended", hint="`ftrun resume last`"
                )
            )
        return pending.process


_PARENTS: weakref.WeakValueDictionary[tuple[object, ...], WarmParent] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def warm_parent(python: Path, variables: Mapping[str, str], modules: Sequence[str], log: Path) -> WarmParent:
    """Return the parent with these modules that somebody in this process holds, or start one.

    Points of a sweep and runs of one program share it that way.
    """
    key = (python, tuple(sorted(variables.items())), tuple(modules))
    with _LOCK:
        parent = _PARENTS.get(key)
        if parent is None or parent.has_ended:
            parent = _PARENTS[key] = WarmParent(python, variables, modules, log)
        return parent


@dataclass
class _Pending:
    begun: threading.Event = field(default_factory=threading.Event)
    process: ForkedProcess | None = None


class _State:
    """What the parent has said so far."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.fault: str | None = None
        self._lock = threading.Lock()
        self._requests: list[_Pending] = []

    def add(self, pending: _Pending) -> int:
        with self._lock:
            self._requests.append(pending)
            return len(self._requests) - 1

    def take(self, message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        if "id" not in message:
            self.fault = message.get("unfit")
            self.ready.set()
            return
        pending = self._requests[message["id"]]
        if "pid" in message:
            pending.process = ForkedProcess(message["pid"], descriptors[0])
            pending.begun.set()
        elif pending.process is not None:
            pending.process.code = message["code"]
            pending.process.reported.set()

    def close(self) -> None:
        """The parent has gone: nobody waits for it any more."""
        self.fault = self.fault or "it has ended"
        self.ready.set()
        for pending in self._requests:
            pending.begun.set()
            if pending.process is not None:
                pending.process.reported.set()


def _listen(connection: socket.socket, state: _State) -> None:
    with suppress(OSError):
        while True:
            message, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 1)
            if not message:
                break
            state.take(json.loads(message), descriptors)
    state.close()


def _end(connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Close the connection: the parent ends. One that still imports is killed."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    process.kill()
    process.wait()
