"""Serves a run on this machine, until it is interrupted or the engine ends."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable

from ftrun.contracts import Backend
from ftrun.errors import Problem, Refused, StageFailed
from ftrun.plan.serving import Endpoint, Serving
from ftrun.recipe.types import SERVER, Recipe
from ftrun.store.artifacts import find
from ftrun.store.layout import RunFolder, Store
from ftrun_plugins.serving.engine import Engine, command, surroundings

HOST = "127.0.0.1"
API_KEY = "FTRUN_API_KEY"  # of the user's choice, in place of one that is made at start
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_LINES = 10.0
LINES_SHOWN = 8


class Here:
    """The server of one run."""

    def __init__(self, store: Store, folder: RunFolder, recipe: Recipe, backend: Backend, port: int) -> None:
        self._store = store
        self._recipe = recipe
        self._backend = backend
        self._port = port
        self._log = folder.root / "logs" / "serve.log"

    def run(self, serving: Serving, told: Callable[[Endpoint], None]) -> None:
        """Returns when it was interrupted. Raises `StageFailed` where the engine ended by itself."""
        self._check(serving)
        resources = self._recipe.server_resources
        on_gpu = self._backend.hardware(SERVER, resources).accelerator == "gpu"
        name, gpus = ("server", resources.gpus or 1) if on_gpu else ("server_cpu", 0)
        if not self._backend.environment_ready(name):
            _say(f"making the environment `{name}`, once")
            self._backend.prepare(name, lambda line: None)
        key = os.environ.get(API_KEY) or secrets.token_urlsafe(24)
        arguments = command(
            serving, self._store.artifact, self._backend.environment_python(name), HOST, self._port, gpus
        )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        variables = self._recipe.environment[name].variables
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        engine = Engine(arguments, surroundings(key, variables), self._log, self._port)
        try:
            self._serve(engine, Endpoint(serving.run, f"http://{HOST}:{self._port}", key), told)
        except KeyboardInterrupt:
            _say("stopping")
        finally:
            engine.stop()

    def _check(self, serving: Serving) -> None:
        for ref in (serving.model, serving.adapter):
            if ref is not None and find(self._store, ref) is None:
                raise Refused(Problem(f"{ref} is not in the store any more", do=f"ftrun resume {serving.run}"))
        with socket.socket() as wanted:
            wanted.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                wanted.bind((HOST, self._port))
            except OSError as error:
                raise Refused(
                    Problem(f"port {self._port} of {HOST}: {error.strerror}", do=f"--port {self._port + 1}")
                ) from error

    def _serve(self, engine: Engine, endpoint: Endpoint, told: Callable[[Endpoint], None]) -> None:
        spoke = time.monotonic()

        def progress(seconds: float) -> None:
            nonlocal spoke
            if time.monotonic() - spoke > SECONDS_BETWEEN_LINES:
                spoke = time.monotonic()
                _say(f"the engine starts, {seconds:.0f} s so far")

        _say(f"starting the engine; its log is {self._log}")
        if engine.wait_until_ready(progress):
            told(endpoint)
            while engine.ended() is None:
                time.sleep(SECONDS_BETWEEN_LOOKS)
        raise StageFailed("the server", self._ended(engine.ended()))

    def _ended(self, code: int | None) -> Problem:
        lines = self._log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if "Error" in line and " WARNING " not in line]
        last = "\n".join((errors or lines)[-LINES_SHOWN:])
        return Problem(f"the engine ended with exit code {code}", where=str(self._log), do=f"serve again\n{last}")


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
