"""The container of an inference server: the engine, which it begins and ends with."""

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
SERVED = "FTRUN_SERVING"  # what it serves, as JSON
GPUS = "FTRUN_SERVING_GPUS"


def start_engine() -> None:
    """Returns at once; Modal waits until the engine listens."""
    serving = Serving.model_validate_json(os.environ[SERVED])
    store = Store(Path(os.environ.get(VARIABLE, MOUNT)))
    everybody = "0.0.0.0"  # noqa: S104  (Modal's proxy comes from outside the container)
    arguments = command(serving, store.artifact, Path(sys.executable), everybody, PORT, int(os.environ[GPUS]))
    engine = Engine(launch(arguments, variables(serving.limits, os.environ.get(KEY), {}), None), PORT)
    threading.Thread(target=_end_with, args=(engine,), daemon=True).start()


def _end_with(engine: Engine) -> None:
    engine.wait()
    os._exit(1)  # without its engine it would go on to take requests
