from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import modal
import pytest

from modal_control_plane.client import client_of
from modal_control_plane.fixture import ControlPlane

SAMPLE = Path(__file__).with_name("sample.py")
WRAPPER = """\
#!/bin/sh
WRAPPED=1 exec {interpreter} "$@"
"""


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("", 0))
        return str(listening.getsockname()[1])


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the sample app deployed, and this process as its client."""
    folder = tmp_path_factory.mktemp("modal")
    other = folder / "other-python"
    other.write_text(WRAPPER.format(interpreter=sys.executable))
    other.chmod(0o755)
    secrets = {"sample": {"SAMPLE_KEY": "a-secret-value"}}
    with ControlPlane(folder / "state", {"other": other}, secrets) as plane, client_of(plane):
        deploy(plane, SAMPLE, SAMPLE_PORTS=f"{free_port()} {free_port()}")
        yield plane
        assert plane.errors == []
        assert plane.unknown_rpcs == {}


def deploy(plane: ControlPlane, path: Path, **variables: str) -> None:
    environment = os.environ | plane.client_environment | variables
    command = [sys.executable, "-m", "modal", "deploy", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex[:8]


def function(name: str) -> modal.Function[..., Any, Any]:
    return modal.Function.from_name("sample", name)


class Hand:
    """A running container of `hand`: does what it is told, and answers."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self._plane, self._name = plane, name
        self._notes = modal.Dict.from_name("sample", create_if_missing=True)
        self.call = function("hand").spawn(name)
        self("read", "nothing")  # it has started, and has its checkout

    def __call__(self, *command: str) -> Any:
        self._notes.put(f"{self._name}/todo", command)
        return self._plane.wait_for(lambda: self._notes.pop(f"{self._name}/done", None))[0]

    def stop(self) -> None:
        self._notes.put(f"{self._name}/todo", ["stop"])
        self.call.get(timeout=10)
