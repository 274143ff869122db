"""A chat as its user sees it, against a server on this machine that says what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput, StageError
from ftrun.api.serving_spec import Endpoint
from ftrun_plugins.serving.chat import Chat
from ftrun_plugins.serving.openai_client import ChatClient

KEY = "a-key"


class Server(BaseHTTPRequestHandler):
    """Answers with the model's name and the number of messages, in two pieces; `lost` is a model it does not have."""

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self._refuse(401, "no key")
        if body["model"] == "lost":
            return self._refuse(404, "The model `lost` does not exist.")
        self.send_response(200)
        self.end_headers()
        raw = self.path.endswith("/v1/completions")
        for piece in (f"{body['model']} ", body["prompt"] if raw else str(len(body["messages"]))):
            choice = {"text": piece} if raw else {"delta": {"content": piece}}
            self.wfile.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")
        return None

    def _refuse(self, status: int, why: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"error": {"message": why}}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def chat(url: str, model: str = "tuned", raw: bool = False, key: str = KEY) -> Chat:
    return Chat(ChatClient(Endpoint("r", url, key), 8, 0.0, raw), ("base", "tuned"), model)


def test_each_model_has_a_conversation_of_its_own(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = chat(url)
    talk.answer("one")
    talk.answer("two")
    talk.command("/both")
    talk.command("/system Be brief.")
    talk.answer("three")
    assert capsys.readouterr().out == "tuned 1\ntuned 3\nbase: base 2\ntuned: tuned 6\n"
    talk.command(f"/save {tmp_path / 'said.jsonl'}")
    rows = [json.loads(line) for line in (tmp_path / "said.jsonl").read_text().splitlines()]
    assert [(row["model"], len(row["messages"])) for row in rows] == [("base", 3), ("tuned", 7)]
    talk.command("/new")
    talk.command("/system")
    talk.command("/base")
    talk.answer("four")
    assert capsys.readouterr().out == "base 1\n"


def test_raw_text_goes_without_a_template(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    chat(url, raw=True).answer("SELECT")
    assert capsys.readouterr().out == "tuned SELECT\n"


def test_what_the_server_refuses_is_told_in_its_words(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput, match=r"401: no key"):
        chat(url, key="wrong").answer("one")
    lines = iter(["hello", "/nonsense", "/save", "/quit"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    Chat(ChatClient(Endpoint("r", url, KEY), 8, 0.0, False), ("lost",), "lost").run()
    told = capsys.readouterr().err
    assert "404: The model `lost` does not exist." in told
    assert "/nonsense" in told


def test_a_server_that_is_gone_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(StageError, match="does not answer"):
        chat("http://127.0.0.1:9").answer("one")
