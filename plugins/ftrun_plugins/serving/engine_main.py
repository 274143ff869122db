"""Entry point of an engine's process, which stops when its parent does. Standard library only.

    python -I env_launcher.py ftrun_plugins.serving.engine_main MODULE ARGUMENT...

Standard input is a pipe that the parent process holds open as long as it needs the engine. The end of the input stops
the engine. The operating system also closes the pipe when the parent is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from importlib.util import find_spec

from ftrun_plugins.serving.middleware import REQUEST_COUNTER

SECONDS_FOR_ANSWERS = 15.0  # that are in progress
SECONDS_TO_END = 5.0  # after the answers
POLL_SECONDS = 0.1


def main() -> None:
    """Run the engine's module with its arguments, like `python -m`."""
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    if find_spec("uvicorn"):  # the environments of engines have it
        from ftrun_plugins.serving import connections

        connections.install()
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    runpy.run_module(module, run_name="__main__")


def _stop_at_end_of_input() -> None:
    while os.read(0, 1):
        pass
    REQUEST_COUNTER.closed = True
    deadline = time.monotonic() + SECONDS_FOR_ANSWERS
    while REQUEST_COUNTER.active and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_END)
    os.killpg(0, signal.SIGKILL)  # with all child processes
