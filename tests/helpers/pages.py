"""Execution of the fenced blocks of a page, in order, as a reader would."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.workplace import FTRUN, Workplace

SECONDS = 1800.0  # maximum time of one block


class Shell:
    """Shell in the folder and the store of a workplace."""

    def __init__(self, workplace: Workplace) -> None:
        self._folder = workplace.folder
        programs = f"{FTRUN.parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**workplace.environment, "PATH": programs, "NO_PROXY": "127.0.0.1,localhost"}

    def start(self, text: str) -> subprocess.Popen[str]:
        """Start commands whose output the caller reads."""
        return subprocess.Popen(
            ["bash", "-e", "-c", text],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, text: str, expected: int = 0) -> str:
        """Run commands and return what they print. Fail if the exit code differs from `expected`."""
        process = self.start(text)
        printed = process.communicate(timeout=SECONDS)[0]
        assert process.returncode == expected, f"{text}\n{printed}"
        return printed

    @contextmanager
    def server(self, text: str) -> Iterator[None]:
        """Start a server, wait until it is ready, and stop it at the end of the block."""
        process = self.start(f"exec env {text}")
        assert process.stdout is not None
        printed = []
        try:
            for line in process.stdout:
                printed.append(line)
                if line.startswith("try "):
                    break
            else:
                pytest.fail("".join(printed))
            yield
        finally:
            process.terminate()
            rest = process.communicate(timeout=SECONDS)[0]
        assert process.returncode == 0, "".join(printed) + rest


def normalize(text: str) -> list[str]:
    """Return the lines of a text without differences of numbers and of spaces."""
    return [" ".join(re.sub(r"[+-]?\d+(\.\d+)?", "0", line).split()) for line in text.splitlines()]


def check_printed(expected: str, printed: str) -> None:
    """Check that each line that the page shows is among the printed lines."""
    lines = normalize(printed)
    for line in normalize(expected):
        assert line in ("", "…") or line in lines, f"the page shows {line!r}\n{printed}"


def free_port() -> str:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
