"""Warm parents: one process per environment that has imported its heavy modules and forks stage processes.

Imports take most of the time of a short stage: torch, transformers and axolotl take about 10 s of processor time, and
vLLM takes as long. A process that is forked after these imports starts its work within a fraction of a second, and has
a clean state.
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
from ftrun.api.process_env import OFFLINE, process_env
from ftrun.execution.fork_server import LONGEST, WITHOUT_CUDA
from ftrun.utils import env_launcher

MODULE = "ftrun.execution.fork_server"
SECONDS_FOR_CODE = 5.0  # maximum time between the end of a process and the report of its exit code


def can_fork() -> bool:
    """Return whether this system supports warm parents: Linux with pidfds (5.3)."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


@dataclass
class ForkedProcess:
    """A process that a warm parent forked, with the interface of `subprocess.Popen` that stage processes use."""

    pid: int
    descriptor: int  # a pidfd: readable once the process has ended
    returncode: int | None = None
    code: int | None = None  # exit code, if the parent reported it
    reported: threading.Event = field(default_factory=threading.Event)  # also set if the parent has ended

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs; return -9 if its parent ended without a report."""
        if self.returncode is None and select.select([self.descriptor], [], [], 0)[0]:
            self.reported.wait(SECONDS_FOR_CODE)
            os.close(self.descriptor)
            self.returncode = -9 if self.code is None else self.code
        return self.returncode


class WarmParent:
    """Warm parent process, which starts immediately and imports modules in the background.

    It ends when this object is garbage-collected or this process ends.
    """

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
                start_new_session=True,  # else Ctrl-C would end it; stage processes get their own signal
            )
        self._connection = ours
        self._state = _State()
        threading.Thread(target=_receive_messages, args=(ours, self._state), daemon=True).start()
        weakref.finalize(self, _stop_parent, ours, self._process)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def fault(self) -> str | None:
        """The reason why no process can be forked, or None; waits for the imports."""
        self._state.ready.wait()
        return self._state.fault

    def fork(
        self, module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: int, lock: int
    ) -> ForkedProcess | None:
        """Run `main` of a module in a forked process; return None if that is not possible.

        Raises:
            FtrunError: If the parent ended during the fork, so that it is unknown if the process exists.
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
        except OSError:  # the parent has ended
            return None
        pending.started.wait()
        if pending.process is None:
            raise FtrunError(
                Problem(
                    "process-ended", "the process that forks the stage processes has ended", hint="`ftrun resume last`"
                )
            )
        return pending.process


_PARENTS: weakref.WeakValueDictionary[tuple[object, ...], WarmParent] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def warm_parent(python: Path, variables: Mapping[str, str], modules: Sequence[str], log: Path) -> WarmParent:
    """Return the existing parent with these modules in this process, or start a new one.

    The trials of a sweep and the runs of one program share a parent.
    """
    key = (python, tuple(sorted(variables.items())), tuple(modules))
    with _LOCK:
        parent = _PARENTS.get(key)
        if parent is None or parent.has_ended:
            parent = _PARENTS[key] = WarmParent(python, variables, modules, log)
        return parent


@dataclass
class _Pending:
    started: threading.Event = field(default_factory=threading.Event)
    process: ForkedProcess | None = None


class _State:
    """Messages of the parent so far."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.fault: str | None = None
        self._lock = threading.Lock()
        self._requests: list[_Pending] = []

    def add(self, pending: _Pending) -> int:
        with self._lock:
            self._requests.append(pending)
            return len(self._requests) - 1

    def receive(self, message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        if "id" not in message:
            self.fault = message.get("unfit")
            self.ready.set()
            return
        pending = self._requests[message["id"]]
        if "pid" in message:
            pending.process = ForkedProcess(message["pid"], descriptors[0])
            pending.started.set()
        elif pending.process is not None:
            pending.process.code = message["code"]
            pending.process.reported.set()

    def close(self) -> None:
        """Record that the parent has ended, and wake every waiting thread."""
        self.fault = self.fault or "it has ended"
        self.ready.set()
        for pending in self._requests:
            pending.started.set()
            if pending.process is not None:
                pending.process.reported.set()


def _receive_messages(connection: socket.socket, state: _State) -> None:
    with suppress(OSError):
        while True:
            message, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 1)
            if not message:
                break
            state.receive(json.loads(message), descriptors)
    state.close()


def _stop_parent(connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Close the connection and end the parent, even if it is still importing."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    process.kill()
    process.wait()
