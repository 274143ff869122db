"""Clients without the key, by real sockets: the uvicorn of the engines, and an engine without a model."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.recipe import Limits
from ftrun.utils.env_launcher import VARIABLE
from ftrun_plugins.serving.engine import Engine, launch, python_command, variables
from helpers.served import free_port
from helpers.workplace import SCRIPTS, environment_python

pytestmark = pytest.mark.e2e

KEY = "k" * 32
PLACES = 3
MOST_HEADERS = 65_536
MOST_STRANGERS = 256
LIMITS = Limits(max_requests=PLACES, max_request_bytes=100_000, request_timeout=8)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT")
PATHS = ("/health", "/health/", "/v1/models", "/v1/completions", "/metrics", "/docs", "/nothing", "/..%2fhealth", "*")
QUESTION = json.dumps({"model": "base", "prompt": "SELECT"}).encode()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json"
        found: dict[str, Any] = json.loads(self.body)["error"]
        assert set(found) == {"message", "type", "param", "code"}
        return found


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=40)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Answer:
        """What the server says until it has ended the answer or the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if method == "HEAD":
            return Answer(int(first.split()[1]), headers, body)
        chunked = headers.get("transfer-encoding") == "chunked"
        while not (body.endswith(b"0\r\n\r\n") if chunked else len(body) >= int(headers["content-length"])):
            body += self._more()
        return Answer(int(first.split()[1]), headers, body)

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        assert data, "the server ended the connection without an answer"
        return data

    def is_open(self, seconds: float = 0.05) -> bool:
        """Whether the server has neither said anything nor ended the connection."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(40)


def request(method: str, path: str, body: bytes = b"", host: str | None = "127.0.0.1", **headers: str) -> bytes:
    named = {} if host is None else {"host": host}
    named |= {"content-length": str(len(body))} if body else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(port: int, *arguments: Any, **named: Any) -> Answer:
    with Client(port) as client:
        client.send(request(*arguments, **named))
        return client.answer(arguments[0])


def with_key(port: int, method: str = "POST", path: str = "/v1/completions", body: bytes = QUESTION) -> Answer:
    return ask(port, method, path, body, authorization=f"Bearer {KEY}")


@contextmanager
def engine(folder: Path, key: str | None = KEY, logged: str = "") -> Iterator[int]:
    port = free_port()
    environment = variables(LIMITS, key, {}, models=("base", "tuned"), hosts=("*.example.com",))
    packages = {**json.loads(environment[VARIABLE]), "stub_engine": str(SCRIPTS)}
    command = [*python_command(Path(environment_python("trainer")), "stub_engine"), str(port)]
    process = launch(command, {**environment, VARIABLE: json.dumps(packages)}, folder / "engine.log")
    running = Engine(process, port)
    try:
        assert running.wait_until_ready(lambda _: None), (folder / "engine.log").read_text()
        yield port
    finally:
        running.stop()
    log = (folder / "engine.log").read_text()
    assert (
        logged in log if logged else log == ""
    )  # neither a traceback, nor a line that strangers could fill the disk with


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with engine(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_without_the_key_only_the_health_is_answered(method: str, path: str, port: int) -> None:
    answer = ask(port, method, path)
    if (method, path) == ("GET", "/health"):
        assert answer.status == 200
    elif method == "HEAD":
        assert (answer.status, answer.body) == (401, b"")
    elif method == "CONNECT" or path == "*":  # other targets are for proxies and for OPTIONS
        assert answer.status in (400, 401)
        assert answer.error["code"] in ("malformed_request", "invalid_api_key")
    else:
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_websocket_is_a_request_like_others(port: int) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": "eA==",
    }
    assert ask(port, "GET", "/v1/realtime", **upgrade).error["code"] == "invalid_api_key"
    assert ask(port, "GET", "/v1/realtime", authorization=f"Bearer {KEY}", **upgrade).error["code"] == "unknown_path"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("POST", "/v1/completions", QUESTION, 200, None, ()),
        ("POST", "/v1/nothing", QUESTION, 404, "unknown_path", ("`/v1/nothing`",)),
        ("GET", "/v1/nothing", b"", 404, "unknown_path", ()),
        ("GET", "/v1/models/large", b"", 404, "model_not_found", ("`large`", "base, tuned")),
        ("POST", "/v1/chat/completions", b'{"model": "large"}', 404, "model_not_found", ("`large`", "base, tuned")),
        ("POST", "/v1/none", b'{"model": "%s"}' % (b"x" * 9000), 404, "model_not_found", ("…", "base, tuned")),
        ("POST", "/v1/none", b"[" * 90_000, 404, "unknown_path", ()),
        ("GET", "/v1/completions", b"", 405, "method_not_allowed", ("GET", "POST")),
        ("OPTIONS", "/v1/completions", b"", 405, "method_not_allowed", ("OPTIONS", "POST")),
        ("TRACE", "/v1/models", b"", 405, "method_not_allowed", ("TRACE", "GET, HEAD")),
        ("POST", "/health", b"{}", 405, "method_not_allowed", ()),
        ("POST", "/v1/completions", b"x" * 100_001, 413, "request_too_large", ("100000",)),
    ],
)
def test_errors_have_the_shape_of_openai(
    method: str, path: str, body: bytes, status: int, code: str | None, words: tuple[str, ...], port: int
) -> None:
    answer = with_key(port, method, path, body)
    assert answer.status == status
    if code:
        assert (answer.error["code"], answer.error["type"]) == (code, "invalid_request_error")
        assert all(word in answer.error["message"] for word in words)
        assert len(answer.error["message"]) < 300
        assert answer.headers.get("allow") == (
            {"/v1/completions": "POST"}.get(path, "GET, HEAD") if status == 405 else None
        )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:8000", 200), ("[::1]:8000", 200), ("a.localhost", 200), ("192.168.1.7", 200),
        ("gpu.example.com:80", 200), ("GPU.Example.com.", 200), ("example.com", 403), ("gpu.example.com.evil", 403),
        ("evil", 403), ("localhost.evil", 403), ("127.0.0.1.evil", 403), ("evil@localhost", 403), ("2130706433", 403),
        ("localhost/x", 403), ("localhost, evil", 403), ("", 403), (None, 403),
    ],
)  # fmt: skip
def test_another_name_of_the_server_is_refused_unless_allowed(host: str | None, status: int, port: int) -> None:
    forwarded = {"x_forwarded_host": "localhost", "forwarded": "host=localhost", "x_forwarded_for": "127.0.0.1"}
    for method, path, key in (("GET", "/health", ""), ("POST", "/v1/completions", KEY)):
        body = QUESTION if key else b""
        answer = ask(port, method, path, body, host=host, authorization=f"Bearer {key}", **forwarded)
        assert answer.status == status
        if status == 403:
            assert answer.error["code"] == "unknown_host"
    with Client(port) as client:  # one name that is right does not help another
        client.send(f"GET /health HTTP/1.1\r\nhost: localhost\r\nhost: {host or 'evil'}\r\n\r\n".encode())
        assert client.answer().status == status


def test_headers_that_say_where_a_request_comes_from_change_nothing(port: int) -> None:
    says = {"x_forwarded_for": "127.0.0.1", "x_real_ip": "127.0.0.1", "x_forwarded_proto": "https", "via": "1.1 ftrun"}
    assert ask(port, "GET", "/v1/models", **says).status == 401
    assert ask(port, "GET", "/v1/models", x_forwarded_authorization=f"Bearer {KEY}", **says).status == 401
    assert ask(port, "GET", f"/v1/models?key={KEY}&authorization=Bearer%20{KEY}", **says).status == 401
    assert ask(port, "GET", "/v1/models", authorization=f"bearer {KEY}", **says).status == 200


def test_slow_strangers_lock_nobody_out(port: int) -> None:
    """Half a header, half a body to every path, and connections that say nothing: each more than there are places."""
    endless = [
        "GET /health HTTP/1.1\r\nhost: a",
        *(
            f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\n{{"
            for method, path in (("POST", "/health"), ("GET", "/health"), ("POST", "/v1/completions"), ("OPTIONS", "/"))
        ),
        "",
    ]
    with ExitStack() as stack:
        slow = [stack.enter_context(Client(port)) for _ in range(MOST_STRANGERS + 100)]
        for number, client in enumerate(slow):
            try:
                client.send(endless[number % len(endless)].encode())
            except OSError:  # the server has ended it already
                continue
            if number % 20 == 0:
                assert with_key(port).status == 200
                assert ask(port, "GET", "/health").status == 200
        assert with_key(port).status == 200
        silent = [client for number, client in enumerate(slow) if endless[number % len(endless)] == ""]
        assert not any(client.is_open() for client in silent[:3])  # the oldest had to go
        assert silent[-1].is_open()


@pytest.mark.slow
def test_headers_are_bounded_in_time(port: int) -> None:
    with Client(port) as drip, Client(port) as silent, Client(port) as between:
        drip.send(b"GET /health HTTP/1.1\r\n")
        between.send(request("GET", "/health"))
        assert between.answer().status == 200
        between.send(b"\r\n")
        began = time.monotonic()
        drip.socket.settimeout(0.5)
        data = b""
        while not data:
            assert time.monotonic() - began < 25
            try:
                drip.send(b"x: y\r\n")
                data = drip.socket.recv(65536)
            except TimeoutError:
                continue
        assert data.startswith(b"HTTP/1.1 408 ")
        assert json.loads(data.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
        assert time.monotonic() - began > 5
        assert silent.socket.recv(1) == b""
        assert between.answer().status == 408


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nx: " + b"y" * (MOST_HEADERS + 100_000),
        b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
        b"GET /" + b"a" * (MOST_HEADERS + 100_000),
        b"\r\n" * MOST_HEADERS,
        b"POST /v1/completions HTTP/1.1\r\nhost: a\r\nx: " + b"y" * (MOST_HEADERS - 500) + b"y" * 600 + b"\r\n\r\n",
    ],
    ids=["one header", "many headers", "path", "empty lines", "complete"],
)
def test_headers_are_bounded_in_size(head: bytes, port: int) -> None:
    with Client(port) as client:
        with suppress(OSError):  # the server may end the connection before
            client.send(head)
        try:
            answer = client.answer()
        except ConnectionResetError:
            return  # it did so before everything was read
        assert (answer.status, answer.error["code"]) == (431, "headers_too_large")
        assert answer.headers["connection"] == "close"


def test_headers_of_a_usual_size_pass(port: int) -> None:
    assert ask(port, "GET", "/health", x="y" * 30_000).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(data: bytes, port: int) -> None:
    with Client(port) as client:
        client.send(data)
        answer = client.answer()
        assert (answer.status, answer.error["code"]) == (400, "malformed_request")
        assert client.socket.recv(1) == b""


@pytest.mark.slow
def test_a_body_in_pieces_without_an_end_is_bounded(port: int) -> None:
    head = request("POST", "/v1/completions", authorization=f"Bearer {KEY}", transfer_encoding="chunked")
    with Client(port) as large, Client(port) as slow:
        slow.send(head + b"1\r\n{\r\n")
        large.send(head)
        for _ in range(12):
            large.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert large.answer().error["code"] == "request_too_large"
        assert slow.answer().error["code"] == "request_timeout"  # serve.request_timeout
    assert with_key(port).status == 200


def test_answers_in_progress_are_no_strangers(port: int) -> None:
    """With all places taken by slow answers, strangers without number end none of them."""
    with ExitStack() as stack:
        good = [stack.enter_context(Client(port)) for _ in range(PLACES)]
        for client in good:
            client.send(request("POST", "/slow", QUESTION, authorization=f"Bearer {KEY}"))
        time.sleep(0.3)
        for _ in range(MOST_STRANGERS + 20):
            stack.enter_context(Client(port))
        assert with_key(port).status == 429
        assert [client.answer().status for client in good] == [200] * PLACES
        for client in good:  # and each may ask again on its connection
            client.send(request("POST", "/v1/completions", QUESTION, authorization=f"Bearer {KEY}"))
            assert client.answer().status == 200


def test_requests_on_one_connection_are_judged_one_by_one(port: int) -> None:
    with Client(port) as client:
        good = request("GET", "/v1/models", authorization=f"Bearer {KEY}")
        client.send(good + request("GET", "/v1/models") + good)
        found = b""
        while found.count(b"HTTP/1.1") < 3:
            found += client.socket.recv(65536)
        assert [part[:4] for part in found.split(b"HTTP/1.1")[1:]] == [b" 200", b" 401", b" 200"]


def test_a_server_without_a_key_bounds_strangers_too(tmp_path: Path) -> None:
    with engine(tmp_path, key=None) as port, ExitStack() as stack:
        assert ask(port, "POST", "/v1/completions", QUESTION).status == 200
        asked = stack.enter_context(Client(port))
        asked.send(request("POST", "/slow", QUESTION))
        for _ in range(MOST_STRANGERS + 20):
            stack.enter_context(Client(port))
        assert ask(port, "GET", "/v1/models").status == 200
        assert ask(port, "GET", "/health", host="evil").status == 403
        assert asked.answer().status == 200


def test_a_fault_of_the_engine_is_logged(tmp_path: Path) -> None:
    with engine(tmp_path, logged="RuntimeError: of the engine") as port, Client(port) as client:
        client.send(request("POST", "/broken", QUESTION, authorization=f"Bearer {KEY}"))
        assert client.answer().status == 500


@pytest.mark.slow
def test_a_server_ends_though_strangers_hold_connections(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with engine(tmp_path) as port:
            for _ in range(20):
                stack.enter_context(Client(port)).send(b"POST /v1/completions HTTP/1.1\r\n")
            began = time.monotonic()
        assert time.monotonic() - began < 15
