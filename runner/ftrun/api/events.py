"""The event log of a run: JSON lines, appended by the scheduler and the stage processes, followed by readers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]  # at (seconds since 1970), kind, call, and what the kind adds


def make(kind: str, call: str | None = None, /, **values: Any) -> Event:
    """An event of now; `at`, `kind` and `call` are its own, whatever the values are named."""
    return {**values, "at": round(time.time(), 3), "kind": kind, "call": call}


def append(path: Path, kind: str, call: str | None = None, /, **values: Any) -> Event:
    """Makes an event and appends it."""
    return add(path, make(kind, call, **values))


def add(path: Path, event: Event) -> Event:
    """Appends an event by a single write, so that lines of several processes never mix."""
    line = json.dumps(event, default=str) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
    return event


def read(path: Path) -> Iterator[Event]:
    """The events written so far; a line that a crash cut short is passed over."""
    reader = Reader(path)
    yield from reader.new()


class Reader:
    """Reads a growing event log piece by piece."""

    def __init__(self, path: Path, start: int = 0) -> None:
        self._path = path
        self._offset = start  # in bytes

    def new(self) -> Iterator[Event]:
        """The whole lines added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def follow(path: Path, ended: Callable[[], bool], *, start: int = 0, interval: float = 0.2) -> Iterator[Event]:
    """Events as they come, until `ended` says that no more will."""
    reader = Reader(path, start)
    while True:
        last = ended()
        yield from reader.new()
        if last:
            return
        time.sleep(interval)
