"""A hub on loopback with what a model download asks for: commits, file lists, files by range, gated repositories."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_right"
BLOCK = 1 << 17  # bytes


def set_endpoint(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process and its stages use a hub. The library of the hub reads HF_ENDPOINT when it is imported."""
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def log_in(folder: Path, token: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Store a token like `hf auth login`, and return the file."""
    file = folder / "token"
    file.write_text(token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(file))
    return file


class Hub:
    """Serves one folder as every repository. `gated/…` needs the token; `fail_after` cuts the first large answer.

    `pause` is a time in seconds between two blocks of an answer, for a slow download.
    """

    def __init__(self, folder: Path, fail_after: int | None = None, pause: float = 0.0) -> None:
        self.folder = folder
        self.pause = pause
        self.fail_after = fail_after
        self.requests: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = [part for part in request.path.partition("?")[0].strip("/").split("/") if part != "datasets"]
        if path[0] == "api" and path[1] != "models":  # the answers about datasets are like those about models
            path.insert(1, "models")
        self.requests.append(f"{request.command} {request.path} {request.headers.get('Range', '')}".strip())
        name = "/".join(path[2:4] if path[:2] == ["api", "models"] else path[:2])
        if name.startswith("gated/") and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(request, 401, b"{}", {"X-Error-Code": "GatedRepo"}, body)
        elif path[:2] == ["api", "models"]:
            files = sorted(file for file in self.folder.rglob("*") if file.is_file())
            names = [file.relative_to(self.folder).as_posix() for file in files]
            siblings = [
                {"rfilename": name, "size": file.stat().st_size} for name, file in zip(names, files, strict=True)
            ]
            tree = [
                {"type": "file", "path": file["rfilename"], "size": file["size"], "oid": COMMIT} for file in siblings
            ]
            answer = tree if "tree" in path else {"id": name, "sha": COMMIT, "siblings": siblings}
            self._send(request, 200, json.dumps(answer).encode(), {}, body)
        else:
            self._file(request, self.folder / "/".join(path[path.index("resolve") + 2 :]), body)

    def _file(self, request: BaseHTTPRequestHandler, file: Path, body: bool) -> None:
        if not file.is_file():
            self._send(request, 404, b"{}", {"X-Error-Code": "EntryNotFound"}, body)
            return
        data = file.read_bytes()
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if body and self.fail_after is not None and len(data) > self.fail_after:
            cut, self.fail_after = data[: self.fail_after], None
            self._send(request, 200, cut, {**headers, "Content-Length": str(len(data))}, body)
            request.close_connection = True
            return
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(request, 206 if start else 200, data[start:], headers, body)

    def _send(
        self, request: BaseHTTPRequestHandler, code: int, data: bytes, headers: dict[str, str], body: bool
    ) -> None:
        request.send_response(code)
        for name, value in {"Content-Length": str(len(data)), "Content-Type": "application/json", **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        with suppress(ConnectionError):  # a killed client
            for start in range(0, len(data) if body else 0, BLOCK):
                time.sleep(self.pause)
                request.wfile.write(data[start : start + BLOCK])
