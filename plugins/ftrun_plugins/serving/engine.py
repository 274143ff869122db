"""An engine as a process: its command, its surroundings, when it is ready, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

from ftrun.api.recipe import Limits
from ftrun.api.serving_spec import TUNED, Serving
from ftrun.api.stage_call import Ref
from ftrun.execution import env_launcher
from ftrun.execution.process_env import process_env
from ftrun_plugins.serving.engine_main import SECONDS_FOR_ANSWERS, SECONDS_TO_END
from ftrun_plugins.serving.forked_engine import ForkedEngine
from ftrun_plugins.serving.middleware import KEY, LIMITS, AuthMiddleware

PROCESS = "ftrun_plugins.serving.engine_main"
VLLM = "vllm.entrypoints.launchers.api_server.entry"
TRANSFORMERS = "ftrun_plugins.serving.transformers_server"
SECONDS_BETWEEN_LOOKS = 0.5
ON_CPU = ("--dtype", "float32", "--enforce-eager")  # the exact and the quick to start
CPU_CACHE = "1"  # GiB for keys and values


def environment(serving: Serving, gpus: int) -> str:
    """The name of the one that the engine runs in."""
    return "trainer" if serving.engine == "transformers" else "server" if gpus else "server_cpu"


def command(
    serving: Serving, artifact: Callable[[Ref], Path], python: Path, host: str, port: int, gpus: int
) -> list[str]:
    """The arguments that start the engine.

    Args:
        serving: What it serves.
        artifact: The folder of an artifact where the engine runs.
        python: The interpreter of the engine's environment.
        host: The address that it listens on.
        port: The port that it listens on.
        gpus: How many it has; the weights are shared among them.
    """
    module, *arguments = (_transformers if serving.engine == "transformers" else _vllm)(serving, artifact, gpus)
    arguments = [*start(python, module), *arguments, "--host", host, "--port", str(port)]
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
    return arguments


def _transformers(serving: Serving, artifact: Callable[[Ref], Path], gpus: int) -> list[str]:
    arguments = [TRANSFORMERS, f"{serving.name}={artifact(serving.model)}"]
    if serving.merged is not None:
        arguments.append(f"{TUNED}={artifact(serving.merged)}")
    if serving.max_model_len:
        arguments += ["--max-model-len", str(serving.max_model_len)]
    return arguments


def start(python: Path, module: str) -> list[str]:
    """What runs an engine's module so that it ends with whoever started it."""
    return [str(python), "-I", env_launcher.__file__, PROCESS, module]


def variables(limits: Limits, key: str | None, declared: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of the engine; without a key it answers everybody."""
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": CPU_CACHE}
    ours = {LIMITS: limits.model_dump_json(), **({KEY: key} if key else {})}
    return process_env({**offline, **declared, **ours}, [], [PROCESS])


def launch(arguments: list[str], environment: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    """Start an engine as a process of its own; without a log it prints where this process does."""
    with nullcontext() if log is None else log.open("wb") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,  # its end tells the engine to stop
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )


class Engine:
    """A running engine, which ends with this process."""

    def __init__(self, process: subprocess.Popen[bytes] | ForkedEngine, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/health"
        self._process = process

    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        return self._process.wait()

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310  (this machine, by http)
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait_until_ready(self, progress: Callable[[float], None]) -> bool:
        """False where it ended instead; `progress` gets the seconds that it has taken so far."""
        began = time.monotonic()
        while self.ended() is None:
            if self.is_ready():
                return True
            progress(time.monotonic() - began)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return False

    def stop(self) -> None:
        """Lets answers that are under way come to their end, for a while."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_FOR_ANSWERS + SECONDS_TO_END)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # children that it may have left behind
            self._process.wait()
