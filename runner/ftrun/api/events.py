"""Event log of a run: JSON lines, which the scheduler and the stage processes append and readers follow."""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ftrun.api.redaction import redact_all
from ftrun.utils.file_modes import NEW_FILE

__all__ = ["Event", "Reader", "add", "append", "follow", "make", "read"]

Event = dict[str, Any]  # keys: at (seconds since 1970), kind, call, and further keys of the kind

LARGEST_NUMBER = 1e18  # in an event


def make(kind: str, call: str | None = None, /, **values: Any) -> Event:
    """Return an event with the current time and without secrets. Values named `at`, `kind` or `call` are replaced.

    Numbers that are not finite become null, because JSON has no others.
    """
    return {**_replace_non_finite(redact_all(values)), "at": round(time.time(), 3), "kind": kind, "call": call}


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replace_non_finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace_non_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def append(path: Path, kind: str, call: str | None = None, /, **values: Any) -> Event:
    """Make an event and append it to a log."""
    return add(path, make(kind, call, **values))


def add(path: Path, event: Event) -> Event:
    """Append an event to a log with a single write, so that lines of several processes never mix.

    Raises:
        OSError: If the disk is full.
    """
    line = f"{json.dumps(event, default=str)}\n".encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, NEW_FILE)
    try:
        written = os.write(descriptor, line)
        if written < len(line):
            _remove_end(descriptor, written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)
    return event


def _remove_end(descriptor: int, written: int) -> None:
    """Remove a part of a line that was just written, to which the next event would be appended."""
    end = os.lseek(descriptor, 0, os.SEEK_CUR)
    if os.fstat(descriptor).st_size == end:
        os.ftruncate(descriptor, end - written)


def read(path: Path) -> Iterator[Event]:
    """Yield the events of a log without secrets. Skips a line that is cut or that is no event."""
    reader = Reader(path)
    yield from reader.new()


class Reader:
    """Incremental reader of a growing event log."""

    def __init__(self, path: Path, start: int = 0) -> None:
        self._path = path
        self._offset = start  # in bytes

    def new(self) -> Iterator[Event]:
        """Yield the events of the complete lines that were added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return
        complete_lines = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete_lines)
        for line in complete_lines.splitlines():
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if _is_event(event):
                yield redact_all(event)  # an older version may have written it


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= LARGEST_NUMBER  # which is false for NaN


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_problems(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and _is_text(item.get("what")) for item in value)


def _is_event(value: object) -> bool:
    """Return whether a line is an event, and its fields have the types that the readers of its kind expect."""
    if not isinstance(value, dict) or not _is_number(value.get("at")) or not _is_text(value.get("kind")):
        return False
    if not (value.get("call") is None or _is_text(value["call"])):
        return False
    checks = FIELDS.get(value["kind"], {})
    return all(checks[name](field) for name, field in value.items() if name in checks and field is not None)


# Fields that readers use, by kind. An event may lack them.
_TEXT: dict[str, Callable[[object], bool]] = {"text": _is_text}
FIELDS: dict[str, dict[str, Callable[[object], bool]]] = {
    "progress": {"unit": _is_text, **dict.fromkeys(("step", "total", "rate", "seconds_left"), _is_number)},
    "resumed": {"step": _is_number},
    "tracker": {"url": _is_text},
    "warning": _TEXT,
    "note": _TEXT,
    "environment": _TEXT,
    "environment_line": _TEXT,
    "call_failed": {"problems": _is_problems},
    "call_stopped": {"problems": _is_problems},
    "call_submitted": {"function_call": _is_text},
    "artifact": {"seconds": _is_number, "size": _is_number},
}


def follow(path: Path, ended: Callable[[], bool], *, start: int = 0, interval: float = 0.2) -> Iterator[Event]:
    """Yield events as they are written, until `ended` returns true."""
    reader = Reader(path, start)
    while True:
        last = ended()
        yield from reader.new()
        if last:
            return
        time.sleep(interval)
