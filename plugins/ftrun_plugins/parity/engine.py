"""Tokenization of prompts by the engine: its server without the weights, with requests to `/tokenize`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem, StageError
from ftrun.api.prompts import Prompt
from ftrun.api.recipe import Limits
from ftrun.utils.http import local_client
from ftrun_plugins.serving.engine import Engine, launch, python_command, template_arguments, variables
from ftrun_plugins.serving.forked_engine import ForkedEngine
from ftrun_plugins.serving.ports import HOST, free_port

MODULE = "vllm.entrypoints.launchers.render.entry"
LINES_SHOWN = 8


@contextmanager
def run_tokenizer(
    folder: Path, log: Path, trust_remote_code: bool, template: Mapping[str, Any]
) -> Iterator[Callable[[Prompt], list[int]]]:
    """Run the tokenizer of the engine during the block, and yield a function that tokenizes a prompt with it.

    Args:
        folder: The folder of the model.
        log: The file for the output of the engine.
        trust_remote_code: True if code of the model may run.
        template: Variables of the chat template, given to the engine as a server gets them.

    Raises:
        StageError: If the engine cannot load the tokenizer.
    """
    port = free_port()
    arguments = ["--model", str(folder), "--host", HOST, "--port", str(port)]
    arguments += ["--trust-remote-code"] if trust_remote_code else []
    arguments += template_arguments(template)
    engine = Engine(_start_engine(arguments, log), port)
    try:
        if not engine.wait_until_ready(lambda seconds: None):
            last_lines = log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
            raise StageError(
                "parity", Problem("parity", "the engine cannot load the tokenizer", hint="\n".join(last_lines))
            )
        yield lambda prompt: _request_tokens(f"http://{HOST}:{port}/tokenize", prompt)
    finally:
        engine.stop()


def _start_engine(arguments: list[str], log: Path) -> subprocess.Popen[bytes] | ForkedEngine:
    """Start the engine. If this process has imported the module of the engine, fork the engine from it."""
    environment = variables(Limits(), None, {}, hosts=())
    if MODULE in sys.modules:
        return ForkedEngine(MODULE, arguments, environment, log)
    return launch([*python_command(Path(sys.executable), MODULE), *arguments], environment, log)


def request_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return messages for a request to vLLM, which reads thoughts only from the key `reasoning`.

    It passes them to the chat template as `reasoning_content`, too.
    """
    return [
        {**message, "reasoning": message["reasoning_content"]} if message.get("reasoning_content") else {**message}
        for message in messages
    ]


def _request_tokens(url: str, prompt: Prompt) -> list[int]:
    body = {"messages": request_messages(prompt.messages), "add_generation_prompt": True}
    if prompt.tools:
        body["tools"] = list(prompt.tools)
    with local_client(timeout=60) as http:
        response = http.post(url, json=body)
    if response.is_error:
        what = f"the engine rejects a prompt: {response.text[:300]}"
        raise StageError("parity", Problem("parity", what, at=prompt.place))
    tokens: list[int] = response.json()["tokens"]
    return tokens
