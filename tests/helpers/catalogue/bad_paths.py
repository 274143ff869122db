"""Paths that lead to no file of rows, or nowhere, or around: each made in an empty folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOOD = '{"text": "fine"}\n'


@dataclass(frozen=True)
class BadPath:
    """What makes the path in a folder; the reason, and the names that are proposed."""

    name: str
    make: Callable[[Path], Path]
    reason: str
    nearest: tuple[str, ...] = ()


def folder(here: Path) -> Path:
    (here / "data.jsonl").mkdir()
    (here / "data.jsonl" / "part-0.txt").write_text(GOOD)
    return here / "data.jsonl"


def pipe(here: Path) -> Path:
    os.mkfifo(here / "data.jsonl")
    return here / "data.jsonl"


def listening(here: Path) -> Path:
    before = Path.cwd()
    os.chdir(here)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s")
    finally:
        os.chdir(before)
    return here / "s"


def loop(here: Path) -> Path:
    (here / "a").symlink_to("b")
    (here / "b").symlink_to("a")
    return here / "a"


def folder_loop(here: Path) -> Path:
    (here / "a").symlink_to("a")
    return here / "a" / "data.jsonl"


def dangling(here: Path) -> Path:
    (here / "a").symlink_to("gone.jsonl")
    return here / "a"


def misspelt(here: Path) -> Path:
    (here / "rows.jsonl").write_text(GOOD)
    return here / "row.jsonl"


def inside_a_file(here: Path) -> Path:
    (here / "rows.jsonl").write_text(GOOD)
    return here / "rows.jsonl" / "x"


def empty_by_link(here: Path) -> Path:
    (here / "x").touch()
    (here / "a").symlink_to("x")
    return here / "a"


CASES = [
    BadPath("missing", misspelt, "file-not-found", ("rows.jsonl",)),
    BadPath("in a missing folder", lambda here: here / "no" / "x.jsonl", "file-not-found"),
    BadPath("inside a file", inside_a_file, "file-not-found"),
    BadPath("a folder", folder, "no-files", ("part-0.txt",)),
    BadPath("a pipe that nobody writes into", pipe, "wrong-format"),
    BadPath("a socket", listening, "wrong-format"),
    BadPath("a device without an end", lambda _: Path("/dev/zero"), "wrong-format"),
    BadPath("the terminal", lambda _: Path("/dev/tty"), "wrong-format"),
    BadPath("a file of the system that never ends", lambda _: Path("/proc/kmsg"), "no-rows"),
    BadPath("links in a circle", loop, "file-unreadable"),
    BadPath("a folder that is a circle", folder_loop, "file-unreadable"),
    BadPath("a link to nowhere", dangling, "file-not-found"),
    BadPath("a link to an empty file", empty_by_link, "no-rows"),
    BadPath("a name of 300 letters", lambda here: here / ("x" * 300), "file-unreadable"),
    BadPath("a path of 10,000 letters", lambda here: here / ("x/" * 5000), "file-unreadable"),
    BadPath("a NUL byte", lambda here: here / "a\0.jsonl", "file-unreadable NUL"),
    BadPath("up and out", lambda here: here / "../../../../../../../../../../no.jsonl", "file-not-found"),
]
