"""Every request's bytes, kept in a file, so that a test can search all that was ever sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    rpc: str
    sender: str  # "client", or a container's id
    body: bytes


class Recording:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._index: list[tuple[str, str, int]] = []  # RPC, sender, length
        self._lock = threading.Lock()

    def add(self, rpc: str, sender: str, body: bytes) -> None:
        with self._lock:
            self._file.write(body)
            self._index.append((rpc, sender, len(body)))

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Request]:
        with self._lock:
            if not self._file.closed:
                self._file.flush()
            index = list(self._index)
        with self._path.open("rb") as file:
            for rpc, sender, length in index:
                yield Request(rpc, sender, file.read(length))

    def holding(self, text: str | bytes) -> list[Request]:
        """The requests whose bytes hold this text."""
        sought = text.encode() if isinstance(text, str) else text
        return [request for request in self if sought in request.body]

    def close(self) -> None:
        with self._lock:
            self._file.close()
