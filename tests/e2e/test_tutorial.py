"""Executes the lesson `docs/tutorials/first-recipe.md`: from rows to a served model."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.lessons import read_blocks, write_file
from helpers.workplace import FTRUN, Workplace, read_json

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PORT = "8000"  # of the lesson
SECONDS = 900.0  # maximum time of one block
FIELDS = {"item", "colour", "count", "city"}


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
    return [" ".join(re.sub(r"\d+(\.\d+)?", "0", line).split()) for line in text.splitlines()]


def check_printed(expected: str, printed: str) -> None:
    """Check that each line that the lesson shows is among the printed lines."""
    lines = normalize(printed)
    for line in normalize(expected):
        assert line in ("", "…") or line in lines, f"the lesson shows {line!r}\n{printed}"


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    empty = Workplace(tmp_path / "lesson")
    empty.folder.mkdir()
    yield empty
    empty.close()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_lesson_leads_from_rows_to_a_served_model(workplace: Workplace) -> None:
    shell, port = Shell(workplace), free_port()
    blocks = iter([(language, text.replace(PORT, port)) for language, text in read_blocks("first-recipe.md")])
    printed, answers = "", []
    for language, text in blocks:
        if language == "text":
            check_printed(text, printed)
        elif language == "bash" and "ftrun serve" in text:
            with shell.server(text):
                _, request = next(blocks)
                answers.append(json.loads(shell.run(request)))
        elif language == "bash":
            printed = shell.run(text)
        elif language:
            write_file(text, workplace.folder)
        else:
            command, _, expected = text.partition("\n")
            check_printed(expected, shell.run(command.removeprefix("$ "), expected=2))
    (run,) = workplace.runs()
    assert read_json(run / "run.json")["status"] == "done"
    (answer,) = answers
    assert set(json.loads(answer["choices"][0]["message"]["content"])) == FIELDS
