"""The engine's own reading of a prompt: its front half as a server, without the weights, asked at `/tokenize`."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ftrun.api.errors import Problem, StageError
from ftrun.api.recipe import Limits
from ftrun_plugins.evaluation.prompts import Prompt
from ftrun_plugins.serving.engine import Engine, launch, python_command, variables
from ftrun_plugins.serving.forked_engine import ForkedEngine
from ftrun_plugins.serving.ports import HOST, free_port

MODULE = "vllm.entrypoints.launchers.render.entry"
LINES_SHOWN = 8


@contextmanager
def tokenizing(folder: Path, log: Path, trust_remote_code: bool) -> Iterator[Callable[[Prompt], list[int]]]:
    """A function that has the engine tokenize a prompt, for as long as the block lasts."""
    port = free_port()
    arguments = ["--model", str(folder), "--host", HOST, "--port", str(port)]
    arguments += ["--trust-remote-code"] if trust_remote_code else []
    engine = Engine(_process(arguments, log), port)
    try:
        if not engine.wait_until_ready(lambda seconds: None):
            last = log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
            raise StageError("parity", Problem("parity", "the engine cannot load the tokenizer", hint="\n".join(last)))
        yield lambda prompt: _ask(f"http://{HOST}:{port}/tokenize", prompt)
    finally:
        engine.stop()


def _process(arguments: list[str], log: Path) -> subprocess.Popen[bytes] | ForkedEngine:
    """The engine, forked from this process if it was itself forked from one that has imported it."""
    environment = variables(Limits(), None, {})
    if MODULE in sys.modules:
        return ForkedEngine(MODULE, arguments, environment, log)
    return launch([*python_command(Path(sys.executable), MODULE), *arguments], environment, log)


def _ask(url: str, prompt: Prompt) -> list[int]:
    body = {"messages": list(prompt.messages), "add_generation_prompt": True}
    if prompt.tools:
        body["tools"] = list(prompt.tools)
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  (this machine, by http)
            ids: list[int] = json.load(answer)["tokens"]
            return ids
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise StageError(
            "parity", Problem("parity", f"the engine refuses a prompt: {said}", at=prompt.place)
        ) from error
