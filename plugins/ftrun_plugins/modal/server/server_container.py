"""Container of an inference server: starts the engine, and exits when the engine ends."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from ftrun.api.paths import Store
from ftrun.api.serving_spec import Serving
from ftrun_plugins.modal.container.container_volume import VARIABLE
from ftrun_plugins.modal.options import MOUNT
from ftrun_plugins.serving.engine import Engine, command, launch, variables
from ftrun_plugins.serving.middleware import KEY

PORT = 8000
SERVING = "FTRUN_SERVING"  # environment variable with the serving specification as JSON
GPUS = "FTRUN_SERVING_GPUS"  # environment variable with the number of GPUs


def start_engine() -> None:
    """Start the engine and return at once. Modal waits until the engine listens."""
    serving = Serving.model_validate_json(os.environ[SERVING])
    store = Store(Path(os.environ.get(VARIABLE, MOUNT)))
    all_addresses = "0.0.0.0"  # noqa: S104  (Modal's proxy connects from outside the container)
    arguments = command(serving, store.artifact, Path(sys.executable), all_addresses, PORT, int(os.environ[GPUS]))
    key, hosts = os.environ.get(KEY), serving.allowed_hosts or None  # Modal's proxy serves only the names of the app
    environment = variables(serving.limits, key, {}, serving.no_tools, serving.names, hosts)
    engine = Engine(launch(arguments, environment, None), PORT)
    threading.Thread(target=_exit_with, args=(engine,), daemon=True).start()


def _exit_with(engine: Engine) -> None:
    engine.wait()
    os._exit(1)  # otherwise the container would accept requests without an engine
