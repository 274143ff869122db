"""As much of a Weights & Biases server as its client needs to log one run: for tests of trackers without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers.running_server import running

RUN_PATH = "team/{project}/runs/{run}"


class WandbServer(ThreadingHTTPServer):
    """Keeps what clients sent: runs by id, and the lines of their history."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: dict[str, str] = {}  # run id -> project
        self.history: list[dict[str, Any]] = []
        self.keys: set[str] = set()  # values of the header that carries the API key

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """A server on a free port, ended with the block."""
    with running(WandbServer()) as server:
        yield server


class _Handler(BaseHTTPRequestHandler):
    server: WandbServer

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.keys.add(str(self.headers.get("authorization")))
        reply = self._graphql(json.loads(body)) if self.path == "/graphql" else {}
        if self.path.endswith("/file_stream"):
            lines = json.loads(body).get("files", {}).get("wandb-history.jsonl", {}).get("content", ())
            self.server.history += [json.loads(line) for line in lines]
        content = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = answer  # noqa: N815  (the names that the standard library calls)

    def _graphql(self, request: dict[str, Any]) -> dict[str, Any]:
        query, variables = request["query"], request.get("variables") or {}
        data: dict[str, Any] = {}
        if "upsertBucket" in query:
            run, project = variables["name"], variables["project"]
            self.server.runs[run] = project
            owner = {"id": "p", "name": project, "entity": {"id": "e", "name": "team"}}
            bucket = {"id": run, "name": run, "displayName": run, "project": owner, "historyLineCount": 0}
            data = {"upsertBucket": {"bucket": bucket, "inserted": True}}
        elif "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.server.url}/put"} for name in variables["files"]]
            data = {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}
        elif "query ArtifactType" in query:
            data = {"project": {"artifact": None}}
        elif "createArtifact(" in query:  # committed already: so nothing of it is uploaded
            artifact = {
                "id": "a",
                "digest": variables["input"]["digest"],
                "state": "COMMITTED",
                "artifactSequence": {"id": "s"},
            }
            data = {"createArtifact": {"artifact": artifact}}
        elif "viewer" in query:
            data = {"viewer": {"id": "u", "entity": "team", "username": "u", "flags": "{}", "teams": {"edges": []}}}
        return {"data": data}

    def log_message(self, *arguments: Any) -> None:
        """Nothing: the output of a test is its own."""
