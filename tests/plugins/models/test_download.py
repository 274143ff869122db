"""Downloads of one file over HTTP: interruptions, redirects, encodings and refusals."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, StageError
from ftrun_plugins.models.download import download
from helpers.hub import Hub
from helpers.score_stage import context

CONTENT = bytes(range(256)) * 4000
COMPRESSED = gzip.compress(CONTENT)


class Server(BaseHTTPRequestHandler):
    """Redirects `/moved`, sends `/compressed` with a content encoding, and has nothing else."""

    def do_GET(self) -> None:
        self.send_response({"/moved": 302, "/compressed": 200}.get(self.path, 404))
        if self.path == "/moved":
            self.send_header("Location", "/compressed")
        body = COMPRESSED if self.path == "/compressed" else b"no"
        self.send_header("Content-Encoding", "gzip" if body is COMPRESSED else "identity")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetched(url: str, content: bytes, folder: Path) -> bytes:
    download(url, hashlib.sha256(content).hexdigest(), context(folder, {}))
    return (folder / "output" / "content").read_bytes()


@pytest.mark.parametrize("cut", [1, 70_000, len(CONTENT) - 1])
def test_a_download_continues_after_the_last_byte(cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(CONTENT)
    with Hub(tmp_path / "served", fail_after=cut) as server:
        assert fetched(f"{server.url}/a/b/resolve/x/file", CONTENT, tmp_path / "stage") == CONTENT
    first, second = server.requests
    assert second == f"{first} bytes={cut}-"
    assert f"continuing after {cut:,} bytes" in (tmp_path / "stage" / "events.jsonl").read_text()


@pytest.mark.parametrize("path", ["/compressed", "/moved"])
def test_a_file_is_stored_as_it_is_sent(path: str, url: str, tmp_path: Path) -> None:
    assert fetched(url + path, COMPRESSED, tmp_path) == COMPRESSED


@pytest.mark.parametrize(
    ("address", "told"),
    [("{url}/nothing", "the server answers 404 Not Found"), ("http://127.0.0.1:9/x", "refused")],
)
def test_what_cannot_be_downloaded_is_one_line(address: str, told: str, url: str, tmp_path: Path) -> None:
    with pytest.raises(StageError) as refused:
        fetched(address.format(url=url), CONTENT, tmp_path)
    (problem,) = refused.value.problems
    assert (problem.code, told in problem.what, "\n" in problem.what) == ("download-failed", True, False)


def test_a_damaged_part_is_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(CONTENT)
    (tmp_path / "stage" / "work").mkdir(parents=True)
    (tmp_path / "stage" / "work" / "content").write_bytes(b"\0" * 5000)  # as a power cut leaves it
    with Hub(tmp_path / "served") as server:
        assert fetched(f"{server.url}/a/b/resolve/x/file", CONTENT, tmp_path / "stage") == CONTENT
    assert [request.rpartition(" ")[2] for request in server.requests] == ["bytes=5000-", "/a/b/resolve/x/file"]


def test_another_content_is_not_kept(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        fetched(f"{url}/compressed", CONTENT, tmp_path)
    assert refused.value.problems[0].code == "content-changed"
    assert not list((tmp_path / "work").iterdir())
