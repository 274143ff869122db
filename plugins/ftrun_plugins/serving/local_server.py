"""Server of a run on this machine."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.api.known_errors import FailedCall, recognize_text
from ftrun.api.recipe import SERVER
from ftrun.api.serving_spec import Endpoint
from ftrun.store.locks import FileLock
from ftrun_plugins.known_errors import KNOWN_ERRORS
from ftrun_plugins.serving import memory
from ftrun_plugins.serving.engine import Engine, command, environment, launch, variables
from ftrun_plugins.serving.ports import HOST, free_port
from ftrun_plugins.serving.serve_target import ServeTarget

log = logging.getLogger(__name__)

API_KEY = "FTRUN_API_KEY"  # set by the user; without it, each start creates a key
POLL_SECONDS = 0.5
SECONDS_BETWEEN_MESSAGES = 10.0
LINES_SHOWN = 8


class LocalServer:
    """Server of one run. Port 0 means a free port."""

    def __init__(self, target: ServeTarget, port: int) -> None:
        self._target = target
        self._port = port or free_port()
        self._log = target.folder.root / "logs" / "serve.log"
        self._engine: Engine | None = None

    @contextmanager
    def start(self) -> Iterator[Endpoint]:
        """Start the server, return its endpoint, and stop the server at the end of the block.

        Raises:
            InvalidInput: If the server cannot be started.
            StageError: If the engine ends by itself.
        """
        self._check_port()
        with ExitStack() as locks:
            for ref in self._target.serving.models:  # prevent their removal
                locks.enter_context(FileLock(self._target.store.lock(ref))).try_share()
            yield from self._run()

    def _run(self) -> Iterator[Endpoint]:
        key = os.environ.get(API_KEY) or secrets.token_urlsafe(24)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        self._engine = self._start_engine(key)
        try:
            self._wait_until_ready(self._engine)
            yield Endpoint(self._target.serving.run, f"http://{HOST}:{self._port}", key)
        finally:
            log.info("stopping the engine")
            self._engine.stop()

    def watch(self) -> None:
        """Wait for the end of the engine; never return.

        Raises:
            StageError: When the engine has ended.
        """
        assert self._engine is not None
        while self._engine.poll() is None:
            time.sleep(POLL_SECONDS)
        raise StageError("the server", self._explain_end(self._engine.poll()))

    def _start_engine(self, key: str) -> Engine:
        target, backend = self._target, self._target.backend
        resources = target.recipe.server_resources
        on_gpu = backend.hardware(SERVER, resources).accelerator == "gpu"
        gpus = (resources.gpus or 1) if on_gpu else 0
        memory.check(target.serving, target.store, gpus)
        name = environment(target.serving, gpus)
        if not backend.environment_ready(name):
            log.info("creating the environment `%s`", name)
            backend.prepare(name, lambda line: None)
        python = backend.environment_python(name)
        arguments = command(target.serving, target.store.artifact, python, HOST, self._port, gpus)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        log.info("starting the engine; its log is %s", self._log)
        declared = target.recipe.environment[name].variables
        serving = target.serving
        process_variables = variables(
            serving.limits, key, declared, serving.no_tools, serving.names, serving.allowed_hosts
        )
        return Engine(launch(arguments, process_variables, self._log), self._port)

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self._port))
            except OSError as error:
                raise InvalidInput(
                    Problem(
                        "port-in-use",
                        f"cannot use port {self._port} of {HOST}: {error.strerror}",
                        hint=f"--port {self._port + 1}",
                    )
                ) from error

    def _wait_until_ready(self, engine: Engine) -> None:
        last_message = time.monotonic()

        def progress(seconds: float) -> None:
            nonlocal last_message
            if time.monotonic() - last_message > SECONDS_BETWEEN_MESSAGES:
                last_message = time.monotonic()
                log.info("the engine is starting, %.0f s so far", seconds)

        if not engine.wait_until_ready(progress):
            raise StageError("the server", self._explain_end(engine.poll()))

    def _explain_end(self, code: int | None) -> Problem:
        text = self._log.read_text(errors="replace")
        call = FailedCall(SERVER, {"max_model_len": self._target.serving.max_model_len})
        known = recognize_text(text, KNOWN_ERRORS, call)
        if known is not None:
            return replace(known, at=known.at or str(self._log))
        lines = text.splitlines()
        errors = [line for line in lines if "Error" in line and " WARNING " not in line]
        last = "\n".join((errors or lines)[-LINES_SHOWN:])
        what, hint = f"the engine ended with exit code {code}", "serve again"
        if memory.is_out_of_memory(code, text):
            what, hint = f"{what} because it had too little memory", "serve a smaller model, or set serve.max_model_len"
        return Problem("server-error", what, at=str(self._log), hint=f"{hint}\n{last}")
