"""Two servers on loopback: one redirects every request to the other, and both keep the headers that they get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from helpers.running_server import running


class Recorder(ThreadingHTTPServer):
    """Answers `{}`, or redirects to `target` if it is set. `headers` are those of all requests."""

    def __init__(self, code: int = 307) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.code = code
        self.target: str | None = None
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        target = self.server.target
        if target is not None and not self.path.startswith("/here"):
            self.send_response(self.server.code)
            self.send_header("Location", f"{target}{self.path}")
            self.send_header("Set-Cookie", "session=of-the-first")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def recorder(code: int = 307) -> Iterator[Recorder]:
    """A server on a free port, ended with the block."""
    with running(Recorder(code)) as server:
        yield server
