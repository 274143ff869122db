"""Fork stage processes from a process that has imported an environment's heavy modules. Standard library only.

    python -I bootstrap.py ftrun.execution.fork_server DESCRIPTOR MODULE...

`DESCRIPTOR` is one end of a `SOCK_SEQPACKET` pair; each datagram is a JSON object:

    from the server   {"ready": true}, or {"unfit": REASON} and the server ends
    to the server     {"id", "module", "arguments", "folder", "environment"} with descriptors of the log and the lock
    from the server   {"id", "pid"} with a pidfd, and once that process has ended {"id", "code"}

The server ends when the other end is closed. Processes that it forked live on, each in a session of its own.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import selectors
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ftrun.execution import env_launcher

LOCK = "FTRUN_LOCK_DESCRIPTOR"  # in a stage process: the descriptor of its key's lock
LONGEST = 1 << 18  # bytes of a datagram
# torch asks the driver for GPUs without initializing CUDA, which a forked process could not do again
WITHOUT_CUDA = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
CUDA_NOT_INITIALIZED = 3  # CUDA_ERROR_NOT_INITIALIZED of the driver


@dataclass(frozen=True)
class Request:
    """One process to fork: what it runs, where, and with which descriptors."""

    module: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    log: int
    lock: int

    def become(self) -> None:
        """Turn this process, just forked, into the one that was asked for."""
        os.setsid()
        for target in (1, 2):
            os.dup2(self.log, target)
        os.close(self.log)
        os.chdir(self.folder)
        for name in WITHOUT_CUDA:
            os.environ.pop(name, None)
        os.environ.update(self.environment)
        os.environ[LOCK] = str(self.lock)
        os.set_inheritable(self.lock, True)
        env_launcher.carry(json.loads(self.environment[env_launcher.VARIABLE]))
        random.seed()
        sys.argv = [self.module, *self.arguments]

    def run(self) -> None:
        importlib.import_module(self.module).main()


def main() -> None:
    descriptor, *modules = sys.argv[1:]
    reason = preload(modules, lambda some: _start_again(descriptor, some))
    connection = socket.socket(fileno=int(descriptor))
    _send(connection, {"unfit": reason} if reason else {"ready": True})
    request = None if reason else _serve(connection)
    if request is None:
        os._exit(0)  # what the modules have registered for the end is for processes that did something
    request.run()


def cuda_is_initialized() -> bool:
    """Ask the driver, if it is loaded at all."""
    import ctypes

    try:
        driver = ctypes.CDLL("libcuda.so.1", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return False
    return bool(driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int())) != CUDA_NOT_INITIALIZED)


def preload(
    modules: Sequence[str],
    start_again: Callable[[Sequence[str]], NoReturn],
    uses_cuda: Callable[[], bool] = cuda_is_initialized,
) -> str | None:
    """Import modules; return why no process can be forked afterwards, or None.

    A process that is forked after CUDA was initialized cannot use a GPU. So at the first module that does that, all is
    begun anew by `start_again` with the modules before it.
    """
    for place, module in enumerate(modules):
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever it is, a fresh process does without
            return f"{module}: {type(error).__name__}: {error}"
        if uses_cuda():
            print(f"importing {module} initializes CUDA: it is left out, and what comes after it", flush=True)
            if place:
                start_again(modules[:place])
            return f"importing {module} initializes CUDA"
    return None


def _start_again(descriptor: str, modules: Sequence[str]) -> NoReturn:
    os.set_inheritable(int(descriptor), True)
    os.execv(sys.executable, [sys.executable, "-I", env_launcher.__file__, __name__, descriptor, *modules])  # noqa: S606


def _serve(connection: socket.socket) -> Request | None:
    """Fork a process for each request; return the request in that process, and None here at the end."""
    gc.collect()
    gc.freeze()  # the collector of a forked process would copy every page that the modules are in
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                _reap(connection, selector, key.fd, *key.data)
                continue
            message, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 2)
            if not message:
                return None
            values = json.loads(message)
            request_id, (log, lock) = values.pop("id"), descriptors
            pid = os.fork()
            if pid == 0:
                selector.close()
                connection.close()
                request = Request(**values, log=log, lock=lock)
                request.become()
                return request
            for received in descriptors:
                os.close(received)
            process = os.pidfd_open(pid)
            selector.register(process, selectors.EVENT_READ, (request_id, pid))
            _send(connection, {"id": request_id, "pid": pid}, process)


def _reap(
    connection: socket.socket, selector: selectors.BaseSelector, descriptor: int, request_id: int, pid: int
) -> None:
    selector.unregister(descriptor)
    os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    _send(connection, {"id": request_id, "code": os.waitstatus_to_exitcode(status)})


def _send(connection: socket.socket, message: Mapping[str, Any], *descriptors: int) -> None:
    try:
        socket.send_fds(connection, [json.dumps(message).encode()], descriptors)
    except BrokenPipeError:  # the other end has gone; the next read says so
        return
