"""A small OpenAI-compatible server that judges pairs by a rule, with the weaknesses of real judges and real servers.

By words in the prompt: `biased` is judged by the order alone, `garbage` gets a reply without a verdict, `harmful` a
refusal without a text, `long` is refused as too long; every other pair is judged by which answer has `good` in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers.running_server import running


class JudgeServer(ThreadingHTTPServer):
    """Keeps what it was asked. `failures` are status codes and headers that come before the first answer."""

    def __init__(self, failures: list[tuple[int, dict[str, str]]], key: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failures = failures
        self.model: str | None = None  # that replies report
        self.key = key
        self.requests: list[dict[str, Any]] = []  # those that were answered
        self.keys: list[str | None] = []  # of all requests

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: Any) -> None:
        """Silent: who asked may have been killed meanwhile."""

    def asked(self, tag: str) -> list[str]:
        """What stood in a tag of the questions, in the order in which they came."""
        return [between(tag, request["messages"][0]["content"]) for request in self.requests]


@contextmanager
def judge_server(*failures: tuple[int, dict[str, str]], key: str | None = None) -> Iterator[JudgeServer]:
    """A server on a free port, ended with the block."""
    with running(JudgeServer(list(failures), key)) as server:
        yield server


def between(tag: str, text: str) -> str:
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", text, re.DOTALL)
    return found[1] if found else ""


class _Handler(BaseHTTPRequestHandler):
    server: JudgeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers.get("authorization")
        self.server.keys.append(key)
        if self.path != "/v1/chat/completions":
            return self._send(404, {"error": {"message": f"there is no {self.path}"}})
        if self.server.key and key != f"Bearer {self.server.key}":
            return self._send(401, {"error": {"message": "who are you?"}})
        if self.server.failures:
            code, headers = self.server.failures.pop(0)
            return self._send(code, {"error": {"message": "not now"}}, headers)
        question = body["messages"][0]["content"]
        prompt = between("prompt", question)
        if "long" in prompt:
            return self._send(400, {"error": {"message": "the prompt is longer than the context"}})
        self.server.requests.append(body)
        message = {"role": "assistant", "content": _verdict(prompt, question)}
        if "harmful" in prompt:
            message |= {"content": None, "refusal": "I do not judge this."}
        named = {"model": self.server.model} if self.server.model else {}
        return self._send(200, {**named, "choices": [{"message": message, "finish_reason": "stop"}]})

    def _send(self, code: int, reply: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(reply).encode()
        self.send_response(code)
        for name, value in {**(headers or {}), "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Silent."""


def _verdict(prompt: str, question: str) -> str:
    if "garbage" in prompt:
        return "As a model of language I weigh A against B, and B against A."
    if "biased" in prompt:
        return "Both have merits.\n\n**VERDICT: A**"
    first, second = ("good" in between(f"answer_{which}", question) for which in "ab")
    return "VERDICT: TIE" if first == second else f"Reasons first.\nVERDICT: {'A' if first else 'B'}"
