"""Served by the real engine, here and on a control plane, and asked by OpenAI's own client."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.modal_workplace import ModalPlace
from helpers.served import free_port, said, server
from helpers.workplace import SCRIPTS, environment_python, is_alive, tiny_recipe, wait_until
from modal_control_plane.fixture import ControlPlane

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

ASK = SCRIPTS / "call_server.py"


def asking(url: str, key: str, *parts: str, environment: str = "server_cpu") -> subprocess.Popen[str]:
    """OpenAI's own client, in an environment that has it."""
    variables = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    return subprocess.Popen(
        [environment_python(environment), ASK, url, key, *parts],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )


def told_by(client: subprocess.Popen[str]) -> dict[str, Any]:
    """What a client found."""
    out, err = client.communicate(timeout=200)
    assert client.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def ask(url: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = told_by(asking(url, key, "answers"))["answers"]
    return found


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


def refused_with(url: str, key: str) -> int:
    """The status of the first request that a server refuses, of requests one after the other."""
    body = {"model": "base", "prompt": "SELECT", "max_tokens": 1}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}/completions", json.dumps(body).encode(), headers)
    while True:
        try:
            urllib.request.urlopen(asked, timeout=20).close()
        except urllib.error.HTTPError as error:
            return error.code


def check_answers(answers: dict[str, Any]) -> None:
    assert answers["models"] == ["base", "tuned"]
    for model in ("base", "tuned"):
        whole, streamed = answers[model]
        assert whole == streamed
        assert whole
    assert answers["base"] != answers["tuned"]
    assert answers["completion"]


def check_refusals(refusals: dict[str, Any]) -> None:
    statuses = {what: status for what, (status, _) in refusals.items()}
    assert statuses == {
        "unknown model": 404, "malformed": 400, "too long": 400, "too large": 413, "strange key": 401, "not JSON": 400,
        "unknown path": 404, "wrong method": 405, "another host": 403,
    }  # fmt: skip
    assert all(words for _, words in refusals.values())
    assert "large" in refusals["unknown model"][1]
    assert "base, tuned" in refusals["unknown model"][1]
    assert "POST" in refusals["wrong method"][1]
    assert "200000 bytes" in refusals["too large"][1]


def test_base_and_tuned_answer_side_by_side_within_limits_and_to_the_end(finished: Finished) -> None:
    limits = ("serve.max_requests=6", "serve.max_request_bytes=200000")
    with server(finished.workplace, finished.run.name, *limits) as (process, told):
        assert told["models"] == "base, tuned"
        url, key = told["url"], told["key"]
        found = told_by(asking(url, key, "answers", "refusals", "crowd", "left"))
        check_answers(found["answers"])
        check_refusals(found["refusals"])
        assert set(found["crowd"]["statuses"]) == {"200", "429"}
        assert found["crowd"]["statuses"]["200"] >= 5
        assert found["crowd"]["undisturbed"]
        assert found["crowd"]["after"] == 2
        assert max(found["left"]) < 2
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{url}/models", timeout=20)
        assert key.encode() not in (finished.run / "logs" / "serve.log").read_bytes()
        client = asking(url, key, "stopping")
        assert client.stdout is not None
        client.stdout.readline()  # an answer is under way
        process.send_signal(signal.SIGTERM)
        assert refused_with(url, key) == 503
        assert told_by(client)["stopping"] == 200
        process.wait(timeout=60)
        wait_until(lambda: not engines(finished.run), "the end of the engine", seconds=20)


@pytest.mark.slow
def test_an_engine_ends_with_the_command_though_that_is_killed(finished: Finished) -> None:
    process = finished.workplace.start("serve", finished.run.name, "--port", str(free_port()))
    wait_until(lambda: engines(finished.run), "an engine", process, seconds=60)
    removed = finished.workplace.run("rm", f"train/{finished.artifact('train').name}", "--yes", expected=2)
    assert "`train/" in removed.err
    assert "[run-active]" in removed.err
    process.kill()
    wait_until(lambda: not engines(finished.run), "the end of the engine", seconds=20)


@pytest.mark.drill
def test_transformers_answers_in_vllms_place(finished: Finished) -> None:
    chosen = ("serve.engine=transformers", "serve.max_request_bytes=200000")
    with server(finished.workplace, finished.run.name, *chosen) as (process, told):
        found = told_by(asking(told["url"], told["key"], "answers", "refusals"))
        check_answers(found["answers"])
        check_refusals(found["refusals"])
        process.terminate()
        _, said_besides = process.communicate(timeout=60)
        assert "transformers answers, one request after the other" in said_besides
        wait_until(lambda: not engines(finished.run), "the end of the engine", seconds=20)


@pytest.mark.drill
def test_an_engine_that_is_killed_is_reported_within_ten_seconds(finished: Finished) -> None:
    with server(finished.workplace, finished.run.name) as (process, _):
        began = time.monotonic()
        for pid in engines(finished.run)[1:]:  # not the one that answers, which has to notice
            os.kill(pid, signal.SIGKILL)
        assert process.wait(timeout=60) == 1
        assert time.monotonic() - began < 10


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ModalPlace]:
    interpreters = {
        name: Path(environment_python(name)) if name != "client" else Path(sys.executable)
        for name in ("client", "trainer", "server_cpu")
    }
    with (
        ControlPlane(tmp_path / "plane", interpreters=interpreters) as plane,
        closing(ModalPlace(tmp_path / "here", plane)) as made,
    ):
        yield made


@pytest.mark.drill
def test_a_run_of_this_machine_is_served_on_modal(finished: Finished, place: ModalPlace) -> None:
    shutil.copytree(finished.workplace.store, place.store)
    run = finished.run.name
    first = place.run("serve", run, "backend=modal")
    told = said(first.out)
    assert first.err.count("uploading") == 2  # the base model and the adapter
    assert set(ask(told["url"], told["key"])["models"]) == {"base", "tuned"}
    again = place.run("serve", run, "backend=modal")
    assert said(again.out)["url"] == told["url"]
    assert "uploading" not in again.err
    place.run("serve", "--stop", run)
    assert "[unknown-server]" in place.run("serve", "--stop", run, expected=2).err


@pytest.mark.drill
def test_a_server_on_modal_is_found_again_and_stopped(tiny: Path, place: ModalPlace) -> None:
    plane = place.plane
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
