"""Events of a run from the logs of its function calls: the scheduler, and the calls that its events name."""

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

CALL_EVENTS = ("call_submitted", "call_waiting", "launch_continued")  # events that name another function call
SECONDS_BETWEEN_POLLS = 0.5
SECONDS_FOR_LATE_LOGS = 0.7  # that logs of stages may arrive after the last event of the scheduler
SECONDS_BETWEEN_TRIES = 1.0


class Follower:
    """Reader of the events of one run as they arrive. A separate thread reads the logs; it ends with the block."""

    def __init__(self, launch: str, call_ids: Iterable[str]) -> None:
        self._launch = launch
        self._call_ids = tuple(call_ids)
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="modal logs", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        for call_id in (self._launch, *self._call_ids):
            self._follow(call_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # at exit, Modal's client logs each open stream as an error, and there is no way to close the streams
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        asyncio.run_coroutine_threadsafe(self._cancel_tasks(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def events(self) -> Iterator[Event]:
        """Yield events until the scheduler reports the end of the run, or its function call ends without a report."""
        finished: Event | None = None
        while True:
            try:
                event = self._events.get(timeout=SECONDS_FOR_LATE_LOGS if finished else SECONDS_BETWEEN_POLLS)
            except Empty:
                if finished is not None:
                    yield finished
                    return
                if function_calls.poll(self._launch) is not None and self._events.empty():
                    return
                continue
            if event["kind"] == "launch_continued":
                self._launch = str(event["function_call"])
            if event["kind"] in CALL_EVENTS:
                self._follow(str(event["function_call"]))
            if event["kind"] == "run_finished":
                finished = event
            else:
                yield event

    def _follow(self, call_id: str) -> None:
        def start_task() -> None:
            if call_id not in self._tasks:
                self._tasks[call_id] = self._loop.create_task(self._read(call_id))

        self._loop.call_soon_threadsafe(start_task)

    async def _read(self, call_id: str) -> None:
        """Read the logs of one call to their end. After a broken stream, read again and skip the known events."""
        import modal

        count = 0
        while True:
            markers, position = Markers(), 0
            stream = modal.FunctionCall.from_id(call_id).logs.stream.aio()
            try:
                async with aclosing(stream):
                    async for entry in stream:
                        for event in markers.read(_message_bytes(entry)):
                            position += 1
                            if position > count:
                                count = position
                                self._events.put(event)
                return
            except modal.exception.Error:
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    async def _cancel_tasks(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        for task in self._tasks.values():
            with suppress(asyncio.CancelledError, Exception):
                await task


def _message_bytes(entry: Any) -> bytes:
    return str(getattr(entry, "message", entry)).encode()
