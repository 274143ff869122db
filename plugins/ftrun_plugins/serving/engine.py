"""Engine processes: command, environment variables, readiness and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from ftrun.api.process_env import process_env
from ftrun.api.recipe import Limits
from ftrun.api.serving_spec import TUNED, Serving
from ftrun.api.stage_call import Ref
from ftrun.utils import env_launcher
from ftrun.utils.http import is_healthy
from ftrun_plugins.serving.engine_main import SECONDS_FOR_ANSWERS, SECONDS_TO_END
from ftrun_plugins.serving.forked_engine import ForkedEngine
from ftrun_plugins.serving.middleware import HOSTS, KEY, LIMITS, MODELS, NO_TOOLS, AuthMiddleware

PROCESS = "ftrun_plugins.serving.engine_main"
VLLM = "vllm.entrypoints.launchers.api_server.entry"
TRANSFORMERS = "ftrun_plugins.serving.transformers_server"
POLL_SECONDS = 0.5
ON_CPU = ("--dtype", "float32", "--enforce-eager")  # exact results and a quick start
CPU_CACHE = "1"  # GiB for keys and values


def environment(serving: Serving, gpus: int) -> str:
    """Return the name of the environment that the engine runs in."""
    return "trainer" if serving.engine == "transformers" else "server" if gpus else "server_cpu"


def command(
    serving: Serving, artifact: Callable[[Ref], Path], python: Path, host: str, port: int, gpus: int
) -> list[str]:
    """Return the command line that starts the engine.

    Args:
        serving: The models to serve and their options.
        artifact: Returns the folder of an artifact on the engine's machine.
        python: The interpreter of the engine's environment.
        host: The address that the engine listens on.
        port: The port that the engine listens on.
        gpus: Number of GPUs. The weights are split among them.
    """
    module, *arguments = (_transformers if serving.engine == "transformers" else _vllm)(serving, artifact, gpus)
    arguments = [*python_command(python, module), *arguments, "--host", host, "--port", str(port)]
    arguments += [*template_arguments(serving.template), *_parser_arguments(serving)]
    if serving.trust_remote_code:
        arguments.append("--trust-remote-code")
    return arguments


def _vllm(serving: Serving, artifact: Callable[[Ref], Path], gpus: int) -> list[str]:
    arguments = [VLLM, "--model", str(artifact(serving.model)), "--served-model-name", serving.name]
    arguments += ["--middleware", f"{AuthMiddleware.__module__}.{AuthMiddleware.__qualname__}"]
    arguments += ["--max-model-len", str(serving.max_model_len or "auto")]
    arguments += ["--disable-uvicorn-access-log", *(() if gpus else ON_CPU)]
    if gpus > 1:
        arguments += ["--tensor-parallel-size", str(gpus)]
    if serving.adapter is not None:
        arguments += ["--enable-lora", "--max-lora-rank", str(serving.rank), "--max-loras", "1"]
        arguments += ["--lora-modules", f"{TUNED}={artifact(serving.adapter)}"]
    return [*arguments, *(["--enable-auto-tool-choice"] if serving.tool_parser else [])]


def template_arguments(template: Mapping[str, Any]) -> list[str]:
    """Return the options of both engines that set variables of the chat template. A request can replace them."""
    return ["--default-chat-template-kwargs", json.dumps(template)] if template else []


def _parser_arguments(serving: Serving) -> list[str]:
    """Return the options of both engines that choose parsers."""
    options = {"--tool-call-parser": serving.tool_parser, "--reasoning-parser": serving.reasoning_parser}
    return [part for option, parser in options.items() if parser for part in (option, parser)]


def _transformers(serving: Serving, artifact: Callable[[Ref], Path], gpus: int) -> list[str]:
    arguments = [TRANSFORMERS, f"{serving.name}={artifact(serving.model)}"]
    if serving.merged is not None:
        arguments.append(f"{TUNED}={artifact(serving.merged)}")
    if serving.max_model_len:
        arguments += ["--max-model-len", str(serving.max_model_len)]
    return arguments


def python_command(python: Path, module: str) -> list[str]:
    """Return the command line that runs an engine's module and ends it with its parent process."""
    return [str(python), "-I", env_launcher.__file__, PROCESS, module]


def variables(
    limits: Limits,
    key: str | None,
    declared: Mapping[str, str],
    no_tools: str = "",
    models: Sequence[str] = (),
    hosts: Sequence[str] | None = None,
) -> dict[str, str]:
    """Return the environment variables of the engine.

    Args:
        limits: Limits on requests.
        key: The key of requests. Without a key, the engine answers every request.
        declared: The variables of the engine's environment in the recipe.
        no_tools: The answer to requests with tools, if they are refused.
        models: Names of the models, for errors.
        hosts: Patterns of further names of the server. None: requests may use every name.
    """
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": CPU_CACHE}
    ours = {LIMITS: limits.model_dump_json(), **({KEY: key} if key else {})}
    ours |= {NO_TOOLS: no_tools} if no_tools else {}
    ours |= {MODELS: json.dumps(list(models))} if models else {}
    ours |= {HOSTS: json.dumps(list(hosts))} if hosts is not None else {}
    return process_env({**offline, **declared, **ours}, [], [PROCESS])


def launch(arguments: list[str], environment: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    """Start an engine as a separate process. Without a log, it inherits the output of this process."""
    with nullcontext() if log is None else log.open("wb") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,  # its end stops the engine
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )


class Engine:
    """A running engine that ends with this process."""

    def __init__(self, process: subprocess.Popen[bytes] | ForkedEngine, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/health"
        self._process = process

    def poll(self) -> int | None:
        """Return the exit code, or None while the engine runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the end of the engine and return its exit code."""
        return self._process.wait()

    def is_ready(self) -> bool:
        """Return whether the engine answers requests."""
        return is_healthy(self._url, timeout=5)

    def wait_until_ready(self, progress: Callable[[float], None]) -> bool:
        """Wait for the engine; return False if it ended instead. `progress` gets the elapsed seconds."""
        began = time.monotonic()
        while self.poll() is None:
            if self.is_ready():
                return True
            progress(time.monotonic() - began)
            time.sleep(POLL_SECONDS)
        return False

    def stop(self) -> None:
        """Stop the engine. Answers in progress have `SECONDS_FOR_ANSWERS` to finish."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_FOR_ANSWERS + SECONDS_TO_END)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # child processes may still run
            self._process.wait()
