"""Server that imports the heavy modules of an environment and forks stage processes. Uses only the standard library.

    python -I env_launcher.py ftrun.execution.fork_server DESCRIPTOR MODULE...

`DESCRIPTOR` is one end of a `SOCK_SEQPACKET` pair; each datagram is a JSON object:

    from the server   {"ready": true}, or {"unfit": REASON}, after which the server ends
    to the server     {"id", "module", "arguments", "folder", "environment"} with descriptors of the log and the lock
    from the server   {"id", "pid"} with a pidfd, then {"id", "code"} when that process ends

The server ends when the other end is closed. The processes that it forked continue, each in its own session.
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

from ftrun.utils import env_launcher

LOCK = "FTRUN_LOCK_DESCRIPTOR"  # variable of a stage process: the descriptor of the lock of its key
LONGEST = 1 << 18  # bytes of a datagram
# Makes torch look for GPUs without initializing CUDA: a forked process cannot initialize CUDA again.
WITHOUT_CUDA = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
CUDA_NOT_INITIALIZED = 3  # CUDA_ERROR_NOT_INITIALIZED in the driver API


@dataclass(frozen=True)
class Request:
    """Request to fork a process: its module, arguments, folder, environment variables and descriptors."""

    module: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    log: int
    lock: int

    def prepare_process(self) -> None:
        """Give this newly forked process its own session, output, folder, variables and arguments."""
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
    reason = preload(modules, lambda remaining: _restart(descriptor, remaining))
    connection = socket.socket(fileno=int(descriptor))
    _send(connection, {"unfit": reason} if reason else {"ready": True})
    request = None if reason else _serve(connection)
    if request is None:
        os._exit(0)  # skips exit handlers of the imported modules, which did no work in this process
    request.run()


def cuda_is_initialized() -> bool:
    """Return whether the CUDA driver is loaded and initialized in this process."""
    import ctypes

    try:
        driver = ctypes.CDLL("libcuda.so.1", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return False
    return bool(driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int())) != CUDA_NOT_INITIALIZED)


def preload(
    modules: Sequence[str],
    restart: Callable[[Sequence[str]], NoReturn],
    uses_cuda: Callable[[], bool] = cuda_is_initialized,
) -> str | None:
    """Import modules; return the reason why no process can be forked afterwards, or None.

    A process that is forked after CUDA was initialized cannot use a GPU. If importing a module initializes CUDA,
    `restart` is called with the modules before it.
    """
    for position, module in enumerate(modules):
        try:
            importlib.import_module(module)
        except Exception as error:  # any error: stage processes then start without forking
            return f"{module}: {type(error).__name__}: {error}"
        if uses_cuda():
            print(f"importing {module} initializes CUDA, so it and the modules after it are not preloaded", flush=True)
            if position:
                restart(modules[:position])
            return f"importing {module} initializes CUDA"
    return None


def _restart(descriptor: str, modules: Sequence[str]) -> NoReturn:
    os.set_inheritable(int(descriptor), True)
    os.execv(sys.executable, [sys.executable, "-I", env_launcher.__file__, __name__, descriptor, *modules])  # noqa: S606


def _serve(connection: socket.socket) -> Request | None:
    """Fork a process for each request; return the request in the forked process, and None in the server at its end."""
    gc.collect()
    gc.freeze()  # else garbage collection in a forked process copies the memory pages of the modules
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
                request.prepare_process()
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
    except BrokenPipeError:  # the other end is closed; the next read notices it
        return
