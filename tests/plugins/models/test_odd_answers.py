"""A server that is no hub, or a hub behind a page for signing in, is one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun.api.errors import FtrunError, InvalidInput, StageError
from ftrun.recipe.load import Loaded
from ftrun_plugins.models.doctor import checks
from ftrun_plugins.models.hub import check_access, resolve
from ftrun_plugins.models.hub_download import download_model
from helpers.hub import COMMIT, set_endpoint
from helpers.running_server import running

PAGE = b"<html><title>Sign in</title></html>"
HTML, JSON = "text/html; charset=utf-8", "application/json"


def info(**values: Any) -> bytes:
    return json.dumps({"id": "a/b", "sha": COMMIT, "siblings": [], **values}).encode()


ODD = {
    "a page": (PAGE, HTML),
    "a page as JSON": (PAGE, JSON),
    "nothing": (b"", JSON),
    "a list": (b"[]", JSON),
    "a text": (b'"hello"', JSON),
    "null": (b"null", JSON),
    "an empty object": (b"{}", JSON),
    "no commit": (info(sha=None), JSON),
    "another commit": (info(sha="../../x"), JSON),
    "a number as commit": (info(sha=5), JSON),
    "cut JSON": (info()[:20], JSON),
    "no UTF-8": (b'{"id": "\xff\xfe"}', JSON),
    "deep JSON": (b"[" * 100_000, JSON),
}
FILES = {
    "files as a text": (info(siblings="config.json"), JSON),
    "files of numbers": (info(siblings=[1, 2]), JSON),
    "files without names": (info(siblings=[{"size": 3}]), JSON),
    "a path outside": (
        info(siblings=[{"rfilename": name, "size": 3} for name in ("model.safetensors", "../config.json")]),
        JSON,
    ),
}


@contextmanager
def server(content: bytes, kind: str, length: int | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Silent."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        yield f"http://127.0.0.1:{http.server_port}"


def is_one_line(error: FtrunError, code: str = "odd-answer") -> bool:
    (problem,) = error.problems
    return problem.code == code and "\n" not in problem.what and len(problem.what) < 400 and bool(problem.hint)


@pytest.mark.parametrize("name", ODD)
def test_a_commit_is_resolved_only_by_a_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(*ODD[name]) as url:
        set_endpoint(url, monkeypatch)
        with pytest.raises(InvalidInput) as caught:
            resolve("a/b", None)
    assert is_one_line(caught.value)
    assert url in caught.value.problems[0].what


def test_an_answer_that_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(info()[:20], JSON, length=len(info())) as url:
        set_endpoint(url, monkeypatch)
        with pytest.raises(InvalidInput) as caught:
            resolve("a/b", None)
    assert is_one_line(caught.value, "download-failed")


def test_a_page_is_no_access(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(PAGE, HTML) as url:
        set_endpoint(url, monkeypatch)
        with pytest.raises(InvalidInput) as caught:
            check_access("a/b", COMMIT, "dataset")
    assert is_one_line(caught.value)


@pytest.mark.parametrize("name", [*(name for name in ODD if "commit" not in name), *FILES])
def test_a_model_is_fetched_only_from_a_hub(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    work, output = tmp_path / "work", tmp_path / "output"
    output.mkdir()
    report = SimpleNamespace(progress=lambda *_: None)
    context: Any = SimpleNamespace(work=work, output=output, report=report)
    with server(*{**ODD, **FILES}[name]) as url:
        set_endpoint(url, monkeypatch)
        with pytest.raises(FtrunError) as caught:
            download_model("a/b", COMMIT, context)
    assert isinstance(caught.value, StageError | InvalidInput)
    assert is_one_line(caught.value, caught.value.problems[0].code)
    assert not [path for path in tmp_path.rglob("config.json") if work not in path.parents]


@pytest.mark.parametrize("name", ["a page", "a list", "a text", "cut JSON"])
def test_the_doctor_names_it(name: str, monkeypatch: pytest.MonkeyPatch, loading: Callable[..., Loaded]) -> None:
    with server(*ODD[name]) as url:
        set_endpoint(url, monkeypatch)
        results = [result for check in checks(loading().recipe) for result in check.look()]
    assert not results[0].well
    assert url in results[0].detail
