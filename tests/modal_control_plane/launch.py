"""Starts the client's container entry point in any interpreter: `python launch.py [FOLDER]`; standard library only.

The folder holds the client for an interpreter that lacks it. It is appended, so that it never shadows a package of the
interpreter's own environment.
"""

import runpy
import signal
import sys
from pathlib import Path

# whoever started the control plane may ignore interrupts, as shells do for what runs in their background
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[0] = str(Path.cwd())  # as `python -m` has it; not the folder of this file
sys.path.extend(sys.argv[1:])
del sys.argv[1:]
runpy.run_module("modal._container_entrypoint", run_name="__main__", alter_sys=True)
