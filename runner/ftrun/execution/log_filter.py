"""Filter of the output of stage processes that hold secrets: hides them before the output gets into a log.

    SECRET=… python -I env_launcher.py ftrun.execution.log_filter LOG SECRET…

On this machine it is a process between the stage process and its log. So nothing is lost if the stage process is
killed, and a stage process that outlives ftrun keeps its log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ftrun.api.process_env import carried_packages
from ftrun.api.redaction import redact_text
from ftrun.utils import env_launcher

CHUNK = 1 << 16  # bytes
LONGEST_LINE = 1 << 20  # bytes kept of an incomplete line
SECONDS_TO_END = 10.0  # a process that left the session of its stage may keep the output open


class LogFilter:
    """Filter of output that arrives in pieces. Returns complete lines, in which no secret can be cut.

    Args:
        variables: Names of the environment variables of this process whose values are hidden.
    """

    def __init__(self, variables: Collection[str]) -> None:
        self._variables = variables
        self._incomplete = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the lines that end in this piece. Progress bars end their lines with carriage returns."""
        output = self._incomplete + piece
        end = max(output.rfind(b"\n"), output.rfind(b"\r")) + 1
        if not end and len(output) > LONGEST_LINE:
            end = len(output)
        self._incomplete = output[end:]
        return self._redact(output[:end])

    def close(self) -> bytes:
        """Return the last line, if it has no end."""
        return self._redact(self._incomplete)

    def _redact(self, output: bytes) -> bytes:
        text = output.decode("utf-8", "surrogateescape")
        return redact_text(text, self._variables).encode("utf-8", "surrogateescape")


class FilteredLog:
    """Process that filters what is written to `descriptor` into a log, until all its writers have closed it."""

    def __init__(self, log: Path, secrets: Mapping[str, str]) -> None:
        environment = {**secrets, env_launcher.VARIABLE: json.dumps(carried_packages(["ftrun"]))}
        self._process = subprocess.Popen(
            [sys.executable, "-I", env_launcher.__file__, __name__, str(log), *secrets],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # signals to the stage process must not end it before the last line
        )
        assert self._process.stdin is not None
        self._input = self._process.stdin

    @property
    def descriptor(self) -> int:
        return self._input.fileno()

    def close(self) -> None:
        """Close the descriptor of this process. Those of other processes stay open."""
        self._input.close()

    def wait(self) -> None:
        """Wait until the whole output is in the log."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_END)


def main() -> None:
    log, *variables = sys.argv[1:]
    lines = LogFilter(variables)
    with Path(log).open("ab", buffering=0) as file:
        while piece := os.read(sys.stdin.fileno(), CHUNK):
            _write(file.fileno(), lines.feed(piece))
        _write(file.fileno(), lines.close())


def _write(descriptor: int, output: bytes) -> None:
    with suppress(OSError):  # a full disk must not end the stage with a broken pipe
        os.write(descriptor, output)
