"""A small app for the tests: functions that tests drive from outside, a nested call, web servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import modal

PLACE = "/sample-store"
PORTS = os.environ.get("SAMPLE_PORTS", "8601 8602").split()
image = modal.Image.debian_slim().env(
    {"SAMPLE_STORE": PLACE, "SAMPLE_BELOW": f"{PLACE}/below", "SAMPLE_PORTS": " ".join(PORTS)}
)
volume = modal.Volume.from_name("sample", create_if_missing=True, version=2)
notes = modal.Dict.from_name("sample", create_if_missing=True)
app = modal.App("sample", image=image, include_source=True)


@app.function(secrets=[modal.Secret.from_name("sample")])
def about() -> dict[str, Any]:
    return {
        "environment": dict(os.environ),
        "cwd": str(Path.cwd()),
        "call": modal.current_function_call_id(),
        "python": sys.version_info[:2],
        "client": modal.__file__,
        "path": sys.path,
    }


@app.function()
def nested(word: str) -> list[str | None]:
    """Spawns another function, as a scheduler inside Modal does."""
    call = modal.Function.from_name("sample", "about").with_options(env={"WORD": word}).spawn()
    return [call.object_id, call.get()["environment"]["WORD"], modal.current_function_call_id()]


@app.function()
def talk(words: str) -> None:
    print(words)
    print("aside", words, file=sys.stderr)


@app.function()
def blob(size: int) -> bytes:
    return b"x" * size


@app.function(volumes={PLACE: volume})
def hand(name: str) -> None:
    """Does what it is told through the Dict, one command after another, until it is told to stop."""
    files: list[IO[str]] = []
    while True:
        if (command := notes.get(f"{name}/todo")) is None:
            time.sleep(0.02)
            continue
        notes.pop(f"{name}/todo")
        if command[0] == "stop":
            return
        try:
            answer = _obey(command[0], Path(os.environ["SAMPLE_STORE"]), files, *command[1:])
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        notes.put(f"{name}/done", [answer])


def _obey(verb: str, store: Path, files: list[IO[str]], path: str = "", text: str = "") -> Any:
    match verb:
        case "write":
            (store / path).parent.mkdir(parents=True, exist_ok=True)
            return (store / path).write_text(text)
        case "append":
            with (store / path).open("a") as file:
                return file.write(text)
        case "read":
            return (store / path).read_text() if (store / path).exists() else None
        case "remove":
            return (store / path).unlink()
        case "open":
            return files.append((store / path).open())
        case "close":
            return files.pop().close()
        case "commit":
            return volume.commit()
        case "reload":
            return volume.reload()
    raise ValueError(verb)


@app.function()
def attempt(name: str, *how: str) -> int:
    """Ends as `how` says, attempt by attempt: `return`, `raise`, `die`, or `sleep`, which notes how it is ended."""
    number: int = notes.get(f"{name}/attempts", 0) + 1
    notes.put(f"{name}/attempts", number)
    match how[min(number, len(how)) - 1]:
        case "raise":
            raise ValueError(f"attempt {number}")
        case "die":
            os._exit(9)
        case "sleep":
            with _noting_the_end(name):
                _sleep(name)
        case "stubborn":
            try:
                _sleep(name)
            except KeyboardInterrupt:
                time.sleep(60)
    return number


def _sleep(name: str) -> None:
    """Says so first, where an end is caught already."""
    notes.put(f"{name}/asleep", True)
    time.sleep(60)


@contextmanager
def _noting_the_end(name: str) -> Iterator[None]:
    try:
        yield
    except BaseException as end:
        notes.put(f"{name}/end", type(end).__name__)
        raise


@app.function()
def parent(name: str, brief: bool = False) -> int:
    """Starts a process in a session of its own, and sleeps."""
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    notes.put(f"{name}/child", child.pid)
    time.sleep(0 if brief else 60)
    return child.pid


@app.function(image=modal.Image.debian_slim().env({"FTRUN_ENVIRONMENT": "other"}))
def elsewhere(*modules: str) -> dict[str, Any]:
    """In another environment's interpreter; a child process without the container's path looks for the client too."""
    for module in modules:
        __import__(module)
    probe = "import importlib.util as u; print(u.find_spec('modal'))"
    child = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    environment = dict(os.environ)
    return {
        "python": sys.version_info[:2],
        "executable": sys.executable,
        "client": modal.__file__,
        "child": child.stdout,
        "environment": environment,
    }


@app.function(image=modal.Image.debian_slim().env({"FTRUN_ENVIRONMENT": "unheard of"}))
def nowhere() -> None:
    return None


def _serve(port: str) -> None:
    Path("page.txt").write_text(f"served at {port}")
    subprocess.Popen([sys.executable, "-m", "http.server", port])


@app.function()
@modal.web_server(int(PORTS[0]), requires_proxy_auth=True)
def pages() -> None:
    _serve(PORTS[0])


@app.server(port=int(PORTS[1]), startup_timeout=20)
class Serving:
    @modal.enter()
    def begin(self) -> None:
        _serve(PORTS[1])
