"""An interactive shell on a pseudo-terminal: what a person types, and what they see."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path
from types import TracebackType
from typing import Self

ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[()=>][0-9A-B]?|.)"
)
MARK = "ready-to-type"
QUIET = 0.6  # seconds without output after which a shell is taken to have answered


def _take_terminal() -> None:
    """Make the terminal that of the session. The tests may run under `nohup`, which a person at a terminal does not."""
    ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """A shell with nothing of the user's own."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._is_closed = False
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "TERM": "xterm"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.close()

    def close(self) -> None:
        """Close the window, which ends the shell and what runs in it."""
        if not self._is_closed:
            os.close(self._master)
        self._is_closed = True

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, pattern: str, seconds: float = 30.0) -> str:
        """What is shown until a pattern is found in it; fails after a time."""
        seen, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            seen += self._read(0.2)
            if re.search(pattern, seen):
                return seen
        raise AssertionError(f"`{pattern}` did not come: {seen!r}")

    def _read(self, seconds: float) -> str:
        if not select.select([self._master], [], [], seconds)[0]:
            return ""
        piece = os.read(self._master, 1 << 16).decode(errors="replace")
        if "\x1b[c" in piece or "\x1b[0c" in piece:  # the shell asks what terminal this is, and waits for an answer
            os.write(self._master, b"\x1b[?1;2c")
        return ESCAPES.sub("", piece)
