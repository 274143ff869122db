"""Follows a run by the logs of its function calls: the scheduler's, and each that the scheduler names in its events."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import aclosing, suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from ftrun.api.events import Event
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.event_protocol import Markers

NAMING = ("call_submitted", "call_waiting", "launch_continued")  # events that name another function call
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_FOR_THE_REST = 0.7  # that stage logs may come behind the scheduler's last event
SECONDS_BEFORE_ANOTHER_TRY = 1.0


class Follower:
    """The events of one run as they come. Logs are read in a thread of its own, which ends with the block."""

    def __init__(self, launch: str, named: Iterable[str]) -> None:
        self._launch = launch
        self._named = tuple(named)
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="modal logs", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        for call_id in (self._launch, *self._named):
            self._follow(call_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Modal's client tells of every stream that was left open when the interpreter ends, and nobody can close them
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def events(self) -> Iterator[Event]:
        """Until the scheduler says that the run is over, or its function call has ended without saying so."""
        finished: Event | None = None
        while True:
            try:
                event = self._events.get(timeout=SECONDS_FOR_THE_REST if finished else SECONDS_BETWEEN_LOOKS)
            except Empty:
                if finished is not None:
                    yield finished
                    return
                if function_calls.poll(self._launch) is not None and self._events.empty():
                    return
                continue
            if event["kind"] == "launch_continued":
                self._launch = str(event["function_call"])
            if event["kind"] in NAMING:
                self._follow(str(event["function_call"]))
            if event["kind"] == "run_finished":
                finished = event
            else:
                yield event

    def _follow(self, call_id: str) -> None:
        def begin() -> None:
            if call_id not in self._followed:
                self._followed[call_id] = self._loop.create_task(self._read(call_id))

        self._loop.call_soon_threadsafe(begin)

    async def _read(self, call_id: str) -> None:
        """Reads one call's logs to their end; a stream that breaks is begun again, and repeats nothing."""
        import modal

        seen = 0
        while True:
            markers, at = Markers(), 0
            stream = modal.FunctionCall.from_id(call_id).logs.stream.aio()
            try:
                async with aclosing(stream):
                    async for entry in stream:
                        for event in markers.read(_text(entry)):
                            at += 1
                            if at > seen:
                                seen = at
                                self._events.put(event)
                return
            except modal.exception.Error:
                await asyncio.sleep(SECONDS_BEFORE_ANOTHER_TRY)

    async def _end(self) -> None:
        for task in self._followed.values():
            task.cancel()
        for task in self._followed.values():
            with suppress(asyncio.CancelledError, Exception):
                await task


def _text(entry: Any) -> bytes:
    return str(getattr(entry, "message", entry)).encode()
