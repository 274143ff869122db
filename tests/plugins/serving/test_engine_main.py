"""An engine ends with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ftrun.api.process_env import carried_packages
from ftrun.utils import env_launcher
from ftrun_plugins.serving.engine import PROCESS

ENGINE = """
import os, sys, time
from ftrun_plugins.serving.middleware import REQUEST_COUNTER

if __name__ == "__main__":
    REQUEST_COUNTER.active = int(sys.argv[1])  # an answer, which takes a second
    print(os.getpid(), flush=True)
    time.sleep(1)
    REQUEST_COUNTER.active = 0
    print("answered", flush=True)
    time.sleep(60)
"""
STARTER = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(60)
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "small_engine.py").write_text(ENGINE)
    packages = {**carried_packages([PROCESS]), "small_engine": str(tmp_path)}
    monkeypatch.setenv(env_launcher.VARIABLE, json.dumps(packages))
    return [sys.executable, "-I", "-S", env_launcher.__file__, PROCESS, "small_engine"]  # the standard library only


def test_it_ends_when_whoever_started_it_is_killed(command: list[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, *command, "0"], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        os.kill(int(starter.stdout.readline()), 0)  # the engine is there
        starter.kill()
        starter.communicate(timeout=5)  # its output ends once both have gone


def test_an_answer_under_way_is_waited_for(command: list[str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "1"], stdin=pipe, stdout=pipe, start_new_session=True) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        output, _ = engine.communicate(timeout=20)  # closes its input
    assert (output, engine.returncode) == (b"answered\n", -signal.SIGTERM)
