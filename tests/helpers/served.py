"""Servers that tests start by `ftrun serve`."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from helpers.workplace import Workplace


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def said(text: str) -> dict[str, str]:
    """What `ftrun serve` prints: url, models, key."""
    return dict(line.split(maxsplit=1) for line in text.splitlines() if line[:1].isalpha() and " " in line)


@contextmanager
def server(workplace: Workplace, run: str, *overrides: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`ftrun serve`, ready, with what it printed."""
    process = workplace.start("serve", run, *overrides, "--port", str(free_port()))
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
