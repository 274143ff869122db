"""Served by the real engine, here and on a control plane, and asked by OpenAI's own client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from driving import Workplace, environment_python, is_alive, tiny_recipe, wait_until
from modal_control_plane.fixture import ControlPlane
from modal_places import ModalPlace

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

ASK = """
import json, sys
from openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])
asked = dict(messages=[{"role": "user", "content": "How many singers?"}], max_tokens=6, temperature=0)
found = {"models": [model.id for model in client.models.list()]}
for model in found["models"]:
    whole = client.chat.completions.create(model=model, **asked).choices[0].message.content
    pieces = client.chat.completions.create(model=model, stream=True, **asked)
    found[model] = [whole, "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)]
print(json.dumps(found))
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def said(text: str) -> dict[str, str]:
    """What `ftrun serve` prints: url, models, key."""
    return dict(line.split(maxsplit=1) for line in text.splitlines() if line[:1].isalpha() and " " in line)


def ask(url: str, key: str) -> dict[str, list[str]]:
    command = [environment_python("server_cpu"), "-c", ASK, url, key]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    found: dict[str, list[str]] = json.loads(result.stdout)
    return found


@contextmanager
def server(workplace: Workplace, run: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`ftrun serve`, ready, with what it printed."""
    process = workplace.start("serve", run, "--port", str(free_port()))
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("try "):
            break
    else:
        raise AssertionError(process.communicate()[1])
    try:
        yield process, said("".join(lines))
    finally:
        process.terminate()
        process.wait(timeout=60)


def engines(run: Path) -> list[int]:
    """Processes of engines that write into this run's log."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            try:
                target = (entry / "fd" / "1").readlink()
            except OSError:
                continue
            if target == run / "logs" / "serve.log":
                found.append(int(entry.name))
    return found


def test_base_and_tuned_answer_side_by_side_and_only_to_who_has_the_key(finished: Finished) -> None:
    with server(finished.workplace, finished.run.name) as (process, told):
        assert told["models"] == "base, tuned"
        answers = ask(told["url"], told["key"])
        assert answers["models"] == ["base", "tuned"]
        for model in ("base", "tuned"):
            whole, streamed = answers[model]
            assert whole == streamed
            assert whole
        assert answers["base"] != answers["tuned"]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{told['url']}/models", timeout=20)
        assert told["key"].encode() not in (finished.run / "logs" / "serve.log").read_bytes()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        wait_until(lambda: not engines(finished.run), "the end of the engine", seconds=20)


def test_an_engine_that_is_killed_is_reported_within_ten_seconds(finished: Finished) -> None:
    with server(finished.workplace, finished.run.name) as (process, _):
        began = time.monotonic()
        for pid in engines(finished.run)[1:]:  # not the one that answers, which has to notice
            os.kill(pid, signal.SIGKILL)
        assert process.wait(timeout=60) == 1
        assert time.monotonic() - began < 10


def test_a_server_on_modal_is_found_again_and_stopped(tmp_path: Path, tiny: Path) -> None:
    interpreters = {
        name: Path(environment_python(name)) if name != "client" else Path(sys.executable)
        for name in ("client", "trainer", "server_cpu")
    }
    with (
        ControlPlane(tmp_path / "plane", interpreters=interpreters) as plane,
        closing(ModalPlace(tmp_path / "here", plane)) as place,
    ):
        tiny_recipe(place.folder, tiny, backend={"name": "modal"}, serve={"idle": 60}, stages=["fetch"])
        place.run("recipe=tiny.yaml")
        run = place.runs()[-1].name
        first = said(place.run("serve", run).out)
        assert first["models"] == "base"
        assert ask(first["url"], first["key"])["models"] == ["base"]
        assert len(plane.containers("serve")) == 1
        again = said(place.elsewhere().run("serve", run).out)
        assert again["url"] == first["url"]
        assert first["key"] not in again["key"]
        assert place.run("serve", "--list").out.split() == [run, first["url"]]
        assert "is in use" not in place.run("deploy", "recipe=tiny.yaml", "--prune").out  # nothing of it is an old app
        assert place.run("serve", "--list").out
        place.run("serve", "--stop", run)
        wait_until(lambda: not plane.containers("serve"), "the end of the container", seconds=60)
        assert place.run("serve", "--list").out == ""
