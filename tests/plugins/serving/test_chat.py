"""A chat as its user sees it, against a server on this machine that says what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ftrun.api.errors import InvalidInput, StageError
from ftrun.api.serving_spec import Endpoint
from ftrun.utils.terminal import escaped_output
from ftrun_plugins.serving.chat import Chat
from ftrun_plugins.serving.openai_client import ChatClient

KEY = "a-key"


class Server(BaseHTTPRequestHandler):
    """Answers with the model's name and the number of messages, in two pieces.

    By the name of the model: `lost` does not exist, `busy` is refused once, `waiting` and names with `://` are
    redirected, `broken` breaks off, `failing` reports an error in its answer.
    """

    seen: ClassVar[list[dict[str, str]]] = []  # headers of all requests, of all servers
    busy = 1

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == f"Bearer {KEY}"
        self._answer("waiting ", self.path.partition("=")[2])

    def do_POST(self) -> None:
        self.seen.append(
            {"port": str(self.server.server_address[1]), **{k.lower(): v for k, v in self.headers.items()}}
        )
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self._refuse(401, "no key")
        if body["model"] == "lost":
            return self._refuse(404, "The model `lost` does not exist.")
        if body["model"] == "busy" and self.busy:
            type(self).busy -= 1
            return self._refuse(429, "later", **{"Retry-After": "0.1"})
        if body["model"] == "waiting":  # like Modal, until a server has started
            return self._refuse(303, "wait", Location=f"{self.path}?call=1")
        if "://" in body["model"]:
            return self._refuse(307, "elsewhere", Location=body["model"])
        raw = self.path.endswith("/v1/completions")
        return self._answer(f"{body['model']} ", body["prompt"] if raw else str(len(body["messages"])))

    def _answer(self, *pieces: str) -> None:
        self.send_response(200)
        if pieces[0] == "broken ":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        for piece in pieces:
            choice = {"text": piece, "delta": {"content": piece}}
            self.wfile.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
        if pieces[0] == "failing ":
            self.wfile.write(b'data: {"error": {"message": "out of memory"}}\n\n')
        self.wfile.write(b"data: [DONE]\n\n" if pieces[0] != "broken " else b"")

    def _refuse(self, status: int, why: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps({"error": {"message": why}}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
        pass


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Server.seen.clear()
    with running(Server) as address:
        yield address


def chat(url: str, model: str = "tuned", raw: bool = False, key: str = KEY) -> Chat:
    models = tuple(dict.fromkeys(("base", "tuned", model)))
    return Chat(ChatClient(Endpoint("r", url, key), 8, 0.0, raw), models, model)


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


def test_an_answer_cannot_control_the_terminal(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with escaped_output():
        chat(url, raw=True).answer("a\x1b]52;c;aGk=\x07\r\x9b2J\u202eb\tc")
    assert capsys.readouterr().out == "tuned a\\x1b]52;c;aGk=\\x07\\x0d\\x9b2J\\u202eb\tc\n"


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


def test_a_busy_server_is_asked_again(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    chat(url, "busy").answer("one")
    assert capsys.readouterr().out == "busy 1\n"


def test_a_request_may_wait_at_another_address_of_the_server(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    chat(url, "waiting").answer("one")
    assert capsys.readouterr().out == "waiting 1\n"


def test_no_other_host_gets_the_key(url: str) -> None:
    with running(Server) as other, pytest.raises(InvalidInput, match="401: no key"):
        chat(url, f"{other}/v1/chat/completions").answer("one")
    first, second = Server.seen
    assert (first["authorization"], second["port"] in other) == (f"Bearer {KEY}", True)
    assert "authorization" not in second


def test_nothing_of_the_environment_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/of-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: of-openai\nX-Mine: of-openai")
    chat(url).answer("one")
    with pytest.raises(InvalidInput, match="401: no key"):
        chat(url, key="").answer("one")
    with_key, without_key = Server.seen
    assert with_key["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in without_key
    assert with_key["user-agent"] == "ftrun"
    assert "of-openai" not in repr(Server.seen)
    assert "stainless" not in repr(Server.seen)


def test_an_answer_that_breaks_off_and_one_with_an_error_are_told(url: str) -> None:
    with pytest.raises(StageError, match="does not answer: peer closed connection"):
        chat(url, "broken").answer("one")
    with pytest.raises(InvalidInput, match="reports an error: out of memory"):
        chat(url, "failing").answer("one")


def test_a_server_that_is_gone_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(StageError, match=r"does not answer: .*refused"):
        chat("http://127.0.0.1:9").answer("one")
