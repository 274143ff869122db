"""Runs an engine so that it ends with whoever started it. Run by path where the engine is; standard library only.

    python -I bootstrap.py ftrun_plugins.serving.engine_main MODULE ARGUMENT...

Standard input is a pipe that the other side holds open for as long as it wants the engine. Its end says that the engine
is to stop, and comes by itself when that process is killed, on every system.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

from ftrun_plugins.serving.middleware import DOOR

SECONDS_FOR_ANSWERS = 15.0  # that are under way
SECONDS_TO_END = 5.0  # after them
SECONDS_BETWEEN_LOOKS = 0.1


def main() -> None:
    """Runs the engine's module as Python's `-m` does, with its arguments."""
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    threading.Thread(target=_end_with_input, daemon=True).start()
    runpy.run_module(module, run_name="__main__")


def _end_with_input() -> None:
    while os.read(0, 1):
        pass
    DOOR.closed = True
    until = time.monotonic() + SECONDS_FOR_ANSWERS
    while DOOR.under_way and time.monotonic() < until:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_END)
    os.killpg(0, signal.SIGKILL)  # with all the processes that it has
